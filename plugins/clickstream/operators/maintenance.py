"""Operators that keep the lake tables small."""

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from trino.exceptions import TrinoQueryError

from clickstream.aws.glue import last_changes
from clickstream.engine.evolution import Run
from clickstream.engine.sql import lake_tables
from clickstream.engine.table_shape import Name
from clickstream.engine.tables import Table
from clickstream.form import FormError, read_whole
from clickstream.operators.base import EngineOperator
from clickstream.operators.plan import require_plan
from clickstream.upkeep.maintenance import (
    LONGEST_RETENTION_DAYS,
    SHORTEST_RETENTION_DAYS,
    Upkeep,
    maintain,
    stray_batches,
)


class _KeepTablesOperator(EngineOperator):
    """The run's param `retention_days` is how long a snapshot stays; Trino itself refuses less than 7 days."""

    def _maintain(self, context: Context, run: Run, now: datetime, name: Name, table: Table) -> Upkeep | None:
        """Return what was done to a table; None when there is none of that name."""
        try:
            days = read_whole(context["params"], "retention_days", SHORTEST_RETENTION_DAYS, LONGEST_RETENTION_DAYS)
        except FormError as error:
            raise AirflowFailException(str(error)) from None
        retention = timedelta(days=days)
        try:
            upkeep = maintain(run, name, table.partitioned_by, now, retention)
        except TrinoQueryError as error:
            if error.error_name in {"TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND"}:
                return None
            raise
        self.log.info("%s", upkeep.text())
        return upkeep


class TrinoMaintainTableOperator(_KeepTablesOperator):
    """Compact one lake table, expire its snapshots and remove its orphan files; skipped while there is no table."""

    def __init__(self, *, table: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table = table

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the table's files, bytes and snapshots before and after, and the counts of files changed."""
        settings, run, values = self.prepare(context)
        name = (settings.lake_database, self.table)
        upkeep = self._maintain(context, run, values["now"], name, lake_tables()[self.table])
        if upkeep is None:
            raise AirflowSkipException(f"there is no table {self.table} yet")
        return upkeep.to_dict()


class TrinoMaintainTypedEventsOperator(_KeepTablesOperator):
    """The same for the table of each event of the tracking plan, those of deprecated events too, one after another."""

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Return the figures of each table that is there."""
        settings, run, values = self.prepare(context)
        tables = {(settings.events_database, event.table): event.description for event in require_plan().with_table}
        found = [self._maintain(context, run, values["now"], name, table) for name, table in tables.items()]
        kept = [upkeep for upkeep in found if upkeep]
        if not kept:
            raise AirflowSkipException("there is no table of an event yet")
        return [upkeep.to_dict() for upkeep in kept]


class TrinoDropStrayBatchesOperator(EngineOperator):
    """Drop the batch tables that were last written more than a day ago: their runs failed and never dropped them."""

    def execute(self, context: Context) -> list[str]:
        """Return the names of the tables dropped."""
        settings, run, values = self.prepare(context)
        strays = stray_batches(last_changes(self.client("glue"), settings.work_database), values["now"])
        for name in strays:
            self.log.info("drops %s.%s", settings.work_database, name)
            run("maintenance/drop_stray_batch.sql", batch_table=name)
        return strays
