"""A whole load, step by step as load_events runs it, with what each step costs."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from bench.measure import Stopwatch
from bench.messages import Sample
from clickstream.engine.query import QueryRunner, Result
from clickstream.engine.sql import Statement, render
from clickstream.load import steps
from clickstream.plan import typed_tables
from clickstream.plan.file import TrackingPlan
from local.lake.machine import Machine
from local.lake.scratch import ScratchLake


class Several:
    """Run a file of include/sql once for each of these values, several at a time, as the operator does."""

    def __init__(self, machine: Machine, lake: ScratchLake) -> None:
        self._lake = lake
        self._threads = lake.settings.typed_load_threads
        self._idle: list[QueryRunner] = [machine.runner() for _ in range(self._threads)]

    def __call__(self, path: str, many: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Wait for all; raise the first error."""
        with ThreadPoolExecutor(self._threads) as pool:
            done = [task.result() for task in [pool.submit(self._run, path, values) for values in many]]
        for statement in self._idle[0].undone(done):
            self._idle[0].run(statement)
        return {}

    def _run(self, path: str, values: Mapping[str, Any]) -> tuple[Statement, Result]:
        runner = self._idle.pop()
        try:
            statement = render(path, self._lake.settings, values)
            return statement, runner.run_unchecked(statement)
        finally:
            self._idle.append(runner)


def load_everything(lake: ScratchLake, several: Several, plan: TrackingPlan, watch: Stopwatch) -> None:
    """Load all that is staged, as load_events does it."""
    with watch.step("unpack"):
        values = lake.unpack("run", lake.take("run"))
    with watch.step("events"):
        lake.load_table("events", values)
    with watch.step("rejects, discards, schema changes, ledger"):
        lake.load_table("rejects", values)
        lake.load_table("discards", values)
        steps.record_schema_changes(lake.run, lake.objects, values)
        lake.load_table("load_ledger", values)
    given = {name: values[name] for name in ("run_id", "now")}
    with watch.step("tables of events: what is to be altered"):
        typed_tables.create_missing(lake.run, several, plan, lake.settings)
    with watch.step("tables of events: rows"):
        typed_tables.load(lake.run, several, plan, given, values["window"])
        typed_tables.clean_up(lake.run, given)


def stage(lake: ScratchLake, sample: Sample) -> None:
    """Put the objects of a sample into the staging folder."""
    for path in sample.objects:
        lake.stage(f"{datetime.now(UTC):%Y%m%dT%H%M%S}000Z-{path.name}", path.read_bytes())
