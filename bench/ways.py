"""Ways from staged objects to `events` and a table for each event: ours, plain SQL, DuckDB and Spark."""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bench.load import Several, load_everything, stage
from bench.measure import Cost, Stopwatch, trino_processes
from bench.messages import Sample
from clickstream.engine.columns import Column, Columns, read_columns
from clickstream.engine.sql import SQL_DIR, Statement, literal, quote
from clickstream.plan import typed_tables
from clickstream.plan.event import Event, PropertyColumn, common_columns
from clickstream.plan.file import TrackingPlan
from local.lake.machine import Machine, scratch_lake
from local.lake.scratch import ScratchLake
from local.places import ENVIRONMENTS, java_home

COMPARATORS = Path(__file__).parent / "comparators"
LONGEST = 1800.0
"""Seconds after which a comparator is given up."""
MEMORY_GB = 4
Rows = list[dict[str, Any]]


@dataclass
class Made:
    """What one way made: its cost, whole and by step, and how to read a table of it: `events`, or that of an event."""

    cost: Cost
    rows: Callable[[str], Rows]
    count: Callable[[str], int]
    steps: Mapping[str, Cost] = field(default_factory=dict)


def compared_columns() -> list[Column]:
    """Return the columns of `events` that every way fills: those that stand at one place of the message."""
    return _columns().extracted


def common_names() -> list[str]:
    """Return the columns of `events` that every way copies into the table of an event."""
    filled = {column.name for column in compared_columns()}
    return [column.name for column in common_columns() if column.name in filled]


def ours(machine: Machine, sample: Sample, plan: TrackingPlan) -> Made:
    """Return the load as it is shipped."""
    lake = scratch_lake(machine)
    stage(lake, sample)
    several = Several(machine, lake)
    typed_tables.create_missing(lake.run, several, plan, lake.settings)
    watch = Stopwatch(trino_processes(machine.places))
    load_everything(lake, several, plan, watch)
    return _of_trino(lake, plan, watch, lambda name: lake.t.events if name == "events" else lake.t.typed(name))


def naive(machine: Machine, sample: Sample, plan: TrackingPlan, hour: tuple[datetime, datetime]) -> Made:
    """Load in the naive way: one function a column, over the same objects, with the same keys and partitions."""
    lake = scratch_lake(machine)
    stage(lake, sample)
    sql = _Naive(lake, hour)
    sql.create(plan)
    watch = Stopwatch(trino_processes(machine.places))
    with watch.step("events"):
        sql.load_events()
    with watch.step("tables of events: rows"):
        for event in plan.live:
            sql.load_event(event)
    return _of_trino(lake, plan, watch, sql.table)


def _of_trino(lake: ScratchLake, plan: TrackingPlan, watch: Stopwatch, table: Callable[[str], str]) -> Made:
    columns = {"events": [column.name for column in compared_columns()]}
    for event in plan.live:
        columns[event.table] = [*common_names(), *(column.name for column in event.columns)]

    def rows(name: str) -> Rows:
        return lake.query(f"select {', '.join(map(quote, columns[name]))} from {table(name)}")

    def count(name: str) -> int:
        return int(lake.query(f"select count(*) as n from {table(name)}")[0]["n"])

    return Made(watch.total(), rows, count, watch.steps)


class _Naive:
    """The statements of bench/sql on a lake."""

    def __init__(self, lake: ScratchLake, hour: tuple[datetime, datetime]) -> None:
        self._lake = lake
        folder = FileSystemLoader(Path(__file__).parent / "sql")
        self._files = Environment(loader=folder, undefined=StrictUndefined, autoescape=False)  # noqa: S701 - SQL
        self._files.filters |= {"quote": quote, "literal": literal}
        earliest, latest = (f"timestamp '{end:%Y-%m-%d %H:%M:%S} UTC'" for end in hour)
        self._given = {"staged": self._staged(), "earliest": earliest, "latest": latest}

    def table(self, name: str) -> str:
        settings = self._lake.settings
        return f"{quote(settings.lake_catalog)}.{quote(settings.lake_database)}.{quote('naive_' + name)}"

    def create(self, plan: TrackingPlan) -> None:
        """Create the tables beforehand, as the product does."""
        keys = list(_columns().top_level_keys)
        self._run("naive_staged", keys=keys, location=self._lake.t.staging_location)
        self._create("events", _event_columns(), "hour(received_at)")
        for event in plan.live:
            self._create(event.table, _typed_columns(event), "day(received_at)")

    def load_events(self) -> None:
        self._run("naive_events", events=self.table("events"), columns=_event_columns())

    def load_event(self, event: Event) -> None:
        table, events = self.table(event.table), self.table("events")
        self._run("naive_event", typed=table, events=events, event=event.slugs[0], columns=_typed_columns(event))

    def _create(self, name: str, columns: Sequence[Mapping[str, str]], partition: str) -> None:
        self._run("naive_create", table=self.table(name), columns=columns, partition=partition)

    def _staged(self) -> str:
        settings = self._lake.settings
        return f"{quote(settings.staging_catalog)}.{quote(settings.lines_database)}.{quote('naive_staged')}"

    def _run(self, file: str, **values: Any) -> None:
        text = self._files.get_template(f"{file}.sql").render({**self._given, **values})
        self._lake.runner.run(Statement(text))


