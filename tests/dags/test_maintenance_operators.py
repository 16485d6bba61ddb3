"""The tasks of maintain_tables: what they send, what they give, and what a kill does."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from tenacity import wait_none

from clickstream.engine.sql import TableNames
from clickstream.plan.file import read_plan
from tests.clickstream.fake_trino import FakeCursor, FakeTrino, Rows, cancelled, query_error
from tests.clickstream.memory_aws import MemoryGlue
from tests.dags.conftest import context

pytestmark = pytest.mark.usefixtures("aws")
ConnectTrino = Callable[..., FakeTrino]
FIGURES = {
    "history.snapshots": [
        [{"files": 8, "bytes": 800, "snapshots": 5}],
        [{"files": 2, "bytes": 210, "snapshots": 1}],
    ]
}
NO_ALARM = {"min(opened_at)": [[{"opened_at": None}]]}
BATCH = "batch_0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clickstream.engine.query.wait_random_exponential", lambda **_: wait_none())


def run(task, task_id: str, conf: dict[str, Any] | None = None) -> Any:
    operator = task("maintain_tables", task_id)
    given = context(operator, "manual", "run-1", conf)
    operator.render_template_fields(given)
    return operator.execute(given)


@pytest.mark.parametrize("table", TableNames.LAKE_TABLES)
def test_a_table_is_maintained_and_its_figures_are_given(task, connect_trino: ConnectTrino, table: str) -> None:
    trino = connect_trino(FIGURES | NO_ALARM)

    result = run(task, f"maintain_{table}")

    assert json.loads(json.dumps(result)) == result
    assert (result["table"], result["before"]["files"], result["after"]["files"]) == (table, 8, 2)
    statements = [" ".join(text.split()) for text, _ in trino.executed]
    altered = [text.partition("alter table ")[2] for text in statements if "alter table" in text]
    name = f'"lake"."clickstream"."{table}" execute '
    assert [text.partition(" (")[0] for text in altered] == [
        f"{name}{procedure}" for procedure in ("optimize", "expire_snapshots", "remove_orphan_files")
    ]
    assert altered[1].endswith("'604800s')")
    assert result["removed_rows"] == 0
    assert [text for text in statements if "delete from" in text or "update " in text] == []


def test_rows_older_than_they_are_kept_are_counted_and_removed_before_the_table_is_compacted(
    task, connect_trino: ConnectTrino, capsys: pytest.CaptureFixture[str]
) -> None:
    day = datetime(2026, 1, 5, tzinfo=UTC)
    trino = connect_trino(FIGURES | {"past_day": [[{"past_day": day, "past_rows": 7}]]})

    result = run(task, "maintain_discards")

    (at,) = [number for number, (text, _) in enumerate(trino.executed) if "delete from" in text]
    (compacted,) = [number for number, (text, _) in enumerate(trino.executed) if "execute optimize" in text]
    text, (until,) = trino.executed[at]
    assert 'delete from "lake"."clickstream"."discards"' in text
    assert timedelta(days=90) <= datetime.now(UTC) - until < timedelta(days=91, minutes=1)
    assert at < compacted
    assert result["removed_rows"] == 7
    assert f"discards: removed 7 rows of 1 days before {until:%Y-%m-%d}" in capsys.readouterr().out


def test_events_and_their_tables_are_kept_forever_until_a_team_decides(
    task, connect_trino: ConnectTrino, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "past_day" not in str(connect_and_keep_events(task, connect_trino))

    monkeypatch.setenv("CLICKSTREAM_RETENTION", "events=400")
    asked = [text for text in connect_and_keep_events(task, connect_trino) if "past_day" in text]
    assert len(asked) == 1 + len(read_plan().with_table)


def connect_and_keep_events(task, connect_trino: ConnectTrino) -> list[str]:
    trino = connect_trino({"history.snapshots": [FIGURES["history.snapshots"][0]]})
    run(task, "maintain_events")
    run(task, "maintain_typed_events")
    return [text for text, _ in trino.executed]


@pytest.mark.parametrize("text", ["events=7", "load_ledger=400", "all"])
def test_a_retention_that_cannot_be_used_fails_the_task_for_good(
    task, connect_trino: ConnectTrino, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("CLICKSTREAM_RETENTION", text)
    trino = connect_trino(FIGURES)

    with pytest.raises(AirflowFailException, match="CLICKSTREAM_RETENTION"):
        run(task, "maintain_events")
    assert trino.executed == []


def test_the_retention_of_the_form_reaches_the_statements(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino(FIGURES)

    run(task, "maintain_events", {"retention_days": 30})

    assert len([text for text, _ in trino.executed if f"'{30 * 86_400}s'" in text]) == 2


@pytest.mark.parametrize("value", [6, 0, -1, 366, 7.5, "7d", "7", None, "'; drop"])
def test_a_retention_that_could_lose_files_is_refused_before_the_task_runs(task, value: Any) -> None:
    with pytest.raises(ValueError, match="retention_days"):
        context(task("maintain_tables", "maintain_events"), "manual", conf={"retention_days": value})


def test_a_table_that_is_not_there_yet_is_skipped(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino({"history.snapshots": [query_error("TABLE_NOT_FOUND")]})

    with pytest.raises(AirflowSkipException, match="no table events yet"):
        run(task, "maintain_events")
    assert len(trino.executed) == 1


def test_the_table_of_each_event_is_maintained_and_those_not_there_are_passed_over(
    task, connect_trino: ConnectTrino
) -> None:
    first, second, *others = [event.table for event in read_plan().with_table]
    trino = connect_trino(
        {f'"{table}$snapshots"': [query_error("TABLE_NOT_FOUND")] for table in others}
        | {"history.snapshots": [FIGURES["history.snapshots"][0]] * 4}
    )

    result = run(task, "maintain_typed_events")

    assert [kept["table"] for kept in result] == [first, second]
    compacted = [text for text, _ in trino.executed if "execute optimize" in text]
    assert [text.partition(" execute")[0].rpartition(".")[2] for text in compacted] == [f'"{first}"', f'"{second}"']


def test_another_error_fails_the_task(task, connect_trino: ConnectTrino) -> None:
    connect_trino(FIGURES | {"expire_snapshots": [query_error("ICEBERG_FILESYSTEM_ERROR")]})

    with pytest.raises(Exception, match="ICEBERG_FILESYSTEM_ERROR"):
        run(task, "maintain_events")


def test_a_commit_that_meets_a_load_s_is_tried_again(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino(FIGURES | {"execute optimize": [query_error("ICEBERG_COMMIT_ERROR"), []]})

    run(task, "maintain_events")

    assert len([text for text, _ in trino.executed if "execute optimize" in text]) == 2


def test_a_kill_cancels_the_running_statement_and_no_other_follows(task, connect_trino: ConnectTrino) -> None:
    operator = task("maintain_tables", "maintain_events")

    def killed(_: FakeCursor) -> Rows:
        operator.on_kill()
        raise cancelled()

    trino = connect_trino(FIGURES | {"execute optimize": [killed]})

    with pytest.raises(Exception, match="USER_CANCELED"):
        operator.execute(context(operator, "scheduled"))
    assert trino.cursors[-1].is_cancelled
    assert "execute optimize" in trino.executed[-1][0]


def test_stray_batches_are_dropped_and_named(task, connect_trino: ConnectTrino, glue: MemoryGlue) -> None:
    now = datetime.now(UTC)
    old, young = now - timedelta(days=1, minutes=1), now - timedelta(hours=23)
    glue.tables = {
        name: {"Name": name, "CreateTime": created, "UpdateTime": updated}
        for name, created, updated in (
            (BATCH, old, old),
            (BATCH.replace("0", "f"), old, young),
            ("of_mine", old, old),
        )
    }
    trino = connect_trino()

    assert run(task, "drop_stray_batches") == [BATCH]

    ((text, parameters),) = trino.executed
    assert text.endswith(f'drop table if exists "lake"."clickstream_work"."{BATCH}"')
    assert parameters is None


def test_without_stray_batches_trino_is_not_asked(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino()

    assert run(task, "drop_stray_batches") == []
    assert trino.cursors == []
