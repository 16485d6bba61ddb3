"""The operators that run the checks beside the lake tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from clickstream.engine.evolution import Run
from clickstream.engine.sql import TableNames
from clickstream.operators.load import LoadOperator
from clickstream.sessions.model import starts_of_run
from clickstream.upkeep.checks import check_paths, check_tables


class TrinoCheckTablesOperator(LoadOperator):
    """Run every check of the tables, whatever the others find; a `warn` is logged, a `fail` fails the task.

    A failure is not retried: the same rows would be found.
    """

    tables: Sequence[str] = TableNames.PLAN_TABLES

    def execute(self, context: Context) -> dict[str, Any]:
        """Return how many checks passed and the names of those that found something."""
        run, values = self.touched(context)
        paths = check_paths(self.tables)
        outcome = check_tables(run, paths, values)
        for finding in outcome.warnings:
            self.log.warning("%s", finding.text())
        if outcome.failures:
            raise AirflowFailException("\n".join(finding.text() for finding in outcome.failures))
        self.log.info("%d of %d checks found nothing", outcome.passed, len(paths))
        return outcome.to_dict()

    def touched(self, context: Context) -> tuple[Run, Mapping[str, Any]]:
        """Return what runs a file, and the values of the checks: which part of the tables the run touched."""
        _, run, values = self.prepare(context)
        return run, values


class TrinoCheckLoadOperator(TrinoCheckTablesOperator):
    """The same for the tables that load_events fills, of the part that the run's manifest says."""

    tables = TableNames.LOAD_TABLES

    def touched(self, context: Context) -> tuple[Run, Mapping[str, Any]]:
        """Return what `touched` returns, with `staged`, `window` and `bounds` of the load."""
        _, run, values = self.prepare_step(context)
        return run, values


class TrinoCheckSessionsOperator(TrinoCheckTablesOperator):
    """The same for the tables of sessions, from the first to the last start of a session that the run wrote."""

    tables = TableNames.SESSION_TABLES

    def touched(self, context: Context) -> tuple[Run, Mapping[str, Any]]:
        """Return what `touched` returns, with `bounds`."""
        _, run, values = self.prepare(context)
        return run, values | {"bounds": starts_of_run(run, values["run_id"])}
