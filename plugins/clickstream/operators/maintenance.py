"""Operators that keep the lake tables small."""

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from trino.exceptions import TrinoQueryError

from clickstream.aws.glue import last_changes
from clickstream.engine.query import Result, Runner
from clickstream.engine.sql import render
from clickstream.engine.table_shape import Name
from clickstream.form import FormError, read_whole
from clickstream.operators.engine import connect
from clickstream.operators.plan import require_plan
from clickstream.settings import Settings, load_settings
from clickstream.upkeep.maintenance import (
    LONGEST_RETENTION_DAYS,
    SHORTEST_RETENTION_DAYS,
    Upkeep,
    maintain,
    stray_batches,
)


class _MaintenanceOperator(BaseOperator):
    """What both operators here share: one connection, cancelled when the task is killed."""

    _runner: Runner | None = None

    def on_kill(self) -> None:
        """Cancels the running query."""
        if self._runner is not None:
            self._runner.cancel()

    def _run(self, settings: Settings, path: str, **values: Any) -> Result:
        if self._runner is None:
            self._runner = connect(settings)
        result = self._runner.run(render(path, settings, values))
        self.log.info("%s: %s", path, result.text())
        return result


class _KeepTablesOperator(_MaintenanceOperator):
    """The run's param `retention_days` is how long a snapshot stays; Trino itself refuses less than 7 days."""

    def _maintain(self, context: Context, settings: Settings, table: Name) -> Upkeep | None:
        """What was done to a table; None when there is none of that name."""
        try:
            days = read_whole(context["params"], "retention_days", SHORTEST_RETENTION_DAYS, LONGEST_RETENTION_DAYS)
        except FormError as error:
            raise AirflowFailException(str(error)) from None
        retention = timedelta(days=days)
        try:
            upkeep = maintain(
                lambda path, **values: self._run(settings, path, **values), table, datetime.now(UTC), retention
            )
        except TrinoQueryError as error:
            if error.error_name in {"TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND"}:
                return None
            raise
        self.log.info("%s", upkeep.text())
        return upkeep


class TrinoMaintainTableOperator(_KeepTablesOperator):
    """Compacts one lake table, expires its snapshots and removes its orphan files; skipped while there is no table."""

    def __init__(self, *, table: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table = table

    def execute(self, context: Context) -> dict[str, Any]:
        """Gives the table's files, bytes and snapshots before and after, and the counts of files changed."""
        settings = load_settings()
        upkeep = self._maintain(context, settings, (settings.lake_database, self.table))
        if upkeep is None:
            raise AirflowSkipException(f"there is no table {self.table} yet")
        return upkeep.to_dict()


class TrinoMaintainTypedEventsOperator(_KeepTablesOperator):
    """The same for the table of each event of the tracking plan, those of deprecated events too, one after another."""

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Gives the figures of each table that is there."""
        settings = load_settings()
        names = [(settings.events_database, event.table) for event in require_plan().with_table]
        kept = [upkeep for name in names if (upkeep := self._maintain(context, settings, name))]
        if not kept:
            raise AirflowSkipException("there is no table of an event yet")
        return [upkeep.to_dict() for upkeep in kept]


class TrinoDropStrayBatchesOperator(_MaintenanceOperator):
    """Drops the batch tables that were last written more than a day ago: their runs failed and never dropped them."""

    def execute(self, context: Context) -> list[str]:
        """Gives the names of the tables dropped."""
        settings = load_settings()
        glue = AwsBaseHook(settings.aws_conn_id, client_type="glue").get_conn()
        strays = stray_batches(last_changes(glue, settings.work_database), datetime.now(UTC))
        for name in strays:
            self.log.info("drops %s.%s", settings.work_database, name)
            self._run(settings, "maintenance/drop_stray_batch.sql", batch_table=name)
        return strays
