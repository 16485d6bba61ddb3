"""The operator that makes the lake tables and keeps them in shape."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from clickstream.engine.evolution import bring_up_to_date, named_run
from clickstream.engine.table_shape import DestructiveChangeError
from clickstream.operators.trino import TrinoStatementOperator
from clickstream.settings import load_settings


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
        super().execute(context)
        settings = load_settings()
        try:
            return bring_up_to_date(named_run(self._run, settings), self._own, settings)
        except DestructiveChangeError as error:
            raise AirflowFailException(str(error)) from None
