"""What a load costs: ours beside the straightforward SQL, DuckDB and Spark, on the same bytes."""

import functools
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench import ways
from bench.declared_events import USUAL_EVENTS, usual_plan
from bench.effort import Effort
from bench.measure import compared
from bench.messages import Sample, recent_hour, write_sample
from bench.ways import Made, Rows
from clickstream.plan.file import TrackingPlan
from local.lake.machine import Machine

SMALL_BYTES = 2 * 10**6
OURS = "Clickstream"
Way = Callable[[Path, Sample, TrackingPlan], Made]


def run(machine: Machine, effort: Effort, say: Callable[[str], None]) -> dict[str, Any]:
    """Run all ways on a small sample, compared row by row; then each size in rounds, each way once a round.

    Raises AssertionError when two ways produce other values.
    """
    hour = recent_hour()
    plan = usual_plan(effort.choose(4, USUAL_EVENTS, USUAL_EVENTS))
    all_ways = _ways(machine, hour)
    with tempfile.TemporaryDirectory(prefix="clickstream-bench-") as place:
        sample = _sample(Path(place) / "small", SMALL_BYTES, hour)
        made = {name: way(Path(place) / "small", sample, plan) for name, way in all_ways.items()}
        require_same_rows(made, ["events", *(event.table for event in plan.live)])
        found = {sample: {name: [one] for name, one in made.items()}}
        sizes = effort.choose([], [(40 * 10**6, 3), (200 * 10**6, 2)], [(40 * 10**6, 5), (10**9, 3)])
        if sizes:
            samples = [(_sample(Path(place) / f"{size}", size, hour), rounds) for size, rounds in sizes]
            found = {sample: _rounds(all_ways, sample, plan, rounds, say) for sample, rounds in samples}
    about = {
        f"{what}, {_megabytes(sample)}": count
        for sample in found
        for what, count in (("messages", sample.messages), ("object bytes", sample.object_bytes))
    }
    rows = [_row(name, made_so, sample) for sample, made_so in found.items() for name in made_so]
    return {"title": "A load, beside other ways", "about": about, "rows": rows}


def _megabytes(sample: Sample) -> str:
    return f"{sample.json_bytes / 1e6:.3g} MB" if sample.json_bytes < 10**9 else f"{sample.json_bytes / 1e9:.3g} GB"


def _ways(machine: Machine, hour: datetime) -> dict[str, Way]:
    ends = (hour, hour + timedelta(hours=1))
    return {
        OURS: lambda _, sample, plan: ways.ours(machine, sample, plan),
        "Trino, a function a column": lambda _, sample, plan: ways.naive(machine, sample, plan, ends),
        "DuckDB, to Parquet": functools.partial(ways.comparator, "duckdb_way.py"),
        "Spark, to Parquet": functools.partial(ways.comparator, "spark_way.py"),
    }


def _sample(folder: Path, json_bytes: int, hour: datetime) -> Sample:
    folder.mkdir(parents=True)
    return write_sample(folder, json_bytes, USUAL_EVENTS, hour)


def _rounds(
    all_ways: Mapping[str, Way], sample: Sample, plan: TrackingPlan, rounds: int, say: Callable[[str], None]
) -> dict[str, list[Made]]:
    found: dict[str, list[Made]] = {name: [] for name in all_ways}
    for number in range(rounds):
        for name, way in all_ways.items():
            with tempfile.TemporaryDirectory(prefix="clickstream-bench-") as place:
                made = way(Path(place), sample, plan)
                assert made.count("events") == sample.messages, f"{name}: {made.count('events')} of {sample.messages}"
            found[name].append(made)
            say(f"{number + 1}: {name}: {made.cost.seconds:.1f} s, {made.cost.cpu_seconds:.1f} s of CPU")
    return found


def require_same_rows(made: Mapping[str, Made], tables: Sequence[str]) -> None:
    """Require the same rows in every table, whichever way made it."""
    for table in tables:
        wanted = _by_id(made[OURS].rows(table))
        assert wanted, f"{table} is empty"
        for name, one in made.items():
            rows = _by_id(one.rows(table))
            assert rows.keys() == wanted.keys(), f"{table}: {name} has other messages"
            for key, row in rows.items():
                other = {
                    column: (value, wanted[key][column])
                    for column, value in row.items()
                    if value != wanted[key][column]
                }
                assert not other, f"{table}, {key}: {name} and {OURS} differ in {other}"


def _by_id(rows: Rows) -> dict[str, dict[str, Any]]:
    return {
        row["message_id"]: {name: _plain(name, value) for name, value in row.items() if name != "hour"} for row in rows
    }


def _plain(name: str, value: Any) -> Any:
    """Return a value in a form common to all engines: instants in microseconds, JSON text parsed."""
    if isinstance(value, datetime):
        return round(value.timestamp() * 1e6)
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.loads(value)
    return value


def _row(name: str, found: Mapping[str, Sequence[Made]], sample: Sample) -> dict[str, Any]:
    costs = [one.cost for one in found[name]]
    base = [one.cost for one in found[OURS]]
    row: dict[str, Any] = {
        "case": f"{_megabytes(sample)}: {name}",
        **compared(costs, base),
        "MB of JSON/s": [sample.json_bytes / 1e6 / cost.seconds for cost in costs],
    }
    steps = found[name][-1].steps
    return {
        **row,
        "steps": {step: {"seconds": cost.seconds, "CPU seconds": cost.cpu_seconds} for step, cost in steps.items()},
    }
