"""Messages of times far apart in one load: what is read lies around each of them, and nothing between.

EXPLAIN (TYPE IO) tells the times of each table that a statement reads: https://trino.io/docs/current/sql/explain.html
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from clickstream.engine.query import Result
from clickstream.engine.sql import Statement
from clickstream.upkeep.checks import check_paths
from local.lake.scratch import ScratchLake
from tests.sql.probe import PLAN
from tests.sql.test_bounded_reads import written_out

PARTITIONED = {"events", "discards", "violations", "probe"}
READING = ("load.sql", "load_properties.sql", "report.sql", "lateness.sql", "by_event.sql", "compare.sql")
BETWEEN = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


def line(message_id: str, received_at: str) -> str:
    sent = {"messageId": message_id, "type": "track", "event": "Probe", "properties": {"n": "no number"}}
    return json.dumps(sent | {"receivedAt": received_at, "sentAt": "no time"}) + "\n"


def instant(value: str) -> datetime:
    return datetime.fromisoformat(value.removesuffix(" UTC") + "+00:00")


def read_between(columns: list[dict[str, Any]]) -> Iterator[str]:
    """The tables of which a statement reads the year 2000."""
    for one in columns:
        table = one["table"]["schemaTable"]["table"]
        if table not in PARTITIONED or one["constraint"]["none"]:
            continue
        bounds = {column["columnName"]: column["domain"] for column in one["constraint"].get("columnConstraints", [])}
        ranges = bounds.get("received_at", {"ranges": []})["ranges"]
        if not ranges or any(
            ("value" not in found["low"] or instant(found["low"]["value"]) <= BETWEEN)
            and ("value" not in found["high"] or instant(found["high"]["value"]) >= BETWEEN)
            for found in ranges
        ):
            yield table


@pytest.mark.promise("P10")
@pytest.mark.scenario("X44")
def test_a_message_of_1970_costs_no_reading_of_all_times_since(lake: ScratchLake) -> None:
    lake.stage("20261128T110000000Z-a.ndjson", (line("m1", "2026-11-28T10:00:00Z") + "no json\n").encode())
    lake.load("run-1", plan=PLAN)
    both = line("old", "1970-01-01T00:00:00Z") + line("m1", "2026-11-28T11:00:00Z") + line("m2", "2026-11-28T11:00:00Z")
    lake.stage("20261128T120000000Z-b.ndjson", both.encode())
    run, read = lake.runner.run_unchecked, list[tuple[str, list[dict[str, Any]]]]()

    def explained(statement: Statement) -> Result:
        if "/checks/" in statement.path or statement.path.endswith(READING):
            (row,) = run(Statement(f"explain (type io, format json) {written_out(statement)}")).rows
            read.append((statement.path, json.loads(row["Query Plan"])["inputTableColumnInfos"]))
        return run(statement)

    lake.runner.run_unchecked = explained  # type: ignore[method-assign]
    values = lake.unpack("run-2", lake.take("run-2"))
    lake.run("work/batch/drop.sql", **values)
    report = lake.load("run-2", lake.take("run-2"), PLAN)
    for path in check_paths(["events"]):
        if path.endswith(("message_id_is_unique.sql", "rows_agree_with_the_ledger.sql")):
            assert lake.run(path, **values).rows == []

    assert (report.rows_loaded, report.rows_duplicate) == (2, 1)
    assert report.adds_up
    assert report.values_discarded == 4
    assert {(path, table) for path, columns in read for table in read_between(columns)} == set()
    assert {one["table"]["schemaTable"]["table"] for _, columns in read for one in columns} >= PARTITIONED
