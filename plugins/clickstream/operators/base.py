"""What operators that run statements share."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk import BaseOperator, Context

from clickstream.engine.evolution import Run
from clickstream.engine.query import Result, Runner, query_url
from clickstream.engine.spent import Spent, of_result
from clickstream.engine.sql import Statement, render
from clickstream.load.steps import values_of_run
from clickstream.operators.engine import connect
from clickstream.operators.links import TrinoQueryLink
from clickstream.settings import Settings, load_settings

SPENT = "spent"
"""The XCom of a task that has what its statements took."""


class EngineOperator(BaseOperator):
    """Run files of include/sql over one connection, and log what each cost, never its rows.

    A kill of the task cancels the query. A retry first ends what the try before it left running.
    Ours and not the provider's, which splits statements and leaves a killed task's query running: see docs/adr/0003.
    """

    operator_extra_links = (TrinoQueryLink(),)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._runner: Runner | None = None
        self._clients: Mapping[str, Any] = {}
        self._tag = ""
        self._is_retry = False
        self._spent: tuple[Spent, ...] = ()

    def prepare(self, context: Context) -> tuple[Settings, Run, dict[str, Any]]:
        """Return the settings, what runs a file of include/sql, and the values that every file may use."""
        settings, run_id = load_settings(), context["run_id"]
        self._is_retry = context["ti"].try_number > 1
        # A digest: a run id is anybody's text and must not stand in a statement.
        self._tag = hashlib.sha256(f"{self.dag_id}\n{self.task_id}\n{run_id}".encode()).hexdigest()[:32]

        def run(path: str, **values: Any) -> Result:
            return self._run(path, settings, values)

        return settings, run, values_of_run(run_id, datetime.now(UTC), settings)

    def client(self, service: str) -> Any:
        """Return the one boto3 client of this task for a service."""
        if service not in self._clients:
            client = AwsBaseHook(load_settings().aws_conn_id, client_type=service).get_conn()
            # Not added in place: Airflow runs a copy of the operator, and copies share what was made before.
            self._clients = {**self._clients, service: client}
        return self._clients[service]

    def on_kill(self) -> None:
        """Cancel the running query."""
        if self._runner is not None:
            self._runner.cancel()

    @property
    def query_url(self) -> str:
        """The engine's page of the latest query of this task; empty when there was none."""
        if self._runner is None:
            return ""
        settings = load_settings()
        return query_url(self._runner.info_url, "" if settings.is_athena else settings.trino_ui)

    def _run(self, path: str, settings: Settings, values: Mapping[str, Any]) -> Result:
        return self._run_statement(render(path, settings, values), path, settings)

    def _run_statement(self, statement: Statement, name: str, settings: Settings) -> Result:
        if self._runner is None:
            self._runner = connect(settings)
            if self._is_retry:
                self._end_leftovers(self._runner, settings)
        result = self._runner.run(statement.tagged(self._tag))
        self.count(name, result)
        return result

    def count(self, name: str, result: Result) -> None:
        """Log what a statement cost, and count it for the run's report."""
        self.log.info("%s: %s", name, result.text())
        # Not added in place: Airflow runs a copy of the operator, and copies share what was made before.
        self._spent = (*self._spent, of_result(result))

    def post_execute(self, context: Context, result: Any = None) -> None:
        """Leave what the statements took to the run's report."""
        tries = Spent(tries=context["ti"].try_number)
        context["ti"].xcom_push(SPENT, sum(self._spent, tries).to_dict())

    def _end_leftovers(self, runner: Runner, settings: Settings) -> None:
        """End what a try before this one left running: its worker may have died, the query goes on and may commit."""
        pattern = f"%/* clickstream {self._tag} */%"
        for row in runner.run(render("runtime/leftovers.sql", settings, {"leftovers": pattern})).rows:
            self.log.warning("ends query %s, left over from an earlier try", row["query_id"])
            runner.run(render("runtime/kill.sql", settings, row))


class TrinoStatementOperator(EngineOperator):
    """Run files of include/sql, one statement each, in order."""

    template_fields: Sequence[str] = ("sql",)

    def __init__(self, *, sql: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sql = sql

    def execute(self, context: Context) -> Any:
        """Run the files; return nothing."""
        _, run, values = self.prepare(context)
        for path in self.sql:
            run(path, **values)
