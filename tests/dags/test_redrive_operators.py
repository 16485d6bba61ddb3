"""What redrive_failed sends and what it moves or notes, over AWS in memory and a Trino that answers from a list."""

import base64
import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from clickstream.aws.kinesis import PutError
from clickstream.settings import SettingsError
from clickstream.staging.redrive import MAX_RECORD_BYTES
from tests.clickstream.fake_trino import FakeCursor, FakeTrino, Rows, cancelled, query_error
from tests.clickstream.memory_aws import MemoryKinesis, MemoryS3
from tests.dags.conftest import HOUR, context

pytestmark = pytest.mark.usefixtures("aws")
ConnectTrino = Callable[..., FakeTrino]
RUN = "manual__1"


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKSTREAM_RAW_BUCKET", "raw-bucket")
    monkeypatch.setenv("CLICKSTREAM_STREAM", "the-stream")


def fail(s3: MemoryS3, name: str, *records: bytes, at: datetime = HOUR, folder: str = "processing-failed") -> str:
    """Puts an object of failed records; gives its key."""
    key = f"{folder}/{name}"
    lines = [json.dumps({"rawData": base64.b64encode(record).decode()}) for record in records]
    s3.buckets["raw-bucket"][key] = "\n".join(lines).encode()
    s3.landed[key] = at
    return key


def redrive(task, source: str, **conf: Any) -> dict[str, int]:
    operator = task("redrive_failed", f"redrive_{source.replace('-', '_')}")
    return operator.execute(context(operator, "manual", RUN, {"source": source, "dry_run": False, **conf}))


def counts(*numbers: int) -> dict[str, int]:
    return dict(zip(("objects", "read", "sent", "skipped"), numbers, strict=True))


@pytest.mark.parametrize(("source", "other"), [("processing-failed", "refused"), ("refused", "processing-failed")])
def test_every_record_is_sent_and_its_object_moved(task, s3, kinesis: MemoryKinesis, source: str, other: str) -> None:
    fail(s3, "b", b'{"userId":"u"}', b"\xff", at=HOUR + timedelta(hours=1), folder=source)
    fail(s3, "a", b"first", folder=source)
    kept = fail(s3, "c", b"of the other source", folder=other)

    assert redrive(task, source) == counts(2, 3, 3, 0)
    assert [data for _, data in kinesis.records] == [b"first", b'{"userId":"u"}', b"\xff"]
    assert kinesis.records[1][0] == "u"
    assert s3.buckets["raw-bucket"].keys() == {f"{source}-redriven/a", f"{source}-redriven/b", kept}
    assert redrive(task, source) == counts(0, 0, 0, 0)


def test_a_dry_run_is_the_form_s_default_and_changes_nothing(task, s3, kinesis: MemoryKinesis) -> None:
    key = fail(s3, "a", b"first", b"second")
    operator = task("redrive_failed", "redrive_processing_failed")

    assert operator.execute(context(operator, "manual")) == counts(1, 2, 0, 0)
    assert kinesis.call_sizes == []
    assert s3.buckets["raw-bucket"].keys() == {key}


def test_only_what_failed_in_the_asked_time_goes(task, s3, kinesis: MemoryKinesis) -> None:
    for hours in range(4):
        fail(s3, f"{hours}", b"%d" % hours, at=HOUR + timedelta(hours=hours))
    bounds = {"from": (HOUR + timedelta(hours=1)).isoformat(), "to": (HOUR + timedelta(hours=3)).isoformat()}

    assert redrive(task, "processing-failed", **bounds) == counts(2, 2, 2, 0)
    assert [data for _, data in kinesis.records] == [b"1", b"2"]


def test_an_object_that_cannot_be_read_stays_and_stops_no_other(task, s3, kinesis: MemoryKinesis, capsys) -> None:
    fail(s3, "a", b"first")
    broken, full = fail(s3, "b"), fail(s3, "c", b"small", b"x" * (MAX_RECORD_BYTES + 1))
    s3.buckets["raw-bucket"][broken] = json.dumps({"rawData": "YQ=="}).encode() + b"\nnonsense"
    fail(s3, "d", b"last")

    assert redrive(task, "processing-failed") == counts(4, 2, 2, 2)
    assert [data for _, data in kinesis.records] == [b"first", b"last"]
    assert {key for key in s3.buckets["raw-bucket"] if key.startswith("processing-failed/")} == {broken, full}
    told = [line for line in capsys.readouterr().out.splitlines() if "[error" in line]
    assert [any(key in line for line in told) for key in (broken, full)] == [True, True]


