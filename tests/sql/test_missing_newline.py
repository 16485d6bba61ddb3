"""Why the newline Lambda is there: what real Trino makes of Firehose's objects without it."""

import gzip
import json

import pytest

from clickstream.engine.query import QueryRunner
from clickstream.engine.sql import Statement
from clickstream_stream.records import to_lines
from local.lake.machine import Machine
from local.lake.scratch import ScratchLake

RECORDS = [json.dumps({"messageId": f"m{number}", "type": "track"}).encode() for number in range(50)]


def _read_as_json(machine: Machine, lake: ScratchLake, name: str) -> int:
    """Rows that the crawled table's SerDe finds, over the staging folder."""
    runner: QueryRunner = machine.runner()
    table = f"{lake.settings.staging_catalog}.{lake.settings.lines_database}.{name}"
    runner.run(
        Statement(
            f"create table {table} (messageid varchar) with (format = 'OPENX_JSON', "
            f"external_location = '{lake.settings.staging_location}')"
        )
    )
    rows: int = runner.run(Statement(f"select count(messageid) as n from {table}")).rows[0]["n"]
    return rows


def test_without_the_lambda_all_but_the_first_event_of_an_object_are_lost_silently(
    machine: Machine, lake: ScratchLake
) -> None:
    lake.stage("20261124T010203004Z-bypassed.gz", gzip.compress(b"".join(RECORDS)))
    assert _read_as_json(machine, lake, "json_rows") == 1


@pytest.mark.scenario("X19")
def test_with_the_lambda_every_event_is_a_row(machine: Machine, lake: ScratchLake) -> None:
    lake.stage("20261124T010203004Z-lines.gz", gzip.compress(b"".join(to_lines(record) for record in RECORDS)))
    assert _read_as_json(machine, lake, "json_rows") == len(RECORDS)


@pytest.mark.scenario("X19")
@pytest.mark.promise("P1")
def test_the_load_sees_the_missing_newline_and_keeps_the_line(lake: ScratchLake) -> None:
    lake.stage("20261124T010203004Z-bypassed.gz", gzip.compress(b"".join(RECORDS)))

    report = lake.load("run-1")

    assert report.rejected_by_reason == {"missing_newline": 1}
    assert lake.rows("rejects")[0]["line"].encode() == b"".join(RECORDS)
