"""Diff wanted and actual columns; refuse changes that would lose values.

The wanted columns are those of the table's description, by which `create table if not exists` makes it too; this
brings a table that an earlier version made up to date.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")

# What Iceberg widens in place (spec: Schema Evolution).
_WIDENINGS = frozenset({("integer", "bigint"), ("real", "double")})

Name = tuple[str, str]


class DestructiveChangeError(ValueError):
    """A table cannot get its wanted columns without losing values; the message names each and the safe path."""


@dataclass(frozen=True)
class TableColumn:
    """One column: its name, its type as Trino writes it, its comment ('' for none) and whether that can be changed."""

    name: str
    type: str
    comment: str = ""
    has_fixed_comment: bool = False

    @property
    def plain_type(self) -> str:
        """The type in one spelling: Trino quotes field names and spaces types in its own way."""
        return re.sub(r"\s*([,(])\s*", r"\1", " ".join(self.type.lower().replace('"', "").split()))


class Kind(Enum):
    """What is done to a column: the name of its file in include/sql/evolution."""

    ADD = "add_column"
    WIDEN = "widen_column"
    COMMENT = "comment_column"


@dataclass(frozen=True)
class Change:
    """One statement to run: what to do to which column of which table (schema and name)."""

    kind: Kind
    table: Name
    column: TableColumn

    @property
    def path(self) -> str:
        """The statement's file below include/sql."""
        return f"evolution/{self.kind.value}.sql"

    @property
    def text(self) -> str:
        """What is done, for a person: `<what> <schema>.<table>.<column>`."""
        return f"{self.kind.value} {'.'.join(self.table)}.{self.column.name}"


def changes(
    wanted: Mapping[Name, Sequence[TableColumn]], present: Mapping[Name, Sequence[TableColumn]]
) -> list[Change]:
    """Return what brings each present table to its wanted columns; nothing for one that is not there.

    Raises DestructiveChangeError, which names every table, before anything is done to any.
    """
    refusals: list[str] = []
    found: list[Change] = []
    for table, columns in wanted.items():
        if table in present:
            there = {column.name: column for column in present[table]}
            for column in columns:
                found += _changes(table, column, there.get(column.name), refusals)
            refusals += _dropped(table, columns, present[table])
    if refusals:
        raise DestructiveChangeError("\n".join(refusals))
    return found


def _changes(table: Name, column: TableColumn, before: TableColumn | None, refusals: list[str]) -> Iterator[Change]:
    if before is None:
        yield Change(Kind.ADD, table, column)
        return
    if before.plain_type != column.plain_type:
        if _widens(before.plain_type, column.plain_type):
            yield Change(Kind.WIDEN, table, column)
        else:
            refusals.append(
                f"{'.'.join(table)}: column {column.name} is {before.plain_type} and would become {column.plain_type}. "
                "Give the values of the new type a column with a new name and keep this one as it is"
            )
    if before.comment != column.comment and not before.has_fixed_comment:
        yield Change(Kind.COMMENT, table, column)


def _dropped(table: Name, wanted: Sequence[TableColumn], present: Sequence[TableColumn]) -> list[str]:
    names = {column.name for column in wanted}
    return [
        f"{'.'.join(table)}: column {column.name} ({column.plain_type}) is no longer wanted, and dropping it would "
        "lose its values. Keep it in the list of columns, or drop it by hand when they are not needed"
        for column in present
        if column.name not in names
    ]


def _widens(before: str, after: str) -> bool:
    old, new = _DECIMAL.fullmatch(before), _DECIMAL.fullmatch(after)
    if old and new:
        return old[2] == new[2] and int(new[1]) > int(old[1])
    return (before, after) in _WIDENINGS
