"""The operator that makes the lake tables and keeps them in shape."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from clickstream.engine.evolution import bring_up_to_date
from clickstream.engine.table_shape import DestructiveChangeError
from clickstream.operators.base import TrinoStatementOperator


class TrinoCreateTablesOperator(TrinoStatementOperator):
    """Makes the tables that are missing, then gives those of an earlier version the columns and comments they lack.

    `others`: create.sql files of tables that this DAG reads and another one alters: made, and never altered here.
    A change that would lose values is refused; it is not tried again, for nothing would be different.
    """

    def __init__(self, sql: Sequence[str], others: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(sql=[*others, *sql], **kwargs)
        self._own = list(sql)

    def execute(self, context: Context) -> list[str]:
        """Gives what was changed, as `<what> <table>[.<column>]`."""
        settings, run, values = self.prepare(context)
        for path in self.sql:
            run(path, **values)
        try:
            return bring_up_to_date(run, self._own, settings)
        except DestructiveChangeError as error:
            raise AirflowFailException(str(error)) from None
