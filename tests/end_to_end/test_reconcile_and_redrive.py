"""What was missed is staged, and what was refused is loaded after all: on the real stack.

The tasks run in this process; Airflow is asked where its form or the command are what is tested.
The stack is that of the other end-to-end tests. Each test here has ids of its own, and the last leaves nothing to load.
"""

import base64
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from clickstream.settings import Settings, load_settings
from local import pipeline
from local.__main__ import app
from local.lake.machine import Machine
from tests.end_to_end.conftest import RunTasks


def quiet(_: str) -> None:
    """Reports nothing."""


class Job:
    """The stack, and what these tests do with it."""

    def __init__(self, machine: Machine, run_tasks: RunTasks) -> None:
        machine.start_airflow()
        self.run_tasks = run_tasks
        self.places = machine.places
        self.s3 = machine.client("s3")
        self.settings: Settings = load_settings(self.places.settings())
        self.raw: str = self.settings.raw_bucket

    def keys(self, bucket: str, prefix: str) -> set[str]:
        """All keys under a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return {item["Key"] for page in pages for item in page.get("Contents", [])}

    def body(self, key: str) -> bytes:
        """A raw object, unpacked."""
        body: bytes = self.s3.get_object(Bucket=self.raw, Key=key)["Body"].read()
        return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body

    def reconcile(self, form: dict[str, Any]) -> dict[str, int]:
        """Run reconcile_raw with that form; its counts."""
        counts: dict[str, int] = self.run_tasks("reconcile_raw", form).returned["reconcile"]
        return counts

    def redrive(self, source: str, start: datetime, dry_run: bool = False) -> dict[str, int]:
        """Run redrive_failed over what was refused since `start`."""
        params = {"source": source, "from": start.isoformat(), "to": None, "dry_run": dry_run}
        counts: dict[str, int] = self.run_tasks("redrive_failed", params).returned[
            f"redrive_{source.replace('-', '_')}"
        ]
        return counts

    def stage_and_load(self) -> None:
        """Wait for what is on its way, then load it."""
        pipeline.wait_until_staged(self.places, quiet)
        self.run_tasks("load_events")

    def loaded(self, prefix: str) -> list[str]:
        """The ids in `events` that begin so, each as often as it is there."""
        statement = f"select message_id from events where message_id like '{prefix}%' order by 1"
        return [row[0] for row in pipeline.query(self.places, statement)[1]]

    @contextmanager
    def without_notifications(self) -> Iterator[None]:
        """S3 tells nobody about new raw objects."""
        before = self.s3.get_bucket_notification_configuration(Bucket=self.raw)
        before.pop("ResponseMetadata")
        self.s3.put_bucket_notification_configuration(Bucket=self.raw, NotificationConfiguration={})
        try:
            yield
        finally:
            self.s3.put_bucket_notification_configuration(Bucket=self.raw, NotificationConfiguration=before)


@pytest.fixture(scope="module")
def job(machine: Machine, run_tasks: RunTasks) -> Job:
    return Job(machine, run_tasks)


@pytest.fixture
def start() -> datetime:
    """A time that all of a test's own comes after; S3's times are whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def message(message_id: str) -> bytes:
    return json.dumps({"messageId": message_id, "type": "track", "event": "Redriven", "userId": "r"}).encode()


def counts(**expected: int) -> dict[str, int]:
    return {"objects": 0, "read": 0, "sent": 0, "skipped": 0} | expected


def error_object(*records: bytes) -> bytes:
    lines = [json.dumps({"errorCode": "made", "rawData": base64.b64encode(record).decode()}) for record in records]
    return gzip.compress("".join(line + "\n" for line in lines).encode())


@pytest.mark.scenario("X25")
@pytest.mark.promise("P1")
def test_an_object_whose_event_was_lost_is_staged(job: Job) -> None:
    key, body = "raw/2026/11/24/07/missed événement 1+1.gz", gzip.compress(message("missed-1") + b"\n")
    with job.without_notifications():
        job.s3.put_object(Bucket=job.raw, Key=key, Body=body)
    written_at = job.s3.head_object(Bucket=job.raw, Key=key)["LastModified"]

    assert job.reconcile({}) == {"raw": 1, "overdue": 0, "sent": 0, "left": 0}
    assert job.keys(job.raw, "raw/") == {key}
    assert job.reconcile({"after_minutes": 0}) == {
        "raw": 1, "overdue": 1, "sent": 1, "left": 0
    }  # fmt: skip

    pipeline.wait_until_staged(job.places, quiet)
    bucket = job.settings.staging_bucket
    (staged,) = (name for name in job.keys(bucket, "staging/") if "missed" in name)
    assert staged.startswith(f"staging/{written_at:%Y%m%dT%H%M%S}")
    assert job.s3.get_object(Bucket=bucket, Key=staged)["Body"].read() == body
    assert job.reconcile({"after_minutes": 0})["raw"] == 0


