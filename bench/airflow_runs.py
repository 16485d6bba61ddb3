"""What Airflow itself costs: reading the DAG files, and the seconds of a load in which Trino does nothing."""

import json
import subprocess
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from bench.effort import Effort
from clickstream.engine.sql import Statement
from local import pipeline, services
from local.airflow_api import Airflow
from local.lake.machine import Machine
from local.places import Places
from local.segment.events import generate_day

SEED = 7
USERS = 200
DAG = "load_events"
Span = tuple[float, float]
"""From when to when, in seconds since 1970."""


def run(machine: Machine, effort: Effort, say: Callable[[str], None]) -> dict[str, Any]:
    """Read all DAG files, load a generated day, and load nothing: each several times, once when quick."""
    times = effort.choose(1, 3, 5)
    machine.start_airflow()
    parsed = [_parse_seconds(machine.places) for _ in range(times)]
    days = [generate_day(SEED + number, datetime.now(UTC), USERS).records for number in range(times + 1)]
    load(machine, days[0])
    nothing: list[Sequence[bytes]] = [[]] * times
    rows: list[dict[str, Any]] = [{"case": "reading all DAG files", "seconds": parsed}]
    for case, batches in (("a load of a day's messages", days[1:]), ("a load of nothing", nothing)):
        found = []
        for records in batches:
            found.append(load(machine, records))
            say(f"{case}: {found[-1]['seconds']:.1f} s, {found[-1]['seconds without a query']:.1f} s without a query")
        figures = {key: [one[key] for one in found] for key in found[0] if key != "tasks"}
        rows.append({"case": case, **figures, "tasks": found[-1]["tasks"]})
    return {"title": "What Airflow costs", "about": {"messages of a day": len(days[-1])}, "rows": rows}


def _parse_seconds(places: Places) -> float:
    """Measure by Airflow's own report, in a process of its own."""
    command = ["airflow", "dags", "report", "--output", "json"]
    environment = services.airflow_environment(places)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=300)
    (report,) = [line for line in done.stdout.splitlines() if line.startswith("[{")]
    return sum(_seconds(file["duration"]) for file in json.loads(report))


def _seconds(duration: str) -> float:
    hours, minutes, seconds = duration.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def load(machine: Machine, records: Sequence[bytes]) -> dict[str, Any]:
    """Return one run of the load, of what was sent before: by the times that Airflow and Trino keep.

    `tasks` has from when to when each ran, in seconds since the first began.
    """
    places, airflow = machine.places, Airflow(machine.places)
    if records:
        pipeline.send(records, places, lambda _: None)
        pipeline.wait_until_staged(places, lambda _: None)
    run_id = airflow.trigger(DAG)
    airflow.wait(DAG, run_id, lambda _: None)
    tasks = [task for task in airflow.tasks(DAG, run_id) if task["start_date"]]
    spans = [(_stamp(task["start_date"]), _stamp(task["end_date"])) for task in tasks]
    whole = (min(start for start, _ in spans), max(end for _, end in spans))
    seconds = whole[1] - whole[0]
    busy = covered(within(whole, _queries(machine)))
    return {
        "seconds": seconds,
        "tasks run": sum(task["state"] == "success" for task in tasks),
        "seconds without a query": seconds - busy,
        "seconds in which no task runs": seconds - covered(spans),
        "tasks": {
            task["task_id"]: [start - whole[0], end - whole[0]] for task, (start, end) in zip(tasks, spans, strict=True)
        },
    }


def _queries(machine: Machine) -> list[Span]:
    text = (
        'select to_unixtime(created) as began, to_unixtime("end") as ended from system.runtime.queries '
        "where user = 'airflow' and state = 'FINISHED'"
    )
    return [(row["began"], row["ended"]) for row in machine.runner().run(Statement(text)).rows]


def _stamp(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def within(whole: Span, spans: Iterable[Span]) -> list[Span]:
    """Return the parts of these that lie inside the whole."""
    cut = [(max(start, whole[0]), min(end, whole[1])) for start, end in spans]
    return [span for span in cut if span[0] < span[1]]


def covered(spans: Iterable[Span]) -> float:
    """Return seconds in at least one of them."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
