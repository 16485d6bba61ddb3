"""A lake for one test: stage files, load them with the shipped SQL, read the tables."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from clickstream import manifest, typed_events
from clickstream.aws.s3 import list_staged
from clickstream.checks import Finding, Outcome, check_paths, decide, read_check
from clickstream.query import QueryRunner, Result
from clickstream.run_report import RunReport, from_row
from clickstream.settings import Settings
from clickstream.sql import Statement, TableNames, render
from clickstream.tracking_plan import TrackingPlan

CREATE = ("staging/lines", *(f"lake/{table}" for table in TableNames.LAKE_TABLES))


class ScratchLake:
    """Tables and a staging folder of one test. `t` has the table names."""

    def __init__(self, settings: Settings, s3: Any, runner: QueryRunner) -> None:
        self.settings = settings
        self.s3 = s3
        self.runner = runner
        self.t = TableNames(settings)
        for table in CREATE:
            self.run(f"{table}/create.sql")

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
        return manifest.take(run_id, staged, paths, None, self.settings.load_max_objects)

    def load(self, run_id: str, taken: manifest.Manifest | None = None, plan: TrackingPlan | None = None) -> RunReport:
        """The steps of load_events, in its order; with a plan, also the tables of its events."""
        values: dict[str, Any] = {
            "run_id": run_id,
            "now": datetime.now(UTC),
            "lookback_days": self.settings.dedupe_lookback_days,
            "manifest": taken or self.take(run_id),
        }
        self.run("work/batch/load.sql", **values)
        values["bounds"] = SimpleNamespace(**self.run("work/batch/bounds.sql", **values).rows[0])
        for table in ("events", "rejects", "discards", "load_ledger"):
            self.run(f"lake/{table}/load.sql", **values)
        if plan:
            window = typed_events.Window(**self.run("work/typed/window.sql", **values).rows[0])
            self.load_typed(run_id, plan, window)
        row = self.run("lake/load_ledger/report.sql", **values).rows[0]
        report = from_row(run_id, row, self.run("lake/events/lateness.sql", **values).rows[0]["rows_by_delay"])
        self.run("lake/load_runs/load.sql", **values, report=report)
        self.run("work/batch/drop.sql", **values)
        return report

    def load_typed(
        self, run_id: str, plan: TrackingPlan, window: typed_events.Window, again: bool = False
    ) -> list[dict[str, Any]]:
        """The step `load_typed_events`, or the same for a range of `events` again."""
        typed_events.create_missing(self.run, self.run_each, plan, self.settings)
        values = {"run_id": run_id, "now": datetime.now(UTC)}
        rates = typed_events.load(self.run, self.run_each, plan, values, window, again)
        typed_events.clean_up(self.run, values)
        return rates

    def run_each(self, path: str, many: Sequence[Mapping[str, Any]]) -> None:
        """Run a file of include/sql once for each of these values."""
        for values in many:
            self.run(path, **values)

    def check(self, run_id: str) -> Outcome:
        """The step `check` of load_events: every check of the lake tables."""
        values: dict[str, Any] = {
            "run_id": run_id,
            "now": datetime.now(UTC),
            "lookback_days": self.settings.dedupe_lookback_days,
        }
        values["bounds"] = SimpleNamespace(**self.run("lake/load_ledger/bounds.sql", **values).rows[0])
        found = [Finding(read_check(path), self.run(path, **values).rows) for path in check_paths(self.t.LAKE_TABLES)]
        return decide(found)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table, by the name it has in `t`."""
        return self.query(f"select * from {getattr(self.t, table)}")

    def query(self, text: str) -> list[dict[str, Any]]:
        """The rows of a statement of the test's own."""
        return self.runner.run(Statement(text)).rows
