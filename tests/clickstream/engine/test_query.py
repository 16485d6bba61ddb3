"""One statement on a connection that answers as told."""

import re
import threading
from typing import Any

import pytest
from tenacity import wait_none
from trino.exceptions import TrinoConnectionError

from clickstream.engine.query import ATTEMPTS, CancelledError, QueryRunner, ReplacedError, Result
from clickstream.engine.sql import Statement
from tests.clickstream.fake_trino import FakeCursor, FakeTrino, Rows, cancelled, query_error

STATEMENT = Statement("select ? as a, 'x;y' as b; drop table z", ("it's; --", None, 5))


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clickstream.engine.query.wait_random_exponential", lambda **_: wait_none())
    monkeypatch.setattr("clickstream.engine.query.ALTERING_SECONDS", 0)


def runner(*answers: Any) -> tuple[FakeTrino, QueryRunner]:
    trino = FakeTrino({"select": answers})
    return trino, QueryRunner(trino)  # type: ignore[arg-type]


def test_text_and_parameters_are_passed_unchanged_in_one_execute() -> None:
    trino, run = runner([])

    run.run(STATEMENT)

    assert trino.executed == [(STATEMENT.text, ["it's; --", None, 5])]


def test_no_parameters_are_none_so_that_nothing_is_prepared() -> None:
    trino, run = runner([])

    run.run(Statement("select 1"))

    assert trino.executed == [("select 1", None)]


def test_rows_are_dictionaries_and_the_cost_is_told() -> None:
    _, run = runner([{"a": 1, "b": "x"}, {"a": 2, "b": None}])

    result = run.run(STATEMENT)

    assert result == Result([{"a": 1, "b": "x"}, {"a": 2, "b": None}], FakeCursor.query_id, 1_500, 250, 2_048)
    assert result.text() == f"query {FakeCursor.query_id}: 1.50 s, 0.25 s of CPU, 2,048 bytes read"


def test_a_statement_without_rows_and_counts() -> None:
    def forget_counts(cursor: FakeCursor) -> Rows:
        cursor.stats = None
        return []

    _, run = runner(forget_counts)

    assert run.run(STATEMENT) == Result([], FakeCursor.query_id, 0, 0, 0)


@pytest.mark.scenario("X5", "X8", "X12")
@pytest.mark.parametrize("name", ["ICEBERG_COMMIT_ERROR", "ICEBERG_CATALOG_ERROR", "NO_NODES_AVAILABLE"])
def test_a_commit_conflict_a_throttled_catalog_and_a_starting_trino_are_tried_again(name: str) -> None:
    trino, run = runner(query_error(name), query_error(name), [{"a": 1}])

    assert run.run(STATEMENT).rows == [{"a": 1}]
    assert trino.executed == [(STATEMENT.text, list(STATEMENT.parameters))] * 3


def test_it_gives_up_after_so_many_attempts_with_the_error_itself() -> None:
    error = query_error("ICEBERG_COMMIT_ERROR")
    trino, run = runner(error)

    with pytest.raises(type(error)) as raised:
        run.run(STATEMENT)

    assert raised.value is error
    assert len(trino.executed) == ATTEMPTS


@pytest.mark.parametrize(
    "error",
    [
        query_error("SYNTAX_ERROR"),
        query_error("MERGE_TARGET_ROW_MULTIPLE_MATCHES"),
        query_error("HIVE_CURSOR_ERROR"),
        query_error("GENERIC_INTERNAL_ERROR"),
        query_error("COMMIT_ERROR"),
        cancelled(),
        TrinoConnectionError("refused"),
        ValueError("ICEBERG_COMMIT_ERROR"),
    ],
    ids=lambda error: f"{type(error).__name__} {getattr(error, 'error_name', '')}",
)
def test_nothing_else_is_tried_again(error: Exception) -> None:
    trino, run = runner(error, [{"a": 1}])

    with pytest.raises(type(error)) as raised:
        run.run(STATEMENT)

    assert raised.value is error
    assert len(trino.executed) == 1


def test_cancel_with_nothing_running_cancels_no_query_and_lets_no_other_start() -> None:
    trino, run = runner([])

    run.run(STATEMENT)
    run.cancel()

    assert [cursor.is_cancelled for cursor in trino.cursors] == [False]
    with pytest.raises(CancelledError):
        run.run(STATEMENT)
    assert len(trino.executed) == 1


def test_cancel_after_a_failure_does_nothing() -> None:
    trino, run = runner(query_error("SYNTAX_ERROR"))

    with pytest.raises(Exception, match="SYNTAX_ERROR"):
        run.run(STATEMENT)
    run.cancel()

    assert [cursor.is_cancelled for cursor in trino.cursors] == [False]


