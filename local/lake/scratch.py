"""A lake for one test: stage files, load them with the shipped SQL, read the tables."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from trino.exceptions import TrinoQueryError

from clickstream.aws.load_objects import AwsLoadObjects
from clickstream.engine.evolution import create_lines, create_tables
from clickstream.engine.query import QueryRunner, Result
from clickstream.engine.spent import Spent, of_result
from clickstream.engine.sql import LINES, Statement, TableNames, render
from clickstream.load import steps
from clickstream.load.manifest import Manifest
from clickstream.load.parts import values_of
from clickstream.load.preview import Preview
from clickstream.load.report import RunReport
from clickstream.load.request import LoadRequest
from clickstream.load.take import loaded_paths, take
from clickstream.load.unpack import unpack
from clickstream.plan import rebuild, typed_tables
from clickstream.plan.file import TrackingPlan, read_plan
from clickstream.sessions.model import SessionReport, model_pending, model_range, rules_of, starts_of_run
from clickstream.settings import Settings
from clickstream.upkeep.checks import Outcome, check_paths, check_tables
from clickstream.upkeep.views import View, event_views, live_from, load_views, outdated, session_views
from clickstream.window import Bounds, Window

EVER = Bounds(datetime(1970, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC))
"""For a run that another lake made."""


class ScratchLake:
    """Tables and a staging folder of one test. `t` has the table names."""

    def __init__(self, settings: Settings, s3: Any, glue: Any, runner: QueryRunner) -> None:
        self.settings = settings
        self.s3 = s3
        self.glue = glue
        self.runner = runner
        self.t = TableNames(settings)
        self.objects = AwsLoadObjects({"s3": s3, "glue": glue}.__getitem__, settings)
        self.last: dict[str, Result] = {}
        self._spent = Spent()
        self._has_session_views = False
        self._loads: dict[str, dict[str, Any]] = {}

    def create(self) -> "ScratchLake":
        """Make the tables that are missing; return the lake."""
        create_lines(self.run, LINES, self.settings)
        create_tables(self.run, TableNames.LAKE_TABLES, self.settings)
        return self

    def stage(self, name: str, body: bytes) -> str:
        """Put a staged object; return its path."""
        key = f"{self.settings.staging_prefix}{name}"
        self.s3.put_object(Bucket=self.settings.staging_bucket, Key=key, Body=body)
        return f"s3://{self.settings.staging_bucket}/{key}"

    def run(self, path: str, **values: Any) -> Result:
        """Run a file of include/sql; `last` has the latest result of each."""
        self.last[path] = self.runner.run(render(path, self.settings, values))
        self._spent += of_result(self.last[path])
        return self.last[path]

    def take(self, run_id: str) -> Manifest:
        """Return what is staged and not yet loaded, as a scheduled run takes it."""
        return self._take(run_id, LoadRequest())

    def take_all(self, run_id: str) -> Manifest:
        """Return all that is staged, loaded or not."""
        return Manifest(run_id, tuple(self.objects.staged()[0]))

    def take_range(self, run_id: str, window: Window, source: str = "auto", rebuild: bool = False) -> Manifest:
        """Return what a manual run with that range takes."""
        return self._take(run_id, LoadRequest(window, source, rebuild))

    def _take(self, run_id: str, request: LoadRequest) -> Manifest:
        return take(self.run, self.objects, run_id, request, self.settings, datetime.now(UTC))

    def load(self, run_id: str, taken: Manifest | None = None, plan: TrackingPlan | None = None) -> RunReport:
        """Run the steps of load_events, in its order; with a plan, also fill the tables of its events."""
        self._spent = Spent(tries=1)
        values = self.unpack(run_id, taken or self.take(run_id))
        self.load_table("events", values)
        values["manifest"] = self.objects.read_manifest(run_id) or values["manifest"]
        for table in ("rejects", "discards"):
            self.load_table(table, values)
        steps.record_schema_changes(self.run, self.objects, values)
        self.load_table("load_ledger", values)
        if plan:
            taken, windows = values["manifest"], [part["window"] for part in values["parts"]["days"]]
            filled = self._fill(run_id, plan, windows, taken.rebuild)
            values["manifest"] = replace(taken, tables_failed=filled.reasons)
        report = steps.report(self.run, values, self._spent)
        self.run("work/batch/drop.sql", **values)
        return report

    def load_table(self, table: str, values: Mapping[str, Any]) -> list[Result]:
        """Load one table from the batch."""
        return steps.load_table(self.run, self.objects, table, values)

    def preview(self, run_id: str, taken: Manifest) -> Preview:
        """Run the steps of a dry run, in its order."""
        values = self.unpack(run_id, taken)
        preview = steps.preview(self.run, values, read_plan())
        self.run("work/batch/drop.sql", **values)
        return preview

    def unpack(self, run_id: str, taken: Manifest) -> dict[str, Any]:
        """Run the steps up to the batch table; return the values that those after it take."""
        values = steps.values_of_run(run_id, datetime.now(UTC), self.settings)
        unpacked = unpack(self.run, self.objects, taken, values, self.settings)
        self._loads[run_id] = values_of(unpacked.manifest, timedelta(days=self.settings.dedupe_lookback_days))
        return values | self._loads[run_id]

    def publish_views(self) -> list[str]:
        """Run the step `publish_views` of load_events; return the names of the views that were made."""
        staged, _ = self.objects.staged()
        paths = loaded_paths(self.run, staged)
        return self._publish(load_views(self.settings, live_from(staged, paths, datetime.now(UTC), self.settings)))

    def publish_session_views(self) -> list[str]:
        """Run the step `publish_views` of model_sessions."""
        return self._publish(session_views(self.settings))

    def publish_event_views(self, plan: TrackingPlan) -> list[str]:
        """Run the step `publish_event_views` of load_events."""
        tables = {name for schema, name in self.comments() if schema == self.settings.events_database}
        return self._publish(event_views(self.settings, plan, tables))

    def _publish(self, views: Sequence[View]) -> list[str]:
        made = outdated(views, self.comments())
        for view in made:
            self.runner.run(view.statement)
        return [view.name for view in made]

    def comments(self) -> dict[tuple[str, str], str | None]:
        """Return the comment of each table and view, by schema and name."""
        schemas = [self.settings.lake_database, self.settings.events_database, self.settings.segment_database]
        found = self.run("runtime/comments.sql", catalog=self.settings.lake_catalog, schemas=schemas).rows
        return {(row["schema_name"], row["table_name"]): row["comment"] for row in found}

    def load_typed(self, run_id: str, plan: TrackingPlan, window: Bounds, again: bool = False) -> typed_tables.Filled:
        """Run the step `load_typed_events`, or the same for a range of `events` again."""
        return self._fill(run_id, plan, [window], again)

    def _fill(self, run_id: str, plan: TrackingPlan, windows: Sequence[Bounds], again: bool) -> typed_tables.Filled:
        values = {"run_id": run_id, "now": datetime.now(UTC)}
        return typed_tables.fill(self.run, self.run_each, plan, values, windows, again, self.settings)

    def rebuild(self, run_id: str, plan: TrackingPlan, window: Window, event: str = "") -> None:
        """Run the steps of rebuild_typed_events."""
        few = rebuild.chosen(plan, event)
        rebuild.require_current(self.run, few, self.settings)
        list(rebuild.rebuild(self.run, self.run_each, few, run_id, datetime.now(UTC), window))
        typed_tables.clean_up(self.run, {"run_id": run_id})

    def run_each(self, path: str, many: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Run a file of include/sql once for each of these values; return the reason of those that failed, by table."""
        failed, done = {}, []
        for values in many:
            statement = render(path, self.settings, values)
            try:
                self.last[path] = self.runner.run_unchecked(statement)
            except TrinoQueryError as error:
                failed[values["event"].table] = typed_tables.reason_of(error)
                continue
            self._spent += of_result(self.last[path])
            done.append((statement, self.last[path]))
        for statement in self.runner.undone(done):
            self.runner.run(statement)
        return failed

    def check(self, run_id: str, tables: Sequence[str] = TableNames.LOAD_TABLES) -> Outcome:
        """Run every check of these tables, as `check` of load_events or, with SESSION_TABLES, of model_sessions."""
        values = steps.values_of_run(run_id, datetime.now(UTC), self.settings)
        if set(tables) <= set(TableNames.SESSION_TABLES):
            values["bounds"] = starts_of_run(self.run, run_id)
        else:
            values |= self._loads.get(run_id, dict.fromkeys(("bounds", "window", "staged"), EVER))
        return check_tables(self.run, check_paths(tables), values)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return all rows of a table, by the name it has in `t`."""
        return self.query(f"select * from {getattr(self.t, table)}")  # noqa: S608 - a name of ours

    def query(self, text: str) -> list[dict[str, Any]]:
        """Return the rows of a statement of the caller's own."""
        return self.runner.run(Statement(text)).rows

    def model(self, run_id: str, window: Window | None = None) -> list[SessionReport]:
        """Run the steps of model_sessions: every load that was not modelled, or a range."""
        if not self._has_session_views:
            self.publish_session_views()
            self._has_session_views = True
        rules = rules_of(self.settings)
        if window is None:
            return list(model_pending(self.run, rules, run_id, datetime.now(UTC)))
        return list(model_range(self.run, rules, run_id, datetime.now(UTC), window))
