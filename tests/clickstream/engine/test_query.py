"""One statement on a connection that answers as told."""

import threading
from typing import Any

import pytest
from tenacity import wait_none
from trino.exceptions import TrinoConnectionError

from clickstream.engine.query import ATTEMPTS, CancelledError, QueryRunner, Result
from clickstream.engine.sql import Statement
from tests.clickstream.fake_trino import FakeCursor, FakeTrino, Rows, cancelled, query_error

STATEMENT = Statement("select ? as a, 'x;y' as b; drop table z", ("it's; --", None, 5))


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clickstream.engine.query.wait_random_exponential", lambda **_: wait_none())


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
