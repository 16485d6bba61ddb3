"""What an hour costs with a year behind it: a load, its sessions, and what runs beside them."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.effort import Effort
from bench.load import stage
from bench.measure import Cost, Stopwatch, compared, trino_processes
from bench.messages import recent_hour, write_sample
from clickstream.engine.query import Result
from clickstream.engine.sql import Statement, TableNames, lake_tables, quote
from clickstream.plan.diff import USUAL_DAYS
from clickstream.plan.event import Event
from clickstream.plan.file import TrackingPlan, read_plan
from clickstream.plan.seen import look
from clickstream.upkeep.maintenance import SHORTEST_RETENTION_DAYS, maintain
from clickstream.watch.alarms import ARRIVALS_FOR, LOOK_BACK
from local.lake.machine import Machine, scratch_lake
from local.lake.scratch import ScratchLake

DAILY = ("compare_plan", "maintain_tables")
"""What runs once a day: a twenty-fourth of it is an hour's."""

DAYS_A_STATEMENT = 10
"""Partitions that one statement adds: each has a writer, and 60 of them went over the memory of a query."""

# The tables that grow: the column of the run, of the key, and those of times, which are a day earlier in each copy.
TABLES = {
    "events": ("load_run_id", "message_id", ("received_at", "timestamp")),
    "discards": ("load_run_id", "message_id", ("received_at", "discarded_at")),
    "violations": ("load_run_id", "message_id", ("received_at", "found_at")),
    "rejects": ("load_run_id", "reject_id", ("staged_at", "rejected_at")),
    "load_ledger": ("run_id", "source_path", ("staged_at", "loaded_at", "first_received_at", "last_received_at")),
    "sessions": ("created_run_id", "session_id", ("started_at", "ended_at", "first_received_at", "last_received_at")),
    "load_runs": ("run_id", "run_id", ("reported_at", "first_received_at", "last_received_at")),
    "session_runs": ("run_id", "run_id", ("modelled_at",)),
}


@dataclass
class Hour:
    """An hour in one lake: the cost of each DAG's work, and what its statements returned."""

    watch: Stopwatch
    results: dict[str, list[Result]] = field(default_factory=dict)

    @contextmanager
    def measured(self, lake: ScratchLake, name: str) -> Iterator[None]:
        """Count what the lake runs inside towards the work of this name."""
        results, run = self.results.setdefault(name, []), lake.runner.run

        def counted(statement: Statement) -> Result:
            results.append(run(statement))
            return results[-1]

        lake.runner.run = counted  # type: ignore[method-assign]
        try:
            with self.watch.step(name):
                yield
        finally:
            lake.runner.run = run  # type: ignore[method-assign]

    def megabytes(self, name: str) -> float:
        """Return the MB of data files that this work read."""
        return sum(result.read_bytes for result in self.results[name]) / 1e6


