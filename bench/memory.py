"""How much memory a load and its sessions take on a Trino with a heap of 2 GB: what is large in a way of its own."""

import gzip
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench.cluster import trino_of_heap
from bench.declared_events import USUAL_EVENTS, Case, plan_of
from bench.effort import Effort
from bench.load import stage
from bench.measure import trino_processes
from bench.messages import Sample, recent_hour, write_sample
from clickstream.engine.query import Result
from clickstream.engine.sql import Statement
from local.lake.machine import Machine, scratch_lake
from local.processes import resident_bytes

HEAP_GB = 2


@dataclass(frozen=True)
class Sizes:
    """How large each case is."""

    json_bytes: int
    hours: int
    events: int
    names: int


def run(machine: Machine, effort: Effort, say: Callable[[str], None]) -> dict[str, Any]:
    """Load each case and model its sessions, once. Raises AssertionError when a message is missing."""
    sizes = effort.choose(Sizes(10**6, 24, 1_000, 5), Sizes(10**8, 240, 10**5, 100), Sizes(10**9, 720, 5 * 10**5, 500))
    rows = []
    with trino_of_heap(machine, HEAP_GB) as own, tempfile.TemporaryDirectory(prefix="clickstream-bench-") as place:
        for case, names, sample in _cases(Path(place), sizes):
            rows.append(_measured(own, case, names, sample))
            say(", ".join(f"{name}: {value}" for name, value in rows[-1].items()))
    return {"title": f"Memory, with a heap of {HEAP_GB} GB", "about": {"heap GB": HEAP_GB}, "rows": rows}


def _cases(folder: Path, sizes: Sizes) -> Iterator[tuple[str, int, Sample]]:
    """Yield the name of each case, how many events the plan declares, and its messages."""
    hour = recent_hour()
    yield f"{sizes.json_bytes / 1e6:g} MB in an hour", USUAL_EVENTS, _written(folder, sizes.json_bytes, hour)
    yield f"{sizes.hours} hours in one object", USUAL_EVENTS, _hours(folder, sizes.hours, hour)
    yield f"{sizes.events:,} events of one visitor", USUAL_EVENTS, _visitor(folder, sizes.events, hour)
    yield f"{sizes.names} event names", sizes.names, _written(folder, 5 * 10**6, hour, sizes.names)


def _written(folder: Path, json_bytes: int, hour: datetime, names: int = USUAL_EVENTS) -> Sample:
    own = folder / f"{json_bytes}-{names}"
    own.mkdir()
    return write_sample(own, json_bytes, names, hour)


def _hours(folder: Path, hours: int, last: datetime) -> Sample:
    """Return hours in a row in one object: the members of a gzip file are read one after another."""
    parts = []
    for number in range(hours):
        own = folder / f"hour-{number}"
        own.mkdir()
        parts.append(write_sample(own, 50_000, USUAL_EVENTS, last - timedelta(hours=number), number * 10**6))
    path = folder / "hours.ndjson.gz"
    path.write_bytes(b"".join(file.read_bytes() for part in parts for file in part.objects))
    return _of(path, sum(part.messages for part in parts), sum(part.json_bytes for part in parts))


def _visitor(folder: Path, events: int, hour: datetime) -> Sample:
    """Return a day of one visitor, who may be a test of a sender."""
    path, day, total = folder / "visitor.ndjson.gz", hour - timedelta(days=1), 0
    with gzip.open(path, "wb", compresslevel=1) as file:
        for number in range(events):
            at = (day + timedelta(days=number / events)).isoformat()
            message = {
                "messageId": f"visitor-{number}", "type": "track", "event": f"Bench {number % USUAL_EVENTS}",
                "anonymousId": "one", "timestamp": at, "receivedAt": at, "properties": {"quantity": number},
            }  # fmt: skip
            total += file.write(json.dumps(message).encode() + b"\n")
    return _of(path, events, total)


def _of(path: Path, messages: int, json_bytes: int) -> Sample:
    return Sample((path,), messages, json_bytes, path.stat().st_size)


def _measured(machine: Machine, case: str, names: int, sample: Sample) -> dict[str, Any]:
    lake = scratch_lake(machine)
    largest = Result([], "", 0, 0, 0), ""
    run_once = lake.runner.run_unchecked

    def noted(statement: Statement) -> Result:
        nonlocal largest
        result = run_once(statement)
        largest = max(largest, (result, statement.path), key=lambda one: one[0].peak_bytes)
        return result

    lake.runner.run_unchecked = noted  # type: ignore[method-assign]
    stage(lake, sample)
    report = lake.load("run", plan=plan_of(Case(names, names, names)))
    lake.model("model")
    assert (report.adds_up, report.rows_loaded) == (True, sample.messages), report
    return {
        "case": case,
        "messages": sample.messages,
        "MB of JSON": round(sample.json_bytes / 1e6, 1),
        "MB of the largest statement": round(largest[0].peak_bytes / 1e6),
        "which": largest[1],
        "MB of Trino's process": round(sum(map(resident_bytes, trino_processes(machine.places))) / 1e6),
    }
