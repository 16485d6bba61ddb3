"""The whole path, as a user walks it: Kinesis, Firehose, both Lambdas, crawler, patch, Airflow, Trino.

Airflow runs the day's crawl and load; what is then done with the day is done by the same tasks in this process.
What the tables must hold is worked out by the independent model from the records that were sent.
"""

import base64
import gzip
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clickstream.settings import Settings, load_settings
from local import pipeline
from local.lake.machine import Machine
from local.segment.events import generate_day
from tests.end_to_end.conftest import RunTasks
from tests.model.compare import compare, compare_rejects
from tests.model.expected import StagedFile, expected_tables, expected_transform, staged_file

SEED = 20261124
ODD_RECORDS = [
    b'{\n  "messageId": "pretty",\n  "type": "track",\n  "event": "Pretty Printed"\n}',
    b'{"messageId":"crlf","type":"track","event":"Line End"}\r\n',
    '{"messageId":"korean","type":"track","event":"상품 조회","properties":{"이름":"김치 🥬"}}'.encode(),
    b'{"messageId":"deep","properties":' + b'{"a":' * 250 + b"1" + b"}" * 250 + b"}",
    b'{"messageId":"latin-1","name":"caf\xe9"}',
    b'{"type":"track"}',
]

Quiet: Callable[[str], None] = lambda message: None  # noqa: E731


