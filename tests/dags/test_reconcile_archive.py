"""The tasks of reconcile_archive, over AWS in memory and a Trino that answers from a list."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DagRunTriggerException
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from clickstream.load.request import read_load_request
from clickstream.window import DAY, HOUR
from tests.clickstream.fake_trino import FakeTrino, query_error
from tests.clickstream.memory_aws import MemoryGlue, MemoryS3
from tests.dags import conftest
from tests.dags.conftest import context

pytestmark = pytest.mark.usefixtures("aws")
ConnectTrino = Callable[..., FakeTrino]
MIDNIGHT = conftest.HOUR.replace(hour=0)
SHOWN = {"Create Table": "external_location = 's3://archive-bucket/segment-logs/'"}
RANGE = {"from": (MIDNIGHT - DAY).isoformat(), "to": (MIDNIGHT - 21 * HOUR).isoformat()}


def bucket(hours: int, ids: int, name: str = "0A") -> dict[str, Any]:
    at = MIDNIGHT - DAY + timedelta(hours=hours)
    return {"received_hour": at, "source": "web", "bucket": 7, "ids": ids, "lines": ids, "digest": name}


def differing(hours: int, missing: int, of: int = 100) -> dict[str, Any]:
    at = MIDNIGHT - DAY + timedelta(hours=hours)
    return {"received_hour": at, "messages_here": of - missing, "messages_there": of, "missing_here": missing,
            "missing_there": 0, "late": 0}  # fmt: skip


@pytest.fixture(autouse=True)
def archive(monkeypatch: pytest.MonkeyPatch, s3: MemoryS3, glue: MemoryGlue) -> None:
    glue.tables["archive_lines"] = {"Name": "archive_lines", "StorageDescriptor": {}}
    monkeypatch.setattr(conftest.Instance, "xcom_push", lambda *_, **__: None)
    monkeypatch.setenv("CLICKSTREAM_ARCHIVE_BUCKET", "archive-bucket")
    s3.buckets["archive-bucket"][f"archive/{MIDNIGHT - DAY:%Y/%m/%d/%H}/raw_a.gz"] = b"x"


def run(task, task_id: str, **conf: Any) -> Any:
    operator = task("reconcile_archive", task_id)
    return operator.execute(context(operator, "manual", "manual__1", conf))


def answers(**more: Any) -> dict[str, Any]:
    """As of a lake in which one hour misses a message: the statements by what only they have."""
    ids = {"received_hour": MIDNIGHT - DAY, "source": "web", "ids": 1}
    return {
        "show create": [[SHOWN]],
        "as numbered": [[ids | {"outcome": "missing_here"}, ids | {"outcome": "in_both"}]],
        "count(message_id)": [[bucket(0, 2), bucket(1, 5)]],
        "count(*) as lines": [[bucket(0, 1), bucket(1, 5)]],
        **more,
    }


def test_yesterday_is_compared_and_kept(task, connect_trino: ConnectTrino, capsys: pytest.CaptureFixture[str]) -> None:
    trino = connect_trino(answers())

    counts = run(task, "compare")

    assert counts == {
        "messages_here": 6, "messages_there": 7, "in_both": 6, "missing_here": 1, "missing_there": 0, "late": 0,
        "refused_here": 0, "duplicates": 0,
    }  # fmt: skip
    (kept,) = [values for text, values in trino.executed if 'merge into "lake"."clickstream"."archive' in text]
    assert '"web", "missing_here", 1, 2, 1, 1, 0, 0, 0, 0, "copy"]' in str(kept)
    assert MIDNIGHT - DAY in kept
    said = capsys.readouterr().out
    assert "missing here 1 of 2" in said
    assert "prove staging and the load only" in said


def test_without_any_object_in_the_archive_it_is_skipped(task, connect_trino: ConnectTrino, s3: MemoryS3) -> None:
    connect_trino(answers())
    s3.buckets["archive-bucket"].clear()

    with pytest.raises(AirflowSkipException, match="archive-bucket is empty"):
        run(task, "compare")


def test_when_nothing_differs_no_id_is_read(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino(answers(**{"count(message_id)": [[bucket(0, 1), bucket(1, 5)]]}))

    assert run(task, "compare")["missing_here"] == 0
    assert [text for text, _ in trino.executed if "as numbered" in text] == []


def test_without_an_archive_there_is_nothing_to_compare(
    task, connect_trino: ConnectTrino, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLICKSTREAM_ARCHIVE_BUCKET")
    connect_trino()

    with pytest.raises(AirflowSkipException, match="CLICKSTREAM_ARCHIVE_BUCKET is not set"):
        run(task, "compare")


def test_an_object_that_cannot_be_read_fails_for_good_and_says_what_to_do(task, connect_trino: ConnectTrino) -> None:
    connect_trino(answers(**{"count(message_id)": [query_error("HIVE_CURSOR_ERROR")]}))

    with pytest.raises(AirflowFailException, match="Load these hours once with load_events and source archive"):
        run(task, "compare")


def test_lines_that_a_load_failed_with_are_not_read_if_this_fails_too(task, connect_trino: ConnectTrino) -> None:
    failed = query_error("GENERIC_INTERNAL_ERROR", "INTERNAL_ERROR")
    trino = connect_trino(
        answers(
            **{"load_failed": [[{"line_digest": "AB"}]], "count(message_id)": [failed, [bucket(0, 1), bucket(1, 5)]]}
        )
    )

    assert run(task, "compare")["missing_here"] == 0
    first, second = [text for text, _ in trino.executed if "count(message_id)" in text]
    assert "in (?), '', coalesce(line, ''))" not in first
    assert "in (?), '', coalesce(line, ''))" in second


def test_the_hours_that_miss_something_are_healed_by_a_dry_run_first(
    task, connect_trino: ConnectTrino, xcoms: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect_trino(
        answers(**{"max(compared_at)": [[differing(0, 1), differing(1, 0), differing(2, 3), differing(9, 50)]]})
    )

    conf = run(task, "plan_healing")

    assert conf == {**RANGE, "source": "archive", "dry_run": True, "rebuild": False}
    monkeypatch.setattr(conftest.Instance, "xcom_pull", lambda self, task_ids, **_: conf)
    heal = task("reconcile_archive", "heal")
    given = context(heal, "manual", "manual__1")
    heal.render_template_fields(given)
    with pytest.raises(DagRunTriggerException) as triggered:
        heal.execute(given)
    asked = triggered.value
    assert (asked.trigger_dag_id, asked.wait_for_completion) == ("load_events", True)
    # A later try runs the same load again, beside which there is no other.
    assert (asked.dag_run_id, asked.reset_dag_run) == (f"manual__1_{conf['from']}", True)
    request = read_load_request("manual", (None, None), asked.conf)
    assert (request.source, request.dry_run) == ("archive", True)
    with pytest.raises(AirflowSkipException, match="dry run"):
        run(task, "compare_again")


def test_what_was_healed_is_compared_again(task, connect_trino: ConnectTrino, monkeypatch: pytest.MonkeyPatch) -> None:
    trino = connect_trino(
        answers(
            **{
                "max(compared_at)": [[differing(0, 1), differing(2, 3)]],
                "count(message_id)": [[bucket(0, 1), bucket(1, 5)]],
            }
        )
    )
    conf = run(task, "plan_healing", dry_run=False)
    assert conf["dry_run"] is False
    monkeypatch.setattr(conftest.Instance, "xcom_pull", lambda self, task_ids, **_: conf)

    assert run(task, "compare_again", dry_run=False)["missing_here"] == 0
    (read,) = [values for text, values in trino.executed if "count(*) as lines" in text and "$path" not in text]
    assert read[:2] == [MIDNIGHT - DAY, MIDNIGHT - 21 * HOUR - timedelta(microseconds=1)]


@pytest.mark.parametrize("rows", [[], [differing(9, 50)]])
def test_nothing_or_too_much_is_not_healed(task, connect_trino: ConnectTrino, rows: Any) -> None:
    connect_trino(answers(**{"max(compared_at)": [rows]}))

    with pytest.raises(AirflowSkipException, match=f"{len(rows)} for a person"):
        run(task, "plan_healing", dry_run=False)
    if rows:
        assert run(task, "plan_healing", dry_run=False, large=True)["dry_run"] is False


@pytest.mark.promise("P8")
@pytest.mark.parametrize("wrong", [{"from": "'"}, {"from": "2026-11-20T00:00:00Z"}])
def test_a_form_that_cannot_be_used_fails(task, connect_trino: ConnectTrino, wrong: dict[str, Any]) -> None:
    trino = connect_trino()

    for task_id in ("compare", "plan_healing"):
        with pytest.raises(AirflowFailException):
            run(task, task_id, **wrong)
    assert trino.executed == []