def run(machine: Machine, effort: Effort, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure hours after each count of days, in turn, and the growth of each DAG's cost."""
    days, json_bytes, rounds = effort.choose(
        ((1, 3), 300_000, 1), ((1, 90, 365), 2_000_000, 3), ((1, 90, 365), 20_000_000, 5)
    )
    plan = read_plan()
    lakes: dict[int, ScratchLake] = {}
    for count in days:
        lakes[count] = _lake(machine, plan, json_bytes, count)
        say(f"{count} days are in the tables")
    found: dict[int, list[Hour]] = {count: [] for count in days}
    # The first hour is not counted: Trino compiles, and maintenance compacts what the days were made of.
    for number in range(rounds + 1):
        for count in days:
            hour = _hour(machine, lakes[count], plan, json_bytes, number)
            found[count] += [hour] if number else []
            say(f"hour {number}, {count} days behind: {hour.watch.total().cpu_seconds:.1f} s of CPU")
    rows = [_row(name, count, found[count], found[days[0]]) for name in found[days[0]][0].results for count in days]
    rows += [_together(count, found[count], found[days[0]]) for count in days]
    return {"title": "An hour, by the days behind it", "about": {"JSON bytes an hour": json_bytes}, "rows": rows}


def _lake(machine: Machine, plan: TrackingPlan, json_bytes: int, days: int) -> ScratchLake:
    """Return a lake with so many days of one such hour."""
    lake = scratch_lake(machine)
    _stage(lake, json_bytes, recent_hour() - timedelta(days=1), 0)
    assert lake.load("old", plan=plan).adds_up
    lake.model("old")
    for table, (run_id, key, times) in TABLES.items():
        _repeat_days(lake, lake.t.lake(table), days, run_id, key, times)
    for event in _filled(lake, plan):
        _repeat_days(lake, lake.t.typed(event.table), days, "load_run_id", "message_id", ("received_at", "timestamp"))
    return lake


def _filled(lake: ScratchLake, plan: TrackingPlan) -> list[Event]:
    """Return the events whose tables are there."""
    found = {name for schema, name in lake.comments() if schema == lake.settings.events_database}
    return [event for event in plan.with_table if event.table in found]


def _repeat_days(lake: ScratchLake, name: str, days: int, run_id: str, key: str, times: tuple[str, ...]) -> None:
    """Repeat the rows of the first load for each day before it, under other keys and runs."""
    columns = [row["Column"] for row in lake.query(f"describe {name}")]
    changed = {column: f"{quote(column)} - interval '1' day * day" for column in times}
    changed |= {column: f"{column} || '-' || cast(day as varchar)" for column in (run_id, key)}
    values = ", ".join(changed.get(column, quote(column)) for column in columns)
    for first in range(1, days, DAYS_A_STATEMENT):
        last = min(first + DAYS_A_STATEMENT, days) - 1
        lake.query(
            f"insert into {name} select {values} from {name} "
            f"cross join unnest(sequence({first}, {last})) as listed (day) where {run_id} = 'old'"
        )


def _stage(lake: ScratchLake, json_bytes: int, hour: datetime, first_id: int) -> None:
    with tempfile.TemporaryDirectory(prefix="clickstream-bench-") as place:
        stage(lake, write_sample(Path(place), json_bytes, 20, hour, first_id))


def _hour(machine: Machine, lake: ScratchLake, plan: TrackingPlan, json_bytes: int, number: int) -> Hour:
    """Measure what runs for one hour of messages, and what runs once a day."""
    hour, run_id = Hour(Stopwatch(trino_processes(machine.places))), f"new-{number}"
    _stage(lake, json_bytes, recent_hour(), (number + 1) * 10**6)
    lake.stage(f"{datetime.now(UTC):%Y%m%dT%H%M%S}000Z-broken-{number}.ndjson", b"no json\n")
    with hour.measured(lake, "load_events"):
        assert lake.load(run_id, plan=plan).adds_up
        assert lake.check(run_id).failures == ()
    with hour.measured(lake, "model_sessions"):
        lake.model(run_id)
        assert lake.check(run_id, TableNames.SESSION_TABLES).failures == ()
    now = datetime.now(UTC)
    with hour.measured(lake, "expire_staging, watch_pipeline"):
        lake.run("lake/load_ledger/loaded_paths.sql", staged_since=now - timedelta(days=1))
        lake.run("lake/load_ledger/newest.sql", now=now, arrived_since=now - ARRIVALS_FOR)
        lake.run("lake/events/newest.sql", now=now)
        lake.run("lake/load_runs/recent.sql", runs_since=now - LOOK_BACK)
        lake.run("lake/alarms/kept.sql", runs_since=now - LOOK_BACK)
    with hour.measured(lake, "compare_plan"):
        look(lake.run, now - timedelta(days=USUAL_DAYS))
    with hour.measured(lake, "maintain_tables"):
        retention = timedelta(days=SHORTEST_RETENTION_DAYS)
        for name, table in lake_tables().items():
            maintain(lake.run, (lake.settings.lake_database, name), table.partitioned_by, now, retention)
        for event in _filled(lake, plan):
            typed = (lake.settings.events_database, event.table)
            maintain(lake.run, typed, event.description.partitioned_by, now, retention)
    return hour


def _row(name: str, days: int, own: list[Hour], base: list[Hour]) -> dict[str, Any]:
    costs, bases = ([hour.watch.steps[name] for hour in hours] for hours in (own, base))
    return {
        "case": f"{name}, {days} days behind",
        **compared(costs, bases),
        "MB read": [hour.megabytes(name) for hour in own],
    }


def _together(days: int, own: list[Hour], base: list[Hour]) -> dict[str, Any]:
    """Add up an hour's share of all of it."""
    costs, bases = ([_share(hour.watch.steps) for hour in hours] for hours in (own, base))
    return {"case": f"together, an hour's share, {days} days behind", **compared(costs, bases)}


def _share(steps: Mapping[str, Cost]) -> Cost:
    parts = [(cost, 24 if name in DAILY else 1) for name, cost in steps.items()]
    return Cost(*(sum(getattr(cost, of) / hours for cost, hours in parts) for of in ("seconds", "cpu_seconds")))
