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
from clickstream.engine.retention import kept_since
from clickstream.engine.sql import Statement, TableNames, literal
from clickstream.plan.file import TrackingPlan, parse_plan
from clickstream.sessions.model import rules_of
from clickstream.status.look import look
from clickstream.upkeep.checks import check_paths
from clickstream.watch.alarms import ARRIVALS_FOR, LOOK_BACK, NEAR_END, RECONCILED_SINCE, KeptAlarm, WatchFigures
from clickstream.window import DAY, INSTANT, Bounds
from local.lake.machine import Machine, scratch_lake
from local.lake.scratch import ScratchLake

FOLDER = Path(__file__).parent / "odd_values"
ALL = parse_plan((FOLDER / "plan.yaml").read_text(encoding="utf-8"), "plan.yaml")
# One event stands for all: their tables are filled by one file.
PLAN = TrackingPlan(tuple(event for event in ALL.events if event.table == "word_chosen"))
CHECKS = check_paths(TableNames.LOAD_TABLES + TableNames.SESSION_TABLES)
BOUND_BY = {
    "events": "received_at",
    "rejects": "staged_at",
    "load_ledger": "staged_at",
    "discards": "received_at",
    "violations": "received_at",
    "sessions": "started_at",
    **{event.table: "received_at" for event in PLAN.live},
    "load_runs": "reported_at",
    "session_runs": "modelled_at",
    "archive_reconciliations": "received_hour",
}
"""The tables that grow, by the column that bounds what is read of them: that of their
partitions, or in a table without any the time of a row."""

RECEIVED_ON = datetime(2026, 11, 28, tzinfo=UTC)

OLDEST = "2026-10-25"
"""The messages are of 2026-11-28: a load looks for duplicates of the 30 days before, and sessions may be a day longer.
A statement that reads what is older is not bounded, whatever its constraint says."""

OF_A_RUN = "One row a run. It is looked for by the run's id, for a run that is cleared may have any age."
READ_WHOLE = {
    ("lake/load_runs/load.sql", "load_runs"): OF_A_RUN,
    ("lake/load_runs/checks/report_is_stored_once.sql", "load_runs"): OF_A_RUN,
    ("lake/load_ledger/any.sql", "load_ledger"): "One row is enough. Run only when nothing has come for over a week.",
    ("lake/session_runs/bounds.sql", "session_runs"): OF_A_RUN,
    ("lake/rejects/ending.sql", "rejects"): "The oldest two weeks: maintain_tables removes what is older than those.",
}
"""Why a statement may read all of a table that grows."""

SMALL = {
    "alarms": "One row an alarm: those that are open have any age.",
    "quarantine": "One row an object that was set aside. What is there is not loaded, whatever its age.",
    "schema_changes": "One row a key and type, each once: a key is new when no row has it.",
    "plan_diff": "What differs now: a comparison replaces the one before.",
    "suppressions": "One row an id of an erased person. A load must know all of them.",
    "erasures": "One row an erasure.",
}
"""The tables that need no bound, and why."""

MAKES_NOTHING_TO_READ = (
    "create.sql",
    "create_table.sql",
    "show_lines.sql",
    "drop.sql",
    "columns.sql",
    "comments.sql",
    "comment_table.sql",
    "publish.sql",
)


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
    """The statements of a second load, of the sessions after it, of both checks and the watch, with what each reads."""
    lake = scratch_lake(machine)
    lines = (FOLDER / "events.ndjson").read_bytes()
    lake.stage("20261128T110000000Z-a.ndjson", lines)
    lake.load("run-1", plan=PLAN)
    lake.model("model-1")
    lake.stage("20261128T120000000Z-a.ndjson", lines.replace(b'"messageId":"', b'"messageId":"2') + b"no json\n")
    run, read = lake.runner.run_unchecked, list[tuple[Statement, list[dict[str, Any]]]]()

    def explained(statement: Statement) -> Result:
        if not statement.path.endswith(MAKES_NOTHING_TO_READ) and statement.path:
            (row,) = run(Statement(f"explain (type io, format json) {written_out(statement)}")).rows
            read.append((statement, json.loads(row["Query Plan"])["inputTableColumnInfos"]))
        return run(statement)

    lake.runner.run_unchecked = explained  # type: ignore[method-assign]
    lake.load("run-2", plan=PLAN)
    assert lake.check("run-2").failures == ()
    lake.model("model-2")
    assert lake.check("model-2", TableNames.SESSION_TABLES).failures == ()
    watch(lake)
    return read


def watch(lake: ScratchLake) -> None:
    """The statements of watch_pipeline, expire_staging and write_status; other tasks ask the first as well."""
    now = datetime.now(UTC)
    lake.run("lake/load_ledger/loaded_paths.sql", staged_since=datetime(2026, 11, 27, tzinfo=UTC))
    lake.run("lake/load_ledger/newest.sql", now=now, arrived_since=now - ARRIVALS_FOR)
    lake.run("lake/load_ledger/any.sql")
    lake.run("lake/events/newest.sql", now=now)
    lake.run("lake/load_runs/recent.sql", runs_since=now - LOOK_BACK)
    lake.run("lake/archive_reconciliations/hours.sql", window=Bounds(now - RECONCILED_SINCE, now))
    lake.run("lake/rejects/ending.sql", rejected_before=kept_since(now, 90) + NEAR_END)
    lake.run("lake/alarms/kept.sql", runs_since=now - LOOK_BACK)
    lake.run("lake/alarms/load.sql", alarm=KeptAlarm("dead_letters", "", "critical", "text", {}, now, now))
    lake.run("lake/alarms/checks/alarm_is_open_once.sql")
    rules = rules_of(lake.settings)
    look(lake.run, WatchFigures(now), rules, [], {}, None)
    # It reads moves only of a day that has sessions.
    day = Bounds(RECEIVED_ON, RECEIVED_ON + DAY - INSTANT)
    lake.run("lake/sessions/moves.sql", bounds=day, received=day, rules=rules, place_limit=12)


def unbounded(read: list[dict[str, Any]]) -> Iterator[str]:
    """The tables of which a statement reads all times."""
    for one in read:
        table = one["table"]["schemaTable"]["table"]
        bound = [
            all(part.get("low", {}).get("value", "") >= OLDEST for part in column["domain"]["ranges"])
            for column in one["constraint"].get("columnConstraints", [])
            if column["columnName"] == BOUND_BY.get(table)
        ]
        if table in BOUND_BY and not one["constraint"]["none"] and not any(bound):
            yield table


@pytest.mark.promise("P10")
def test_what_runs_hourly_reads_a_bounded_part_of_what_grows(
    hourly: list[tuple[Statement, list[dict[str, Any]]]],
) -> None:
    found = {(statement.path, table) for statement, read in hourly for table in unbounded(read)}

    assert found == READ_WHOLE.keys()
    assert {statement.path for statement, _ in hourly}.issuperset(CHECKS)
    read_of = {one["table"]["schemaTable"]["table"] for _, read in hourly for one in read}
    assert read_of.issuperset(BOUND_BY)
    work = re.compile(r"(batch|typed|rules|findings|session_(regions|steps|drafts))_[0-9a-f]{24}|lines")
    assert {table for table in read_of if not work.fullmatch(table)} - BOUND_BY.keys() <= SMALL.keys()