@pytest.mark.scenario("X2")
def test_cancel_from_another_thread_reaches_the_running_query() -> None:
    has_begun, has_been_cancelled = threading.Event(), threading.Event()

    def runs_until_cancelled(cursor: FakeCursor) -> Rows:
        cursor.cancel = has_been_cancelled.set  # type: ignore[method-assign]
        has_begun.set()
        assert has_been_cancelled.wait(600), "never cancelled"
        raise cancelled()

    trino, run = runner(runs_until_cancelled)
    raised: list[BaseException] = []

    def work() -> None:
        try:
            run.run(STATEMENT)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert has_begun.wait(600)
    run.cancel()
    thread.join(10)

    assert [getattr(error, "error_name", error) for error in raised] == ["USER_CANCELED"]
    assert len(trino.executed) == 1


def test_cancel_in_the_pause_before_another_attempt_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed task goes on after its on_kill: without this, it would send the statement once more."""
    trino, run = runner(query_error("ICEBERG_COMMIT_ERROR"), [])

    def cancelled_while_waiting(_: Any) -> float:
        run.cancel()
        return 0.0

    monkeypatch.setattr("clickstream.engine.query.wait_random_exponential", lambda **_: cancelled_while_waiting)

    with pytest.raises(Exception, match=r"."):
        run.run(STATEMENT)

    assert len(trino.executed) == 1


MERGE = Statement('/* clickstream ab */\nmerge into "lake"."clickstream"."events" as target\nusing x', (1,))
ADD = Statement('alter table "lake"."clickstream"."events"\nadd column a', (), "evolution/add_column.sql")
SOMETHING = [{"query_id": FakeCursor.query_id}]


def changing(rows: int) -> Any:
    def answer(cursor: FakeCursor) -> Rows:
        cursor.rowcount = rows
        return []

    return answer


def runner_of(**answers: Any) -> tuple[FakeTrino, QueryRunner]:
    parts = {
        "altering": "system.runtime.queries",
        "commits": "$snapshots",
        "merge": "merge into",
        "alter": "alter table",
    }
    trino = FakeTrino({parts[name]: given for name, given in answers.items()})
    return trino, QueryRunner(trino)  # type: ignore[arg-type]


def ran(trino: FakeTrino) -> list[str]:
    names = {"merge into": "merge", "alter table": "alter", "runtime.queries": "altering", "$snapshots": "commits"}
    return [next(name for part, name in names.items() if part in text) for text, _ in trino.executed]


def test_a_merge_whose_commit_was_replaced_is_run_again_and_told_as_the_latest_query() -> None:
    trino, run = runner_of(merge=[changing(2)], altering=[[]], commits=[[], SOMETHING])

    assert run.run(MERGE).changed_rows == 2

    assert ran(trino) == ["merge", "altering", "commits"] * 2
    assert trino.executed[2][1] == [FakeCursor.query_id]
    assert run.info_url == FakeCursor.info_uri


def test_the_table_is_asked_only_when_nothing_alters_it_any_more() -> None:
    trino, run = runner_of(merge=[changing(1)], altering=[SOMETHING, SOMETHING, []], commits=[SOMETHING])

    run.run(MERGE)

    assert ran(trino) == ["merge", "altering", "altering", "altering", "commits"]


def test_a_merge_that_changed_nothing_has_nothing_to_lose() -> None:
    trino, run = runner_of(merge=[changing(0)])

    run.run(MERGE)

    assert ran(trino) == ["merge"]


def test_a_change_of_columns_waits_for_others_of_the_table() -> None:
    trino, run = runner_of(alter=[[]], altering=[SOMETHING, []])

    run.run(ADD)

    assert ran(trino) == ["alter", "altering", "altering"]


def test_what_is_undone_each_time_is_an_error_that_names_the_table() -> None:
    trino, run = runner_of(merge=[changing(1)], altering=[[]], commits=[[]])

    with pytest.raises(ReplacedError, match="events"):
        run.run(MERGE)

    assert ran(trino).count("merge") == ATTEMPTS


def test_a_merge_whose_table_got_a_column_meanwhile_is_tried_again() -> None:
    error = query_error("GENERIC_INTERNAL_ERROR", "INTERNAL_ERROR")
    error._error["message"] = "inputPage channelCount (12) == dataColumns size (10) + 3"
    trino, run = runner_of(merge=[error, changing(1)], altering=[[]], commits=[SOMETHING])

    run.run(MERGE)

    assert ran(trino) == ["merge", "merge", "altering", "commits"]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ('alter table "lake"."clickstream"."events"\nadd column a varchar', True),
        ('/* clickstream ab */\nalter table "lake"."clickstream"."events"\nalter column a set data type bigint', True),
        ('comment on column "lake"."clickstream"."events"."a" is \'x\'', True),
        ("ALTER TABLE clickstream.events DROP COLUMN a", True),
        ('alter table "lake"."clickstream_events"."orders" add column a varchar', False),
        ('select * from "lake"."clickstream"."events"', False),
    ],
)
def test_which_statements_change_a_table(text: str, is_one: bool) -> None:
    trino, run = runner_of(merge=[changing(1)], altering=[[]], commits=[SOMETHING])
    run.run(MERGE)
    ((pattern,),) = [parameters for sent, parameters in trino.executed if "runtime.queries" in sent]

    assert bool(re.search(pattern, text)) is is_one