def test_a_record_that_is_refused_again_has_a_new_address(job: Job, start: datetime) -> None:
    record = b'{"messageId":"redrive-deep","properties":' + b'{"a":' * 250 + b"1" + b"}" * 251
    before = job.keys(job.raw, "processing-failed/")
    pipeline.send([record], job.places, quiet)
    pipeline.wait_until_staged(job.places, quiet)
    (old,) = job.keys(job.raw, "processing-failed/") - before

    assert job.redrive("processing-failed", start, dry_run=True) == counts(objects=1, read=1)
    assert job.keys(job.raw, "processing-failed/") == before | {old}
    assert job.redrive("processing-failed", start) == counts(objects=1, read=1, sent=1)

    pipeline.wait_until_staged(job.places, quiet)
    (new,) = job.keys(job.raw, "processing-failed/") - before
    assert new != old
    assert base64.b64decode(json.loads(job.body(new))["rawData"]) == record
    assert old.replace("processing-failed/", "processing-failed-redriven/", 1) in job.keys(
        job.raw, "processing-failed-"
    )


def test_good_records_of_a_failed_batch_are_staged_and_a_damaged_object_stays(job: Job, start: datetime) -> None:
    good, damaged = "processing-failed/made/good.gz", "processing-failed/made/damaged.gz"
    # What the test before left behind may have the same second, and be refused once more.
    others = len(job.keys(job.raw, "processing-failed/"))
    job.s3.put_object(Bucket=job.raw, Key=good, Body=error_object(message("refused-1"), message("refused-2")))
    job.s3.put_object(Bucket=job.raw, Key=damaged, Body=error_object(message("refused-3"))[:-9])
    try:
        answer = job.redrive("processing-failed", start)
    finally:
        job.s3.delete_object(Bucket=job.raw, Key=damaged)

    assert answer["skipped"] == 1
    assert answer["sent"] == answer["read"] == answer["objects"]
    assert 2 <= answer["sent"] <= 2 + others
    assert good not in job.keys(job.raw, "processing-failed/")
    assert job.body("processing-failed-redriven/made/good.gz").count(b"\n") == 2
    assert "processing-failed-redriven/made/damaged.gz" not in job.keys(job.raw, "processing-failed-redriven/")


@pytest.mark.promise("P1")
def test_all_of_it_is_loaded_and_a_rejected_line_is_sent_once(job: Job, start: datetime) -> None:
    name = f"staging/{datetime.now(UTC):%Y%m%dT%H%M%S}000Z-joined.gz"
    lines = [message("joined-1") + message("joined-2"), b"\xc3"]
    job.s3.put_object(Bucket=job.settings.staging_bucket, Key=name, Body=gzip.compress(b"\n".join(lines)))
    job.stage_and_load()
    assert job.loaded("missed-") == ["missed-1"]
    assert job.loaded("refused-") == ["refused-1", "refused-2"]
    assert job.loaded("joined-") == []

    assert job.redrive("rejects", start, dry_run=True) == counts(objects=2, read=2, skipped=1)
    assert job.redrive("rejects", start) == counts(objects=2, read=2, sent=2, skipped=1)
    job.stage_and_load()
    assert job.loaded("joined-") == ["joined-1", "joined-2"]
    marks = "select reason, redriven_at is not null, redrive_run_id is not null from rejects "
    assert sorted(pipeline.query(job.places, f"{marks} where source_path like '%-joined.gz'")[1]) == [
        ["missing_newline", True, True],
        ["not_json", False, False],
    ]

    again = CliRunner().invoke(app, ["redrive", "--source", "rejects", "--from", start.isoformat(), "--no-dry-run"])
    assert again.output.splitlines()[-1] == "1 lines, 0 records read, 0 sent, 1 lines skipped"


@pytest.mark.parametrize("conf", [{"source": "everything"}, {"from": "yesterday'; drop"}])
def test_what_the_form_does_not_know_fails_at_once_in_the_form_or_in_the_task(job: Job, conf: dict[str, Any]) -> None:
    with pytest.raises(pipeline.LocalError, match="redrive_failed"):
        pipeline.redrive(job.places, {"source": "rejects", **conf}, quiet)
