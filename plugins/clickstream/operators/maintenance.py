"""Operators that keep the lake tables small."""

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from trino.exceptions import TrinoQueryError

from clickstream.aws.glue import last_changes
from clickstream.engine.evolution import Run
from clickstream.engine.retention import kept_days
from clickstream.engine.sql import lake_tables
from clickstream.engine.table_shape import Name
from clickstream.engine.tables import Table
from clickstream.form import FormError, read_whole
from clickstream.operators.base import EngineOperator
from clickstream.operators.plan import require_plan
from clickstream.settings import Settings, SettingsError
from clickstream.upkeep.maintenance import (
    LONGEST_RETENTION_DAYS,
    SHORTEST_RETENTION_DAYS,
    maintain,
    stray_batches,
)
from clickstream.upkeep.retention import Removed, remove_past


class _KeepTablesOperator(EngineOperator):
    """The run's param `retention_days` is how long a snapshot stays; Trino itself refuses less than 7 days."""

    def _maintain(
        self, context: Context, run: Run, settings: Settings, now: datetime, name: Name, table: Table
    ) -> dict[str, Any] | None:
        """Return what was done to a table; None when there is none of that name."""
        try:
            days = read_whole(context["params"], "retention_days", SHORTEST_RETENTION_DAYS, LONGEST_RETENTION_DAYS)
            kept = kept_days(table, settings)
        except (FormError, SettingsError) as error:
            raise AirflowFailException(str(error)) from None
        try:
            removed = remove_past(run, name, table, kept, now) if kept else Removed(name[1])
            upkeep = maintain(run, name, table.partitioned_by, now, timedelta(days=days))
        except TrinoQueryError as error:
            if error.error_name in {"TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND"}:
                return None
            raise
        if kept:
            self.log.info("%s", removed.text())
        self.log.info("%s", upkeep.text())
        return {**upkeep.to_dict(), "removed_rows": removed.rows}


class TrinoMaintainTableOperator(_KeepTablesOperator):
    """Remove the rows of one lake table that are older than they are kept, compact it, expire its snapshots and remove
    its orphan files; skipped while there is no table.
    """

    def __init__(self, *, table: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table = table

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the table's files, bytes and snapshots before and after, and the counts of files and rows changed."""
        settings, run, values = self.prepare(context)
        name = (settings.lake_database, self.table)
        done = self._maintain(context, run, settings, values["now"], name, lake_tables()[self.table])
        if done is None:
            raise AirflowSkipException(f"there is no table {self.table} yet")
        return done


class TrinoMaintainTypedEventsOperator(_KeepTablesOperator):
    """The same for the table of each event of the tracking plan, those of deprecated events too, one after another."""

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Return the figures of each table that is there."""
        settings, run, values = self.prepare(context)
        tables = {(settings.events_database, event.table): event.description for event in require_plan().with_table}
        found = [self._maintain(context, run, settings, values["now"], name, table) for name, table in tables.items()]
        kept = [done for done in found if done]
        if not kept:
            raise AirflowSkipException("there is no table of an event yet")
        return kept


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
