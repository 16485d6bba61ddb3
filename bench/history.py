"""What an hour reads with a year behind it: every statement of a load, of the sessions after it, and of the watch."""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.effort import Effort
from bench.load import stage
from bench.messages import recent_hour, write_sample
from clickstream.engine.query import Result
from clickstream.engine.sql import Statement, TableNames, quote
from clickstream.plan.file import TrackingPlan, read_plan
from clickstream.watch.alarms import ARRIVALS_FOR, LOOK_BACK
from local.lake.machine import Machine, scratch_lake
from local.lake.scratch import ScratchLake

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


def run(machine: Machine, effort: Effort, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure the same hour after each count of days: what each group of statements reads, and its growth."""
    days, json_bytes = effort.choose(((1, 3), 300_000), ((1, 90, 365), 2_000_000), ((1, 90, 365), 20_000_000))
    found: dict[int, dict[str, list[Result]]] = {}
    for count in days:
        found[count] = _hour(machine, count, json_bytes)
        say(f"{count} days behind: {sum(map(len, found[count].values()))} statements")
    rows = [_row(name, count, found) for name in found[days[0]] for count in days]
    return {"title": "An hour, by the days behind it", "about": {"JSON bytes an hour": json_bytes}, "rows": rows}


def _hour(machine: Machine, days: int, json_bytes: int) -> dict[str, list[Result]]:
    """Measure the statements of one hour, by their purpose, in a lake with so many days of such an hour."""
    lake, plan = scratch_lake(machine), read_plan()
    _load(lake, plan, json_bytes, recent_hour() - timedelta(days=1), "old")
    for table in TABLES:
        _repeat_days(lake, table, days)
    lake.stage(f"{datetime.now(UTC):%Y%m%dT%H%M%S}000Z-broken.ndjson", b"no json\n")
    groups: dict[str, list[Result]] = defaultdict(list)
    group, ran = "load_events", lake.runner.run

    def counted(statement: Statement) -> Result:
        result = ran(statement)
        if "create.sql" not in statement.path:
            groups[group].append(result)
        return result

    lake.runner.run = counted  # type: ignore[method-assign]
    _load(lake, plan, json_bytes, recent_hour(), "new", model=False)
    group = "its checks"
    assert lake.check("new").failures == ()
    group = "model_sessions"
    lake.model("new")
    group = "its checks "
    assert lake.check("new", TableNames.SESSION_TABLES).failures == ()
    group = "expire_staging, watch_pipeline"
    _watch(lake)
    return dict(groups)


def _load(
    lake: ScratchLake, plan: TrackingPlan, json_bytes: int, hour: datetime, run_id: str, model: bool = True
) -> None:
    with tempfile.TemporaryDirectory(prefix="clickstream-bench-") as place:
        first_id = int(hour.timestamp()) % 10**6 * 1_000
        stage(lake, write_sample(Path(place), json_bytes, 20, hour, first_id))
    assert lake.load(run_id, plan=plan).adds_up
    if model:
        lake.model(run_id)


def _repeat_days(lake: ScratchLake, table: str, days: int) -> None:
    """Repeat the rows of the first load for each day before it, under other keys and runs."""
    name, (run_id, key, times) = lake.t.lake(table), TABLES[table]
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


def _watch(lake: ScratchLake) -> None:
    now = datetime.now(UTC)
    lake.run("lake/load_ledger/loaded_paths.sql", staged_since=now - timedelta(days=1))
    lake.run("lake/load_ledger/newest.sql", now=now, arrived_since=now - ARRIVALS_FOR)
    lake.run("lake/events/newest.sql", now=now)
    lake.run("lake/load_runs/recent.sql", runs_since=now - LOOK_BACK)
    lake.run("lake/alarms/kept.sql", runs_since=now - LOOK_BACK)


def _row(name: str, days: int, found: dict[int, dict[str, list[Result]]]) -> dict[str, Any]:
    own, base = ([sum(figures) for figures in _figures(one[name])] for one in (found[days], found[min(found)]))
    heads = ("MB read", "rows read", "splits")
    cells = {head: [figure / 1e6 if head == "MB read" else figure] for head, figure in zip(heads, own, strict=True)}
    ratios = {f"{head}, ratio": [one / other] for head, one, other in zip(heads, own, base, strict=True) if other}
    return {"case": f"{name.strip()}, {days} days behind", **cells, **ratios}


def _figures(results: Iterable[Result]) -> Iterator[list[int]]:
    for name in ("read_bytes", "read_rows", "splits"):
        yield [getattr(result, name) for result in results]
