"""Runs on Trino what Athena would be sent, so that a test can hold the translated SQL against the rows.

Queries and changes run exactly as Athena gets them. What Athena makes in its own grammar, tables and views, is made in
Trino's, with the column types that it has on Athena.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from clickstream.athena.sql import Step, inlined, translate, without_zones
from clickstream.athena.values import READABLE
from clickstream.engine.query import QueryRunner, Result
from clickstream.engine.sql import Statement

OF_GLUE = ("staging/", "runtime/", "evolution/columns.sql", "evolution/show_lines.sql", "evolution/drop_lines.sql")


class AthenaOnTrino:
    """As QueryRunner. Fails where a table of Athena's would get a column that it cannot have."""

    def __init__(self, runner: QueryRunner) -> None:
        self._runner = runner
        self._looked_at: set[str] = set()

    def run(self, statement: Statement) -> Result:
        """Return what run_unchecked does."""
        return self.run_unchecked(statement)

    def run_unchecked(self, statement: Statement) -> Result:
        """Return the rows as the runner of Athena does: an instant for a timestamp in UTC."""
        if statement.path.startswith(OF_GLUE) or not statement.path:
            return _as_of_athena(self._runner.run(statement))
        steps = translate(statement, lambda schema, table: f"s3://bucket/{schema}/{table}/")
        plain = inlined(replace(statement, text=without_zones(statement.text)))
        if statement.path not in self._looked_at or statement.path == "views/publish.sql":
            self._looked_at.add(statement.path)
            self._require_types(steps)
        return _as_of_athena(self._runner.run(Statement(plain)))

    def undone(self, done: Sequence[tuple[Statement, Result]]) -> list[Statement]:
        """Return none, as the runner of Athena."""
        return []

    def cancel(self) -> None:
        """Cancel what is running."""
        self._runner.cancel()

    def _require_types(self, steps: Sequence[Step]) -> None:
        """Check that Athena can make the columns of a table or view, and that those of a result can be read back."""
        for step in steps:
            made = re.search(r"^create (table|or replace view) .*?\bas\n", step.text, re.DOTALL | re.MULTILINE)
            if not made and not step.gives_rows:
                continue
            self._runner.run(Statement(f"prepare looked_at from {step.text[made.end() if made else 0 :]}"))
            for column in self._runner.run(Statement("describe output looked_at")).rows:
                kind = column["Type"]
                if made:
                    assert "timestamp" not in kind.replace("timestamp(6)", ""), column
                    assert "with time zone" not in kind, column
                else:
                    assert kind.partition("(")[0] in (*READABLE, "unknown"), column


def _as_of_athena(result: Result) -> Result:
    rows = [{name: _instant(value) for name, value in row.items()} for row in result.rows]
    for row in rows:
        if "data_type" in row:
            row["data_type"] = row["data_type"].replace("timestamp(6)", "timestamp(6) with time zone")
    return replace(result, rows=rows)


def _instant(value: Any) -> Any:
    if isinstance(value, datetime):
        assert value.tzinfo is None or value.utcoffset() is not None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value
    if isinstance(value, list):
        return [_instant(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_instant(item) for item in value)
    return value