class Job:
    """The stack with one day sent and loaded."""

    def __init__(self, machine: Machine, run_tasks: RunTasks) -> None:
        machine.start_airflow()
        self.machine = machine
        self.run_tasks = run_tasks
        self.places = machine.places
        self.settings: Settings = load_settings(self.places.settings())
        self.records = [*generate_day(SEED, datetime.now(UTC), users=40), *ODD_RECORDS]
        self.send()
        self.report = pipeline.run_pipeline(self.places, Quiet)

    def send(self) -> None:
        """Send every record, and wait until all is staged."""
        pipeline.send(self.records, self.places, Quiet)
        pipeline.wait_until_staged(self.places, Quiet)

    def crawl_and_load(self) -> dict[str, Any] | None:
        """Crawl, and load what is staged; give the run report, None when nothing was to do."""
        self.run_tasks("crawl_staging")
        return self.run_tasks("load_events").returned.get("report")

    def objects(self, bucket: str, prefix: str) -> dict[str, bytes]:
        """The bodies of all objects under a prefix, by key."""
        s3 = self.machine.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def staged(self) -> list[StagedFile]:
        """What lies in staging, as the model reads it."""
        bucket = self.settings.staging_bucket
        objects = self.objects(bucket, self.settings.staging_prefix)
        return [staged_file(f"s3://{bucket}/{key}", body) for key, body in sorted(objects.items())]

    def query(self, statement: str) -> list[list[Any]]:
        """The rows of a statement."""
        return pipeline.query(self.places, statement)[1]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a typed table."""
        names, rows = pipeline.query(self.places, f"select * from lake.clickstream.{table}")
        return [dict(zip(names, row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def job(machine: Machine, run_tasks: RunTasks) -> Job:
    return Job(machine, run_tasks)


@pytest.mark.promise("P1", "P5")
def test_every_record_is_staged_byte_for_byte_or_refused_whole(job: Job) -> None:
    passed = Counter(line for record in job.records if (line := expected_transform(record)) is not None)
    refused = Counter(record for record in job.records if expected_transform(record) is None)

    staged = Counter(line + b"\n" for file in job.staged() for line in file.lines)
    failures = job.objects(job.places.settings()["CLICKSTREAM_RAW_BUCKET"], "processing-failed/")
    lines = [json.loads(line) for body in failures.values() for line in body.splitlines()]

    assert staged == Counter({line if line.endswith(b"\n") else line + b"\n": count for line, count in passed.items()})
    assert Counter(base64.b64decode(line["rawData"]) for line in lines) == refused
    assert len(refused) >= 4


@pytest.mark.promise("P1", "P5")
def test_tables_hold_what_the_model_says(job: Job) -> None:
    tables = expected_tables(job.staged())

    assert compare(tables.events, job.rows("events")) == []
    assert compare_rejects(tables.rejects, job.rows("rejects")) == []
    assert job.report is not None
    counts = [job.report[f"rows_{what}"] for what in ("read", "loaded", "duplicate", "rejected")]
    assert counts == [tables.line_count, len(tables.events), tables.duplicate_count, len(tables.rejects)]
    assert tables.duplicate_count > 0
    assert len(tables.rejects) > 0


def test_every_column_of_the_staging_table_is_text_and_structs_are_json(job: Job) -> None:
    types = job.query(
        "select column_name, data_type from staging.information_schema.columns "
        "where table_schema = 'clickstream_staging' and table_name = 'events_staging'"
    )
    assert {data_type for _, data_type in types} == {"varchar"}
    assert {"messageid", "context", "properties", "traits", "receivedat"} <= {name for name, _ in types}

    [[rows, objects]] = job.query(
        "select count(*), count_if(json_format(json_parse(context)) like '{%') "
        "from staging.clickstream_staging.events_staging where context is not null and messageid not in ('pretty')"
    )
    assert rows == objects > 500


def test_the_patched_table_and_the_load_read_the_same_values(job: Job) -> None:
    """The table for ad-hoc queries shows what `events` was loaded from, value by value."""
    differing = job.query(
        """
        with staged as (
            select messageid, anonymousid, type, event, properties, row_number() over (
                partition by messageid order by receivedat, "$path"
            ) as copy
            from staging.clickstream_staging.events_staging
            where messageid is not null
        )
        select events.message_id
        from lake.clickstream.events
        inner join staged on staged.messageid = events.message_id and staged.copy = 1
        where
            staged.anonymousid is distinct from events.anonymous_id
            or lower(staged.type) is distinct from events.type
            or staged.event is distinct from events.event_text
            or (
                starts_with(staged.properties, '{')
                and json_parse(staged.properties) is distinct from json_parse(events.properties)
            )
        """
    )
    [[joined]] = job.query(
        "select count(*) from lake.clickstream.events where message_id in "
        "(select messageid from staging.clickstream_staging.events_staging)"
    )
    assert differing == []
    assert joined == job.query("select count(*) from lake.clickstream.events")[0][0]


@pytest.mark.scenario("X30")
@pytest.mark.promise("P1", "P2")
def test_sending_all_again_adds_duplicates_and_nothing_else(job: Job) -> None:
    before = job.query("select count(*), count(distinct message_id) from lake.clickstream.events")
    rejects_before = len(job.rows("rejects"))

    job.send()
    report = job.crawl_and_load()

    assert report is not None
    assert report["rows_loaded"] == 0
    assert report["rows_duplicate"] == report["rows_read"] - report["rows_rejected"]
    assert job.query("select count(*), count(distinct message_id) from lake.clickstream.events") == before
    # A rejected line has no id: sent twice it is two lines, each with its address.
    assert len(job.rows("rejects")) == rejects_before + report["rows_rejected"]


@pytest.mark.promise("P2")
def test_running_again_with_nothing_new_loads_nothing(job: Job) -> None:
    before = job.query("select count(*) from lake.clickstream.load_ledger")

    assert job.crawl_and_load() is None
    assert job.query("select count(*) from lake.clickstream.load_ledger") == before


@pytest.mark.scenario("X17")
@pytest.mark.promise("P5")
def test_unreadable_objects_are_set_aside_whole_and_the_others_load(job: Job) -> None:
    s3, bucket = job.machine.client("s3"), job.settings.staging_bucket
    now = datetime.now(UTC)
    good, cut, plain, misnamed, empty = (
        f"staging/{now:%Y%m%dT%H%M%S}00{number}Z-{name}"
        for number, name in enumerate(["good.gz", "cut.gz", "plain.gz", "misnamed.json", "empty.gz"])
    )
    line = b'{"messageId":"beside-unreadable","type":"track"}\n'
    bodies = {
        good: gzip.compress(line),
        cut: gzip.compress(line * 5000)[:-12],
        plain: line,
        misnamed: gzip.compress(line),
        empty: b"",
    }
    for key, body in bodies.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body)

    # No crawl: of a folder with and without compression a crawler makes two tables.
    report = job.run_tasks("load_events").returned["report"]
    assert (report["objects"], report["rows_loaded"], report["rows_rejected"]) == (2, 1, 0)
    aside = {row["source_path"]: row for row in job.rows("quarantine")}
    assert aside.keys() == {f"s3://{bucket}/{key}" for key in (cut, plain, misnamed)}
    copies = job.objects(job.settings.lake_bucket, "quarantine/")
    for path, row in aside.items():
        copy = row["copy_path"].removeprefix(f"s3://{job.settings.lake_bucket}/")
        assert copies[copy] == bodies[path.removeprefix(f"s3://{bucket}/")]
        assert row["reason"]

    assert "report" not in job.run_tasks("load_events").returned
    for key in bodies:
        s3.delete_object(Bucket=bucket, Key=key)


@pytest.mark.scenario("X15")
@pytest.mark.promise("P4")
def test_only_loaded_objects_past_their_time_expire(job: Job) -> None:
    s3, bucket = job.machine.client("s3"), job.settings.staging_bucket
    old = datetime.now(UTC) - timedelta(
        hours=job.settings.staging_retention_hours + job.settings.expiry_grace_hours + 1
    )
    loaded, unloaded = (f"staging/{old:%Y%m%dT%H%M%S}{number}Z-old.gz" for number in ("000", "001"))
    s3.put_object(Bucket=bucket, Key=loaded, Body=gzip.compress(b'{"messageId":"old-1","type":"track"}\n'))
    job.crawl_and_load()
    s3.put_object(Bucket=bucket, Key=unloaded, Body=gzip.compress(b'{"messageId":"old-2","type":"track"}\n'))
    before = set(job.objects(bucket, "staging/"))

    assert job.run_tasks("expire_staging", {"dry_run": True}).returned["expire"] == {
        "expired": 1, "overdue": 1, "kept": len(before) - 1
    }  # fmt: skip
    assert set(job.objects(bucket, "staging/")) == before

    job.run_tasks("expire_staging")
    assert set(job.objects(bucket, "staging/")) == before - {loaded}
    assert job.query("select count(*) from lake.clickstream.events where message_id = 'old-1'") == [[1]]

    job.crawl_and_load()
    assert job.query("select count(*) from lake.clickstream.events where message_id = 'old-2'") == [[1]]
