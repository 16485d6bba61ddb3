"""The steps of one load after its objects were taken and unpacked. Operators, tests and bench run these.

`run` runs a file of include/sql with values; `values` are those of values_of_run and, once the load is unpacked, of
clickstream.load.parts.values_of.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from trino.exceptions import TrinoQueryError

from clickstream.engine.evolution import Run
from clickstream.engine.query import Result
from clickstream.engine.spent import Spent
from clickstream.load import preview as previews
from clickstream.load import report as reports
from clickstream.load.cost import RECENT, dollars, rates_of, read_prices
from clickstream.load.drift import SHAPES_READ, Drift, SchemaChange
from clickstream.load.left_out import left_out, run_step
from clickstream.load.objects import LoadObjects
from clickstream.load.preview import Preview
from clickstream.load.report import RunReport
from clickstream.plan.file import TrackingPlan
from clickstream.sessions.model import rules_of
from clickstream.settings import Settings
from clickstream.staging.glue_schema import MOST_KEYS

PART_BY = {"events": "hours", "rejects": "objects", "discards": "days", "load_ledger": "objects"}
"""The tables that a load writes with one statement a part, and what it is divided by: see clickstream.load.parts."""


def values_of_run(run_id: str, now: datetime, settings: Settings) -> dict[str, Any]:
    """Return what every file of include/sql that a DAG runs may use."""
    return {
        "run_id": run_id,
        "now": now,
        "archive_integration": settings.archive_integration,
        "rules": rules_of(settings),
        "limits": settings,
        "change_limit": settings.schema_changes_max,
        "shape_limit": SHAPES_READ,
    }


def load_table(run: Run, objects: LoadObjects, table: str, values: Mapping[str, Any]) -> list[Result]:
    """Load one of the tables of PART_BY, part by part, less the messages with which that fails: see run_step.

    Nothing is run for a table for which the batch has nothing.
    """
    if table in values["manifest"].idle:
        return []

    def step(run: Run) -> list[Result]:
        return [run(f"lake/{table}/load.sql", **{**values, **part}) for part in values["parts"][PART_BY[table]]]

    results: list[Result] = run_step(run, objects, table, step, values)
    return results


def record_schema_changes(run: Run, objects: LoadObjects, values: Mapping[str, Any]) -> Drift:
    """Record the keys and types that the batch has and no load has met; nothing is written when nothing is new.

    Less the messages with which that fails: see run_step.
    """
    drift: Drift = run_step(run, objects, "schema_changes", lambda run: _record_schema_changes(run, values), values)
    return drift


def _record_schema_changes(run: Run, values: Mapping[str, Any]) -> Drift:
    found = run("lake/schema_changes/find.sql", **values).rows[0]
    left = found["new_count"]
    if left:
        run("lake/schema_changes/load.sql", **values)
        left = run("lake/schema_changes/find.sql", **values).rows[0]["new_count"]
    recorded = run("lake/schema_changes/of_run.sql", **values).rows
    return Drift(
        tuple(SchemaChange(**row) for row in recorded),
        changes_left=left,
        shapes_left=max(0, found["shape_count"] - SHAPES_READ),
    )


def keys_met(run: Run) -> list[str]:
    """Return the top-level keys that loads have met in messages, at most MOST_KEYS; none before the first load."""
    try:
        rows = run("lake/schema_changes/top_level_keys.sql", key_limit=MOST_KEYS).rows
    except TrinoQueryError as error:
        if error.error_name != "TABLE_NOT_FOUND":
            raise
        return []
    return [row["member_key"] for row in rows]


def preview(run: Run, values: Mapping[str, Any], plan: TrackingPlan) -> Preview:
    """Work out what the load would do; nothing is written."""
    row = run("work/batch/preview.sql", **values).rows[0]
    taken = values["manifest"]
    return replace(
        previews.preview_from_row(taken, row, plan, _sessions_touched(run, values)),
        forecast_dollars=forecast(run, values, sum(taken.bytes)),
    )


def _sessions_touched(run: Run, values: Mapping[str, Any]) -> int:
    try:
        touched: int = run("lake/sessions/touched.sql", **values).rows[0]["sessions"]
    except TrinoQueryError as error:
        if error.error_name != "TABLE_NOT_FOUND":
            raise
        return 0
    return touched


def forecast(run: Run, values: Mapping[str, Any], size: int) -> float | None:
    """Return the dollars of a run over `size` bytes, by the other runs of RECENT; None when there are none."""
    try:
        rows = run("lake/load_runs/rates.sql", **values, costs_since=values["now"] - RECENT).rows
    except TrinoQueryError as error:
        if error.error_name not in ("TABLE_NOT_FOUND", "COLUMN_NOT_FOUND"):
            raise
        return None
    rates = rates_of(rows[0])
    return None if rates is None else rates.forecast(size)


def report(
    run: Run, values: Mapping[str, Any], spent: Spent, compare: bool = False, seconds: float | None = None
) -> RunReport:
    """Count what the run did and spent, and store it in `load_runs`. The report may not add up.

    `compare`: forecast its cost too, by the runs before it. `seconds`: since the run began, if that is known.
    """
    row = run("lake/load_ledger/report.sql", **values).rows[0]
    delays = run("lake/events/lateness.sql", **values).rows[0]["rows_by_delay"]
    violations = run("lake/violations/by_event.sql", **values).rows[0]["violations_by_event"]
    failed = {**values["manifest"].tables_failed, **left_out(run, values["run_id"])}
    counted = reports.report_from_row(values["run_id"], row, delays, violations)
    counted = replace(
        counted,
        tables_failed=failed,
        spent=spent,
        dollars=dollars(spent, values["limits"].is_athena, read_prices()),
        forecast_dollars=forecast(run, values, counted.bytes) if compare else None,
        seconds=seconds,
    )
    run("lake/load_runs/load.sql", **values, report=counted)
    return counted
