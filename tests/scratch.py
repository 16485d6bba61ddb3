"""A lake for one test: stage files, load them with the shipped SQL, read the tables."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from trino.exceptions import TrinoQueryError

from clickstream.aws.glue import add_partitions
from clickstream.aws.s3 import list_archive, list_staged
from clickstream.engine.query import QueryRunner, Result
from clickstream.engine.sql import ARCHIVE_LINES, Statement, TableNames, render
from clickstream.load import manifest
from clickstream.load.archive import days, divide, hours_wanted
from clickstream.load.drift import SHAPES_READ
from clickstream.load.parts import object_parts, values_of, with_received
from clickstream.load.preview import Preview
from clickstream.load.preview import from_row as preview_from_row
from clickstream.load.report import RunReport, from_row
from clickstream.plan import rederive, typed_tables
from clickstream.plan.file import TrackingPlan, read_plan
from clickstream.sessions.model import SessionReport, model_pending, model_range, rules_of
from clickstream.settings import Settings
from clickstream.upkeep.checks import Finding, Outcome, check_paths, decide, read_check
from clickstream.upkeep.views import View, event_views, live_from, load_views, outdated, session_views
from clickstream.window import Received, Window

CREATE = ("staging/lines", *(f"lake/{table}" for table in TableNames.LAKE_TABLES))


class ScratchLake:
    """Tables and a staging folder of one test. `t` has the table names."""

    def __init__(self, settings: Settings, s3: Any, glue: Any, runner: QueryRunner) -> None:
        self.settings = settings
        self.s3 = s3
        self.glue = glue
        self.runner = runner
        self.t = TableNames(settings)
        self._has_session_views = False

    def create(self) -> "ScratchLake":
        """Make the tables that are missing; give the lake."""
        for table in CREATE:
            self.run(f"{table}/create.sql")
        return self

    def stage(self, name: str, body: bytes) -> str:
        """Put a staged object; give its path."""
        key = f"{self.settings.staging_prefix}{name}"
        self.s3.put_object(Bucket=self.settings.staging_bucket, Key=key, Body=body)
        return f"s3://{self.settings.staging_bucket}/{key}"

    def run(self, path: str, **values: Any) -> Result:
        """Run a file of include/sql."""
        return self.runner.run(render(path, self.settings, values))

    def take(self, run_id: str) -> manifest.Manifest:
        """All that is staged and not yet loaded, as a scheduled run takes it."""
        staged, _ = list_staged(self.s3, self.settings)
        loaded = self.run("lake/load_ledger/loaded_paths.sql", staged_since=datetime(2000, 1, 1, tzinfo=UTC))
        paths = frozenset(row["source_path"] for row in loaded.rows)
        return manifest.take_unloaded(run_id, staged, paths, self.settings.load_max_objects)

    def take_all(self, run_id: str) -> manifest.Manifest:
        """All that is staged, loaded or not."""
        return manifest.Manifest(run_id, tuple(list_staged(self.s3, self.settings)[0]))

    def take_range(
        self, run_id: str, window: Window, source: str = "auto", rederive: bool = False
    ) -> manifest.Manifest:
        """What a manual run with that range takes."""
        staged, _ = list_staged(self.s3, self.settings)
        kept_since = datetime.now(UTC) - timedelta(hours=self.settings.staging_retention_hours)
        wanted = hours_wanted(source, window, staged, kept_since, True)
        archived, _ = list_archive(self.s3, self.settings, days(wanted))
        staging, received = divide(window, wanted, archived)
        taken = manifest.take_windows(run_id, staged, staging, archived, received)
        return replace(taken, rederive=rederive)

    def load(self, run_id: str, taken: manifest.Manifest | None = None, plan: TrackingPlan | None = None) -> RunReport:
        """The steps of load_events, in its order; with a plan, also the tables of its events."""
        values = self.unpack(run_id, taken or self.take(run_id))
        failed: dict[str, str] = {}
        for table, part_by in (("events", "hours"), ("rejects", "objects"), ("discards", "days")):
            self.run_parts(table, part_by, values)
        if self.run("lake/schema_changes/find.sql", **values).rows[0]["new_count"]:
            self.run("lake/schema_changes/load.sql", **values)
        self.run_parts("load_ledger", "objects", values)
        if plan:
            for part in values["parts"]["days"]:
                failed |= self.load_typed(run_id, plan, part["window"], values["manifest"].rederive).failed
        row = self.run("lake/load_ledger/report.sql", **values).rows[0]
        delays = self.run("lake/events/lateness.sql", **values).rows[0]["rows_by_delay"]
        violations = self.run("lake/violations/by_event.sql", **values).rows[0]["violations_by_event"]
        report = replace(from_row(run_id, row, delays, violations), tables_failed=failed)
        self.run("lake/load_runs/load.sql", **values, report=report)
        self.run("work/batch/drop.sql", **values)
        return report

    def run_parts(self, table: str, part_by: str, values: Mapping[str, Any]) -> list[Result]:
        """Load a table, part by part."""
        return [self.run(f"lake/{table}/load.sql", **{**values, **part}) for part in values["parts"][part_by]]

    def preview(self, run_id: str, taken: manifest.Manifest) -> Preview:
        """The steps of a dry run, in its order."""
        values = self.unpack(run_id, taken)
        row = self.run("work/batch/preview.sql", **values).rows[0]
        touched = self.run("lake/sessions/touched.sql", **values, rules=rules_of(self.settings)).rows[0]["sessions"]
        preview = preview_from_row(taken, row, read_plan(), touched)
        self.run("work/batch/drop.sql", **values)
        return preview

    def unpack(self, run_id: str, taken: manifest.Manifest) -> dict[str, Any]:
        """The steps up to the batch table; gives the values that those after it take."""
        values: dict[str, Any] = {
            "run_id": run_id,
            "now": datetime.now(UTC),
            "lookback_days": self.settings.dedupe_lookback_days,
            "archive_integration": self.settings.archive_integration,
            "change_limit": self.settings.schema_changes_max,
            "shape_limit": SHAPES_READ,
            "manifest": taken,
        }
        if taken.archived:
            self.run("staging/archive_lines/create.sql", **values)
            locations = {folder: f"{self.settings.archive_location}{folder}/" for folder in taken.folders}
            add_partitions(self.glue, self.settings.lines_database, ARCHIVE_LINES, locations)
        for number, part in enumerate(object_parts(taken)):
            unpacked = self.run(f"work/batch/{'add' if number else 'load'}.sql", **{**values, "manifest": part})
        taken = with_received(self.run, taken, run_id)
        lookback = timedelta(days=self.settings.dedupe_lookback_days)
        return values | values_of(taken, lookback) | {"unpacked": unpacked}

    def publish_views(self) -> list[str]:
        """The step `publish_views` of load_events; gives the names of the views that were made."""
        staged, _ = list_staged(self.s3, self.settings)
        loaded = self.run("lake/load_ledger/loaded_paths.sql", staged_since=datetime(2000, 1, 1, tzinfo=UTC)).rows
        paths = frozenset(row["source_path"] for row in loaded)
        return self._publish(load_views(self.settings, live_from(staged, paths, datetime.now(UTC), self.settings)))

    def publish_session_views(self) -> list[str]:
        """The step `publish_views` of model_sessions."""
        return self._publish(session_views(self.settings))

    def publish_event_views(self, plan: TrackingPlan) -> list[str]:
        """The step `publish_event_views` of load_events."""
        tables = {name for schema, name in self.comments() if schema == self.settings.events_database}
        return self._publish(event_views(self.settings, plan, tables))

    def _publish(self, views: Sequence[View]) -> list[str]:
        made = outdated(views, self.comments())
        for view in made:
            self.runner.run(view.statement)
        return [view.name for view in made]

    def comments(self) -> dict[tuple[str, str], str | None]:
        """The comment of each table and view, by schema and name."""
        schemas = [self.settings.lake_database, self.settings.events_database, self.settings.segment_database]
        found = self.run("runtime/comments.sql", catalog=self.settings.lake_catalog, schemas=schemas).rows
        return {(row["schema_name"], row["table_name"]): row["comment"] for row in found}

    def load_typed(self, run_id: str, plan: TrackingPlan, window: Received, again: bool = False) -> typed_tables.Filled:
        """The step `load_typed_events`, or the same for a range of `events` again."""
        made = typed_tables.create_missing(self.run, self.run_each, plan, self.settings)
        values, left = {"run_id": run_id, "now": datetime.now(UTC)}, typed_tables.without(plan, made.failed)
        filled = typed_tables.load(self.run, self.run_each, left, values, window, again)
        typed_tables.clean_up(self.run, values)
        return replace(filled, failed=made.failed | filled.failed)

    def rederive(self, run_id: str, plan: TrackingPlan, window: Window, event: str = "") -> None:
        """The steps of rederive_typed_events."""
        few = rederive.chosen(plan, event)
        rederive.require_current(self.run, few, self.settings)
        list(rederive.rederive(self.run, self.run_each, few, run_id, datetime.now(UTC), window))
        typed_tables.clean_up(self.run, {"run_id": run_id})

    def run_each(self, path: str, many: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Run a file of include/sql once for each of these values; give the reason of those that failed, by table."""
        failed = {}
        for values in many:
            try:
                self.run(path, **values)
            except TrinoQueryError as error:
                failed[values["event"].table] = typed_tables.reason_of(error)
        return failed

    def check(self, run_id: str, tables: Sequence[str] = TableNames.LOAD_TABLES) -> Outcome:
        """The step `check` of load_events, or with SESSION_TABLES of model_sessions: every check of those tables."""
        values: dict[str, Any] = {
            "run_id": run_id,
            "now": datetime.now(UTC),
            "lookback_days": self.settings.dedupe_lookback_days,
            "rules": rules_of(self.settings),
        }
        values["bounds"] = SimpleNamespace(**self.run("lake/load_ledger/bounds.sql", **values).rows[0])
        found = [Finding(read_check(path), self.run(path, **values).rows) for path in check_paths(tables)]
        return decide(found)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table, by the name it has in `t`."""
        return self.query(f"select * from {getattr(self.t, table)}")

    def query(self, text: str) -> list[dict[str, Any]]:
        """The rows of a statement of the test's own."""
        return self.runner.run(Statement(text)).rows

    def model(self, run_id: str, window: Window | None = None) -> list[SessionReport]:
        """The steps of model_sessions: every load that was not modelled, or a range."""
        if not self._has_session_views:
            self.publish_session_views()
            self._has_session_views = True
        rules = rules_of(self.settings)
        if window is None:
            return list(model_pending(self.run, rules, run_id, datetime.now(UTC)))
        return list(model_range(self.run, rules, run_id, datetime.now(UTC), window))
