"""Operators that run the files of include/sql on Trino."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.trino.hooks.trino import TrinoHook
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from clickstream import manifest
from clickstream.aws.s3 import read_text
from clickstream.query import QueryRunner, Result
from clickstream.run_report import from_row
from clickstream.settings import Settings, load_settings
from clickstream.sql import render


class TrinoStatementOperator(BaseOperator):
    """Runs files of include/sql, one statement each, in order, and logs what each cost.

    Every file may use `run_id`, `now` and `lookback_days`. With `take_manifest`, also `manifest`, the run's list of
    objects; with `look_up`, the first row of other files, by name.
    A kill of the task cancels the query; a commit conflict is tried again.
    Ours and not the provider's, which splits statements and leaves a killed task's query running: see docs/adr/0003.
    """

    template_fields: Sequence[str] = ("sql", "look_up")

    def __init__(
        self,
        *,
        sql: Sequence[str],
        look_up: Mapping[str, str] | None = None,
        take_manifest: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.look_up = dict(look_up or {})
        self.take_manifest = take_manifest
        self._runner: QueryRunner | None = None

    def execute(self, context: Context) -> Any:
        """Runs the files, in order; returns nothing. What they cost is logged, never their rows."""
        settings = load_settings()
        values = self._values(context, settings)
        for name, path in self.look_up.items():
            values[name] = SimpleNamespace(**self._run(path, settings, values).rows[0])
        for path in self.sql:
            self._run(path, settings, values)

    def on_kill(self) -> None:
        """Cancels the running query."""
        if self._runner is not None:
            self._runner.cancel()

    def _values(self, context: Context, settings: Settings) -> dict[str, Any]:
        run_id = context["run_id"]
        values: dict[str, Any] = {
            "run_id": run_id,
            "now": datetime.now(UTC),
            "lookback_days": settings.dedupe_lookback_days,
        }
        if self.take_manifest:
            s3 = AwsBaseHook(settings.aws_conn_id, client_type="s3").get_conn()
            text = read_text(s3, settings.lake_bucket, manifest.key(run_id))
            if text is None:
                raise AirflowFailException(f"run {run_id} has no manifest: clear the whole run, not one task")
            values["manifest"] = manifest.from_json(text)
        return values

    def _run(self, path: str, settings: Settings, values: Mapping[str, Any]) -> Result:
        if self._runner is None:
            self._runner = QueryRunner(TrinoHook(settings.trino_conn_id).get_conn())
        result = self._runner.run(render(path, settings, values))
        self.log.info("%s: %s", path, result.text())
        return result


class TrinoReportRunOperator(TrinoStatementOperator):
    """Prints the run report and fails the run when it does not add up."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(sql=[], **kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        """Gives the report as plain values."""
        settings = load_settings()
        values = self._values(context, settings)
        row = self._run("lake/load_ledger/report.sql", settings, values).rows[0]
        report = from_row(values["run_id"], row)
        self.log.info("run report\n%s", report.text())
        if report.unaccounted:
            raise AirflowFailException(report.text())
        return report.to_dict()
