"""The lake tables against their descriptions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clickstream.config_check.finding import Area, Finding, Level, error_of
from clickstream.engine.table_shape import DestructiveChangeError, Kind, Name, TableColumn, changes

_TABLES = Area("tables")


def check_tables(wanted: Mapping[Name, Sequence[TableColumn]], present: Any) -> Iterator[Finding]:
    """Compare the lake tables to their descriptions. `present`: the columns of each table that exists, or an error."""
    if error_of(present):
        yield _TABLES.fail("tables can be seen", error_of(present), "mend what is wrong with Trino first")
        return
    for table, columns in wanted.items():
        name = ".".join(table)
        if table not in present:
            yield _TABLES.warn(name, "it is not there yet", "trigger load_events: its task create_tables makes it")
            continue
        yield _table(name, table, columns, present)


def _table(name: str, table: Name, columns: Sequence[TableColumn], present: Any) -> Finding:
    try:
        todo = changes({table: columns}, present)
    except DestructiveChangeError as error:
        return _TABLES.fail(
            name, str(error), "see docs/runbooks/upgrade.md, 'A change is refused'; until then every load fails"
        )
    late = [f"{change.kind.value} {change.column.name}" for change in todo if change.kind is not Kind.COMMENT]
    return _TABLES.unless(
        f"it is of an earlier version: {', '.join(late)}" if late else "",
        name,
        "trigger load_events (model_sessions for tables of sessions): the task create_tables brings it up to date",
        Level.WARN,
    )
