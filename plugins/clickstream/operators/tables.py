"""The operator that makes the lake tables and keeps them in shape."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from clickstream.engine.evolution import bring_up_to_date, create_lines, create_tables
from clickstream.engine.sql import LINES
from clickstream.engine.table_shape import DestructiveChangeError
from clickstream.operators.base import EngineOperator


class TrinoCreateTablesOperator(EngineOperator):
    """Create missing lake tables, then add to those of an earlier version the columns and comments they lack.

    `tables`: those that this DAG alters; `others`: those that it reads and another one alters, made and never altered
    here; `lines`: whether it makes the table over the staging folder too, and again when that is another folder.
    A change that would lose values is refused and not retried.
    """

    def __init__(
        self, *, tables: Sequence[str] = (), others: Sequence[str] = (), lines: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.lines = lines
        self.tables = tables
        self.others = others

    def execute(self, context: Context) -> list[str]:
        """Return what was changed, as `<what> <table>[.<column>]`."""
        settings, run, _ = self.prepare(context)
        replaced = create_lines(run, LINES, settings) if self.lines else []
        create_tables(run, (*self.others, *self.tables), settings)
        try:
            return replaced + bring_up_to_date(run, self.tables, settings)
        except DestructiveChangeError as error:
            raise AirflowFailException(str(error)) from None
