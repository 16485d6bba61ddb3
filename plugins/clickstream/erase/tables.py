"""What is erased of which table, and how a row is told to be a person's."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from clickstream.engine.sql import is_batch_table
from clickstream.engine.table_shape import Name, TableColumn

MESSAGE_IDS = ("user_id", "anonymous_id", "previous_id")
"""The columns of a message's ids, in `events` and what is made of it."""

ID_COLUMNS = (*MESSAGE_IDS, "visitor_id", "first_user_id", "last_user_id")
"""Columns that say whose a row is."""


@dataclass(frozen=True)
class Rule:
    """How a row of a table is told: by columns of ids, by a line in which an id stands, by the id of its message.

    `blank`: the column that becomes NULL, where the rest of the row is about all messages; else the row goes.
    """

    id_columns: tuple[str, ...] = ()
    line_column: str = ""
    by_message: bool = False
    blank: str = ""


_BY_MESSAGE = Rule(by_message=True)
_EXAMPLE = Rule(by_message=True, blank="example")

RULES: Mapping[str, Rule] = {
    "discards": _BY_MESSAGE,
    "violations": _BY_MESSAGE,
    # Without its row a key would be new once more, and a difference be there no more.
    "schema_changes": _EXAMPLE,
    "plan_diff": _EXAMPLE,
    "events": Rule(MESSAGE_IDS),
}
"""Of the lake tables that have personal data: what one statement takes away."""

OWN_SESSIONS = Rule(("visitor_id",))
"""Sessions of the person's own ids. Those of others in which the person was too are modelled again."""

OTHERWISE = {
    "rejects": "line by line: a line may hold messages of several people",
    "sessions": "modelled again, as others may share a device",
}
"""The other lake tables that have personal data, each with how it is gone through."""

NOT_PERSONAL = {
    "archive_reconciliations": "counts, and names of sources",
    "alarms": "text and figures are counts, names of runs and addresses of objects",
    "erasures": "digests and counts",
    "load_ledger": "addresses of objects, and counts",
    "load_runs": "counts; an engine's message in tables_failed may quote a value: the search says so",
    "quarantine": "addresses; a reader's message in reason may quote a line: the search says so",
    "session_runs": "names of runs, and counts",
    "suppressions": "digests",
}
"""The lake tables that have none, each with the reason."""


@dataclass(frozen=True)
class Target:
    """A table of which something is erased: `name` as in reports, `table` its schema and name."""

    name: str
    table: Name
    rule: Rule
    partition_column: str | None = None

    @property
    def has_sessions(self) -> bool:
        """Whether its rows are sessions that a run has not written yet."""
        return self.table[1].startswith("session_drafts_")


def lake_targets(schema: str, partition_columns: Mapping[str, str | None]) -> list[Target]:
    """Return the lake tables of RULES, in order."""
    return [Target(table, (schema, table), rule, partition_columns[table]) for table, rule in RULES.items()]


def typed_targets(
    schema: str, shapes: Mapping[Name, Sequence[TableColumn]], partition_column: str | None
) -> list[Target]:
    """Return the tables of single events that are there, those of deprecated events too."""
    found = {table: columns for (at, table), columns in sorted(shapes.items()) if at == schema}
    return [
        Target(f"{schema}.{table}", (schema, table), rule_of(columns), partition_column)
        for table, columns in found.items()
    ]


def work_targets(schema: str, shapes: Mapping[Name, Sequence[TableColumn]]) -> list[Target]:
    """Return the tables of runs that have not ended, or failed, in which something of a person may be."""
    found = {table: columns for (at, table), columns in sorted(shapes.items()) if at == schema}
    return [
        Target(f"{schema}.{table}", (schema, table), rule_of(columns))
        for table, columns in found.items()
        if is_batch_table(table) and not table.startswith("forgotten_") and rule_of(columns) != Rule()
    ]


def rule_of(columns: Iterable[TableColumn]) -> Rule:
    """Return how a row is told, by the columns of its table."""
    has = {column.name for column in columns}
    return Rule(
        tuple(column for column in ID_COLUMNS if column in has),
        "rejected_line" if "rejected_line" in has else "",
        by_message="message_id" in has,
    )


@dataclass(frozen=True)
class Searched:
    """Where ids are looked for in a table: every column that holds text, whatever its description says.

    `id_fields`: column and field of the rows in it that say who somebody is.
    """

    id_columns: tuple[str, ...]
    id_fields: tuple[tuple[str, str], ...]
    text_columns: tuple[str, ...]


_FIELD = re.compile(r'"?(\w+)"? varchar')


def searched(columns: Collection[TableColumn]) -> Searched:
    """Return where to look in a table with these columns."""
    texts = [column.name for column in columns if column.type.startswith("varchar")]
    rows = [column for column in columns if column.type.startswith("array(row(")]
    return Searched(
        tuple(name for name in texts if name in ID_COLUMNS),
        tuple(
            (column.name, field)
            for column in rows
            for field in _FIELD.findall(column.type)
            if column.name == "identified" and field in ("id", "user_id")
        ),
        tuple(name for name in texts if name not in ID_COLUMNS),
    )
