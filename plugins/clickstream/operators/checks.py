"""The operator that asks the checks beside the lake tables."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from clickstream.engine.sql import TableNames
from clickstream.operators.trino import TrinoStatementOperator
from clickstream.settings import load_settings
from clickstream.upkeep.checks import Finding, check_paths, decide, read_check


class TrinoCheckTablesOperator(TrinoStatementOperator):
    """Runs every check of the tables, whatever the others find; a `warn` is logged, a `fail` fails the task.

    A failure is not tried again: the same rows would be found.
    """

    def __init__(self, *, tables: Sequence[str] = TableNames.LOAD_TABLES, **kwargs: Any) -> None:
        super().__init__(sql=check_paths(tables), **kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        """Gives how many checks passed and the names of those that found something."""
        settings = load_settings()
        values = self._values(context, settings)
        values["bounds"] = SimpleNamespace(**self._run("lake/load_ledger/bounds.sql", settings, values).rows[0])
        checks = [read_check(path) for path in self.sql]
        outcome = decide([Finding(check, self._run(check.path, settings, values).rows) for check in checks])
        for finding in outcome.warnings:
            self.log.warning("%s", finding.text())
        if outcome.failures:
            raise AirflowFailException("\n".join(finding.text() for finding in outcome.failures))
        self.log.info("%d of %d checks found nothing", outcome.passed, len(checks))
        return outcome.to_dict()
