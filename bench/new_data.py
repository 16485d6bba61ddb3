"""What an hourly load costs with more old data around it: in the staging folder, and in `events`."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.effort import Effort
from bench.load import stage
from bench.measure import Cost, Stopwatch, compared, trino_processes
from bench.messages import write_sample
from clickstream.engine.query import Result
from clickstream.engine.sql import quote
from local.lake.machine import Machine, scratch_lake
from local.lake.scratch import ScratchLake

OBJECTS_AN_HOUR = 20
MESSAGES_A_DAY = 5_000
PARTITIONS_A_STATEMENT = 8
"""Iceberg takes 100; each has a writer of its own, and all share the memory of one query."""


@dataclass(frozen=True)
class Case:
    """Hours of other objects in staging, days of messages in `events`."""

    staged_hours: int
    loaded_days: int

    @property
    def title(self) -> str:
        """As a row of the table is called."""
        return f"{self.staged_hours} h staged beside, {self.loaded_days} days in events"


CASES = (Case(1, 1), Case(24, 1), Case(240, 1), Case(1, 30), Case(1, 365))
QUICK_CASES = (Case(1, 1), Case(2, 3))


@dataclass(frozen=True)
class Measured:
    """One load: its cost, and what its two statements read."""

    cost: Cost
    object_bytes: int
    unpack: Result
    merge: Result


def run(machine: Machine, effort: Effort, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the same hour of messages into each of the cases.

    Raises AssertionError when a load reads more or less than its own objects, or loads other than its own messages.
    """
    cases, json_bytes, times = effort.choose((QUICK_CASES, 10**6, 1), (CASES, 20 * 10**6, 3), (CASES, 40 * 10**6, 5))
    found: dict[Case, list[Measured]] = {}
    unmeasured = effort.choose(0, 1, 1)
    for case in cases:
        lake = _lake(machine, case)
        loads = [_measure(machine, lake, json_bytes, number) for number in range(unmeasured + times)]
        found[case] = loads[unmeasured:]
        say(f"{case.title}: {[round(one.cost.seconds, 1) for one in found[case]]} s")
    bases = found[cases[0]]
    rows = [_row(case, found[case], bases) for case in cases]
    about = {"JSON bytes a load": json_bytes, "bytes of its objects": bases[0].object_bytes}
    return {"title": "A load, by the data that is there already", "about": about, "rows": rows}


def _lake(machine: Machine, case: Case) -> ScratchLake:
    """Return a lake with the old data of a case. What else is staged counts as loaded: the ledger has its objects."""
    lake = scratch_lake(machine)
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="clickstream-bench-") as place:
        sample = write_sample(Path(place), 2_500 * MESSAGES_A_DAY // 2, 20, now - timedelta(days=1))
        stage(lake, sample)
    values = lake.unpack("old", lake.take("old"))
    for table in ("events", "load_ledger"):
        lake.run(f"lake/{table}/load.sql", **values)
    lake.run("work/batch/drop.sql", **values)
    _repeat_days(lake, case.loaded_days)
    staged = now - timedelta(hours=2)
    for number in range(case.staged_hours * OBJECTS_AN_HOUR):
        lake.stage(f"{staged - timedelta(seconds=180 * number):%Y%m%dT%H%M%S}000Z-old.ndjson", b"{}\n")
    _count_as_loaded(lake)
    return lake


def _repeat_days(lake: ScratchLake, days: int) -> None:
    """Repeat the day that is there for each day before it."""
    names = [row["Column"] for row in lake.query(f"describe {lake.t.events}")]
    changed = {
        "message_id": "message_id || '-' || cast(day as varchar)",
        **{name: f"{quote(name)} - interval '1' day * day" for name in ("received_at", "timestamp")},
    }
    values = ", ".join(changed.get(name, quote(name)) for name in names)
    for first in range(1, days, PARTITIONS_A_STATEMENT):
        last = min(first + PARTITIONS_A_STATEMENT, days) - 1
        lake.query(
            f"insert into {lake.t.events} select {values} from {lake.t.events} "
            f"cross join unnest(sequence({first}, {last})) as listed (day) where message_id not like '%-%-%'"
        )


def _count_as_loaded(lake: ScratchLake) -> None:
    lake.query(
        f"insert into {lake.t.load_ledger} (source_path, run_id, rows_read, rows_loaded, rows_duplicate, "
        "rows_rejected, staged_at, loaded_at) select distinct \"$path\", 'beside', bigint '1', bigint '0', bigint '0', "
        f"bigint '1', current_timestamp(6), current_timestamp(6) from {lake.t.lines} where \"$path\" like '%old.ndjson'"
    )


def _measure(machine: Machine, lake: ScratchLake, json_bytes: int, number: int) -> Measured:
    """Load messages received in an hour of their own, the newest of all."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=12 - number)
    with tempfile.TemporaryDirectory(prefix="clickstream-bench-") as place:
        sample = write_sample(Path(place), json_bytes, 20, hour, first_id=(number + 1) * 10**6)
        stage(lake, sample)
    watch = Stopwatch(trino_processes(machine.places))
    run_id = f"new-{number}"
    with watch.step("load"):
        taken = lake.take(run_id)
        values = lake.unpack(run_id, taken)
        (merge,) = lake.load_table("events", values)
        lake.load_table("load_ledger", values)
    assert sum(taken.bytes) == sample.object_bytes, f"took {sum(taken.bytes)} bytes, {sample.object_bytes} are new"
    (row,) = lake.query(f"select count(*) as n from {lake.t.events} where load_run_id = '{run_id}'")
    assert row["n"] == sample.messages, f"{row['n']} of {sample.messages} messages were loaded"
    unpack = lake.last["work/batch/load.sql"]
    assert abs(unpack.read_bytes / sample.object_bytes - 1) < 0.05, (
        f"{unpack.read_bytes} of {sample.object_bytes} bytes"
    )
    lake.run("work/batch/drop.sql", **values)
    return Measured(watch.total(), sample.object_bytes, unpack, merge)


def _row(case: Case, found: list[Measured], bases: list[Measured]) -> dict[str, Any]:
    return {
        "case": case.title,
        "bytes read / bytes of the objects": [one.unpack.read_bytes / one.object_bytes for one in found],
        "MB read by MERGE": [one.merge.read_bytes / 1e6 for one in found],
        **compared([one.cost for one in found], [base.cost for base in bases]),
    }
