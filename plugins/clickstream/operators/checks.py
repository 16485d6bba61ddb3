"""The operator that asks the checks beside the lake tables."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from clickstream.engine.sql import TableNames
from clickstream.operators.base import TrinoStatementOperator
from clickstream.upkeep.checks import check_paths, check_tables


class TrinoCheckTablesOperator(TrinoStatementOperator):
    """Runs every check of the tables, whatever the others find; a `warn` is logged, a `fail` fails the task.

    A failure is not tried again: the same rows would be found.
    """

    def __init__(self, *, tables: Sequence[str] = TableNames.LOAD_TABLES, **kwargs: Any) -> None:
        super().__init__(sql=check_paths(tables), **kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        """Gives how many checks passed and the names of those that found something."""
        _, run, values = self.prepare(context)
        outcome = check_tables(run, self.sql, values)
        for finding in outcome.warnings:
            self.log.warning("%s", finding.text())
        if outcome.failures:
            raise AirflowFailException("\n".join(finding.text() for finding in outcome.failures))
        self.log.info("%d of %d checks found nothing", outcome.passed, len(self.sql))
        return outcome.to_dict()