def _columns() -> Columns:
    return read_columns(SQL_DIR / "lake" / "events" / "columns.yaml")


def _event_columns() -> list[dict[str, str]]:
    found = [_written(column.name, column.sql_type, _from_message(column)) for column in compared_columns()]
    slug = r"lower(regexp_replace(trim(event), '[^\p{L}\p{N}]+', '_'))"
    return [*found, _written("event", "varchar", slug)]


def _typed_columns(event: Event) -> list[dict[str, str]]:
    names = set(common_names())
    common = [_written(one.name, one.sql_type, quote(one.name)) for one in common_columns() if one.name in names]
    return [*common, *(_written(one.name, one.sql_type, _from_properties(one)) for one in event.columns)]


def _written(name: str, sql_type: str, expression: str) -> dict[str, str]:
    return {"name": name, "sql_type": sql_type, "expression": expression}


def _from_message(column: Column) -> str:
    first, *rest = (column.source or "").split(".")
    value = quote(first.lower())
    if rest:
        return _extracted(value, rest, column.sql_type, column.type)
    return _cast(value, column.sql_type)


def _from_properties(column: PropertyColumn) -> str:
    return _extracted("properties", column.keys, column.sql_type, column.type)


def _extracted(document: str, keys: Sequence[str], sql_type: str, kind: str) -> str:
    path = literal("$." + ".".join(keys))
    if kind == "json":
        return f"json_format(json_extract({document}, {path}))"
    return _cast(f"json_extract_scalar({document}, {path})", sql_type)


def _cast(value: str, sql_type: str) -> str:
    if sql_type == "varchar":
        return value
    if sql_type.startswith("timestamp"):
        return f"cast(try(from_iso8601_timestamp_nanos({value})) as {sql_type})"
    return f"try_cast({value} as {sql_type})"


def comparator(script: str, folder: Path, sample: Sample, plan: TrackingPlan) -> Made:
    """Another engine, in an environment and a process of its own, from local files to Parquet in that folder."""
    output = folder / script.removesuffix(".py")
    output.mkdir(parents=True)
    spec = output / "spec.json"
    spec.write_text(json.dumps(_spec(sample, plan, output)))
    used = json.loads(_python(script, str(spec)).splitlines()[-1])

    def place(name: str) -> str:
        return f"{output}/events/*/*.parquet" if name == "events" else f"{output}/{name}.parquet"

    def rows(name: str) -> Rows:
        return [json.loads(line) for line in _python("read_rows.py", place(name)).splitlines()]

    def count(name: str) -> int:
        return int(_python("read_rows.py", "--count", place(name)))

    return Made(Cost(used["seconds"], used["cpu_seconds"]), rows, count)


def _spec(sample: Sample, plan: TrackingPlan, output: Path) -> dict[str, Any]:
    event = plan.live[0]
    return {
        "objects": [str(path) for path in sample.objects],
        "output": str(output),
        "cores": psutil.cpu_count(),
        "memory": f"{MEMORY_GB}g",
        "columns": [
            {"name": column.name, "type": column.type, "keys": (column.source or "").split(".")}
            for column in compared_columns()
        ],
        "common": common_names(),
        "properties": [{"name": one.name, "type": one.type, "keys": one.keys} for one in event.columns],
        "names": {one.table: one.name for one in plan.live},
    }


def _python(script: str, *arguments: str) -> str:
    python = ENVIRONMENTS / "bench" / "bin" / "python"
    environment = {"JAVA_HOME": str(java_home()), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [python, COMPARATORS / script, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        env=environment,
    )
    if done.returncode:
        raise RuntimeError(f"{script} failed:\n{done.stderr[-4000:]}")
    return done.stdout
