"""The operator that makes the lake tables and keeps them in shape."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from clickstream.engine.evolution import bring_up_to_date, create_tables
from clickstream.engine.table_shape import DestructiveChangeError
from clickstream.operators.base import TrinoStatementOperator


class TrinoCreateTablesOperator(TrinoStatementOperator):
    """Makes lake tables that are missing, then gives those of an earlier version the columns and comments they lack.

    `tables`: those that this DAG alters; `others`: those that it reads and another one alters, made and never altered
    here; `sql`: files that make what is no lake table.
    A change that would lose values is refused; it is not tried again, for nothing would be different.
    """

    def __init__(
        self, *, tables: Sequence[str] = (), others: Sequence[str] = (), sql: Sequence[str] = (), **kwargs: Any
    ) -> None:
        super().__init__(sql=sql, **kwargs)
        self.tables = tables
        self.others = others

    def execute(self, context: Context) -> list[str]:
        """Return what was changed, as `<what> <table>[.<column>]`."""
        settings, run, values = self.prepare(context)
        for path in self.sql:
            run(path, **values)
        create_tables(run, (*self.others, *self.tables), settings)
        try:
            return bring_up_to_date(run, self.tables, settings)
        except DestructiveChangeError as error:
            raise AirflowFailException(str(error)) from None
