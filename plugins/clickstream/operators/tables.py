"""The operator that makes the lake tables and keeps them in shape."""

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from clickstream.evolution import evolve, lake_shapes, named_run, present_shapes
from clickstream.operators.trino import TrinoStatementOperator
from clickstream.settings import load_settings
from clickstream.table_shape import DestructiveChangeError


class TrinoCreateTablesOperator(TrinoStatementOperator):
    """Makes the tables that are missing, then adds the columns that an earlier version's tables lack.

    A change that would lose values is refused; it is not tried again, for nothing would be different.
    """

    def execute(self, context: Context) -> list[str]:
        """Gives what was changed, as `<what> <table>.<column>`."""
        super().execute(context)
        settings = load_settings()
        run = named_run(self._run, settings)
        try:
            done = evolve(run, lake_shapes(self.sql, settings), present_shapes(run, settings, [settings.lake_database]))
        except DestructiveChangeError as error:
            raise AirflowFailException(str(error)) from None
        return [f"{change.kind.value} {'.'.join(change.table)}.{change.column.name}" for change in done]