def test_an_object_is_not_moved_before_all_its_records_are_accepted(
    task, s3, kinesis: MemoryKinesis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clickstream.aws.kinesis.ATTEMPTS", 1)
    done, key = fail(s3, "a", b"first"), fail(s3, "b", b"second", b"third")
    kinesis.refusals = [0, 1]

    with pytest.raises(PutError, match="1 records refused"):
        redrive(task, "processing-failed")

    assert key in s3.buckets["raw-bucket"]
    assert done not in s3.buckets["raw-bucket"]


@pytest.mark.parametrize(("source", "other"), itertools.permutations(["processing-failed", "refused", "rejects"], 2))
def test_the_other_sources_tasks_are_skipped(task, s3, connect_trino: ConnectTrino, source: str, other: str) -> None:
    trino = connect_trino()
    operator = task("redrive_failed", f"redrive_{other.replace('-', '_')}")

    with pytest.raises(AirflowSkipException):
        operator.execute(context(operator, "manual", conf={"source": source}))
    assert (trino.executed, s3.calls) == ([], [])


@pytest.mark.promise("P8")
@pytest.mark.parametrize(
    "conf",
    [{"source": "x"}, {"source": None}, {"from": "now() --"}, {"to": 7}, {"dry_run": "no"}, {"dry_run": None}],
)
def test_the_form_and_the_task_refuse_what_they_do_not_know(task, connect_trino: ConnectTrino, conf) -> None:
    trino = connect_trino()
    operator = task("redrive_failed", "redrive_rejects")
    name = next(iter(conf))

    if conf != {"from": "now() --"}:  # the form checks times only where it offers a calendar
        with pytest.raises(ValueError, match=name):
            context(operator, "manual", conf=conf)
    given = {"source": "rejects", "from": None, "to": None, "dry_run": False, **conf}
    with pytest.raises(AirflowFailException, match=name):
        operator.execute({**context(operator, "manual"), "params": given})
    assert trino.executed == []


def reject(reject_id: str, line: str, reason: str = "no_message_id") -> dict[str, Any]:
    return {"reject_id": reject_id, "reason": reason, "line": line, "rejected_at": HOUR}


def pages(*rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"order by rejected_at": [*rows, []]}


def test_lines_are_sent_and_noted_page_by_page(task, kinesis: MemoryKinesis, connect_trino: ConnectTrino) -> None:
    before = datetime.now(UTC)
    trino = connect_trino(pages([reject("A", "1"), reject("B", "{}{}", "missing_newline")], [reject("C", "4")]))

    assert redrive(task, "rejects") == counts(3, 4, 4, 0)
    assert [data for _, data in kinesis.records] == [b"1", b"{}", b"{}", b"4"]
    (create, _), (_, first), (marked, noted), (_, second), (_, noted_next), _ = trino.executed
    assert create.count("create table if not exists") == 1
    assert 'update "lake"."clickstream"."rejects"' in marked
    assert [noted[1:], noted_next[1:]] == [[RUN, "A", "B"], [RUN, "C"]]
    assert before <= noted[0] <= datetime.now(UTC)
    assert before <= first[0] <= datetime.now(UTC)
    assert second == [first[0], HOUR, HOUR, "B"]


@pytest.mark.promise("P8")
def test_the_asked_time_is_bound_and_never_later_than_now(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino()
    start, end = "2026-11-24T05:00:00+09:00", "2026-11-24T06:00:00+09:00"

    redrive(task, "rejects", **{"from": start, "to": end})
    redrive(task, "rejects", to="2999-01-01T00:00:00Z")

    asked, later = (parameters for text, parameters in trino.executed if "order by rejected_at" in text)
    assert asked == [datetime.fromisoformat(end), *[datetime.fromisoformat(start)] * 2, ""]
    assert later[0] <= datetime.now(UTC)


def test_lines_that_cannot_be_sent_are_left_without_a_note(task, kinesis, connect_trino: ConnectTrino) -> None:
    rows = [reject("A", "", "blank"), reject("B", "\ufffd", "not_json"), reject("C", "x" * (MAX_RECORD_BYTES + 1))]
    trino = connect_trino(pages(rows))

    assert redrive(task, "rejects") == counts(3, 0, 0, 3)
    assert kinesis.records == []
    assert [text for text, _ in trino.executed if text.startswith("update") or "\nupdate" in text] == []


def test_a_dry_run_reads_every_page_and_notes_nothing(task, kinesis, connect_trino: ConnectTrino) -> None:
    trino = connect_trino(pages([reject("A", "1")], [reject("B", "2")]))

    assert redrive(task, "rejects", dry_run=True) == counts(2, 2, 0, 0)
    assert kinesis.records == []
    assert [text for text, _ in trino.executed if "\nupdate" in text] == []


def test_nothing_is_noted_before_it_is_sent(task, kinesis, connect_trino, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clickstream.aws.kinesis.ATTEMPTS", 1)
    trino = connect_trino(pages([reject("A", "1")]))
    kinesis.refusals = [1]

    with pytest.raises(PutError):
        redrive(task, "rejects")
    assert [text for text, _ in trino.executed if "\nupdate" in text] == []


def test_a_conflict_at_the_note_is_tried_again_and_sends_nothing_twice(
    task, kinesis, connect_trino: ConnectTrino
) -> None:
    trino = connect_trino(pages([reject("A", "1")]) | {"update": [query_error("ICEBERG_COMMIT_ERROR"), []]})

    assert redrive(task, "rejects") == counts(1, 1, 1, 0)
    assert [data for _, data in kinesis.records] == [b"1"]
    assert len([text for text, _ in trino.executed if "\nupdate" in text]) == 2


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("processing-failed", "CLICKSTREAM_RAW_BUCKET"),
        ("processing-failed", "CLICKSTREAM_STREAM"),
        ("refused", "CLICKSTREAM_RAW_BUCKET"),
        ("rejects", "CLICKSTREAM_STREAM"),
    ],
)
def test_a_setting_that_only_this_dag_needs_is_named(
    task, s3, connect_trino: ConnectTrino, monkeypatch: pytest.MonkeyPatch, source: str, name: str
) -> None:
    monkeypatch.delenv(name)
    trino = connect_trino()

    with pytest.raises(SettingsError, match=name):
        redrive(task, source)
    assert (trino.executed, s3.calls) == ([], [])


def test_a_kill_cancels_the_question_and_sends_nothing(task, kinesis, connect_trino: ConnectTrino) -> None:
    operator = task("redrive_failed", "redrive_rejects")
    operator.on_kill()

    def killed(_: FakeCursor) -> Rows:
        operator.on_kill()
        raise cancelled()

    trino = connect_trino({"order by rejected_at": [killed]})

    with pytest.raises(Exception, match="USER_CANCELED"):
        operator.execute(context(operator, "manual", conf={"source": "rejects", "dry_run": False}))
    assert trino.cursors[-1].is_cancelled
    assert kinesis.records == []
