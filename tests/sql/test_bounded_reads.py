"""What runs every hour reads a bounded part of each table that grows: Trino says so of every statement.

EXPLAIN (TYPE IO) names the tables that a statement reads and what of them:
https://trino.io/docs/current/sql/explain.html
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clickstream.engine.query import Result
from clickstream.engine.sql import Statement, literal
from clickstream.plan.file import parse_plan
from tests.machine import Machine, scratch_lake

FOLDER = Path(__file__).parent / "odd_values"
NO_READS = ("create.sql", "create_table.sql", "drop.sql", "columns.sql", "comments.sql", "comment_table.sql")
PARTITIONED = {
    "events": "received_at",
    "rejects": "staged_at",
    "load_ledger": "staged_at",
    "discards": "received_at",
    "violations": "received_at",
    "sessions": "started_at",
    "word_chosen": "received_at",
}
"""The tables that grow, and one of a single event, by the column that they are partitioned by."""


def written_out(statement: Statement) -> str:
    """The statement with its values in its text: EXPLAIN takes no parameter."""
    values = iter(statement.parameters)
    token = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|\?"
    return re.sub(token, lambda found: _written(next(values)) if found[0] == "?" else found[0], statement.text)


def _written(value: Any) -> str:
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, datetime):
        return f"timestamp '{value.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'microseconds')} UTC'"
    return "null" if value is None else str(value).lower()


@pytest.fixture(scope="module")
def hourly(machine: Machine) -> list[tuple[Statement, list[dict[str, Any]]]]:
    """The statements of a second load and of the sessions after it, with what each reads."""
    lake = scratch_lake(machine)
    plan = parse_plan((FOLDER / "plan.yaml").read_text(encoding="utf-8"), "plan.yaml")
    lines = (FOLDER / "events.ndjson").read_bytes()
    lake.stage("20261128T110000000Z-a.ndjson", lines)
    lake.load("run-1", plan=plan)
    lake.model("model-1")
    lake.stage("20261128T120000000Z-a.ndjson", lines.replace(b'"messageId":"', b'"messageId":"2') + b"no json\n")
    run, read = lake.runner.run, list[tuple[Statement, list[dict[str, Any]]]]()

    def explained(statement: Statement) -> Result:
        if not statement.path.endswith(NO_READS):
            (row,) = run(Statement(f"explain (type io, format json) {written_out(statement)}")).rows
            read.append((statement, json.loads(row["Query Plan"])["inputTableColumnInfos"]))
        return run(statement)

    lake.runner.run = explained  # type: ignore[method-assign]
    lake.load("run-2", plan=plan)
    lake.model("model-2")
    lake.run("lake/load_ledger/loaded_paths.sql", staged_since=datetime(2026, 11, 27, tzinfo=UTC))
    lake.run("lake/events/newest.sql", now=datetime.now(UTC))
    return read


def unbounded(read: list[dict[str, Any]]) -> Iterator[str]:
    """The tables of which a statement reads all times."""
    for one in read:
        table = one["table"]["schemaTable"]["table"]
        bound = {column["columnName"] for column in one["constraint"].get("columnConstraints", [])}
        if table in PARTITIONED and not one["constraint"]["none"] and PARTITIONED[table] not in bound:
            yield table


@pytest.mark.promise("P10")
def test_what_runs_hourly_reads_a_bounded_part_of_what_grows(
    hourly: list[tuple[Statement, list[dict[str, Any]]]],
) -> None:
    found = {(statement.path, table) for statement, read in hourly for table in unbounded(read)}

    assert found == set()
    read_of = {one["table"]["schemaTable"]["table"] for _, read in hourly for one in read}
    assert set(PARTITIONED) <= read_of
