"""The columns of a table, from the columns.yaml in its folder of include/sql."""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

SQL_TYPES = {
    "text": "varchar",
    "boolean": "boolean",
    "double": "double",
    "timestamp": "timestamp(6) with time zone",
    "json": "varchar",
    "object": "varchar",
}

# Ten times as fast where PyYAML was built with libyaml: every task reads the columns.
SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# What identifies a row and says where it was read: stays when the row is rebuilt.
_KEY_AND_ORIGIN = ("message_id", "received_at", "source_path", "staged_at")


class ColumnsError(ValueError):
    """A columns.yaml cannot be used; the message names the file and the entry."""


@dataclass(frozen=True)
class Column:
    """One column. `source` is the path of its value in the message; None where SQL works it out.

    `derived`: SQL works it out from the value at `source`, which it names sent_<name>.
    """

    name: str
    type: str
    description: str
    source: str | None = None
    derived: bool = False

    @property
    def typed_name(self) -> str:
        """The name that the value at `source` has once it is typed."""
        return f"sent_{self.name}" if self.derived else self.name

    @property
    def sql_type(self) -> str:
        """Its type in Trino."""
        return SQL_TYPES[self.type]

    @property
    def keys(self) -> list[str]:
        """The path of its value in the message, key by key."""
        return (self.source or "").split(".")

    @property
    def is_nested(self) -> bool:
        """Whether the value is a member of an object inside `context`."""
        return len(self.keys) == 3


@dataclass(frozen=True)
class Columns:
    """The columns of one table, in order."""

    columns: tuple[Column, ...]

    @cached_property
    def extracted(self) -> list[Column]:
        """Those whose value is taken from one place in the message."""
        return [column for column in self.columns if column.source]

    @cached_property
    def discardable(self) -> list[Column]:
        """Those whose value may not fit: every typed one but the id, without which a line is rejected."""
        return [
            column for column in self.extracted if column.type not in ("json", "object") and column.name != "message_id"
        ]

    @cached_property
    def rebuilt(self) -> list[Column]:
        """Those that are worked out from the message, and not its key: what changes when it is rebuilt."""
        return [column for column in self.columns if column.name not in _KEY_AND_ORIGIN]

    @cached_property
    def context_objects(self) -> list[str]:
        """The objects inside `context` that columns are taken from."""
        return sorted({column.keys[1] for column in self.columns if column.is_nested})

    @cached_property
    def own_columns(self) -> list[Column]:
        """Those of a key of the message itself."""
        return [column for column in self.extracted if "." not in (column.source or "")]

    @cached_property
    def top_level_keys(self) -> list[str]:
        """The keys of a message that have a column; any other goes to `extras`."""
        sources = {(column.source or "").split(".")[0] for column in self.columns}
        return sorted(sources - {""})


@cache
def read_columns(path: Path) -> Columns:
    """Return the columns of the file at `path`, which a process reads once. Raises ColumnsError."""
    entries = yaml.load(path.read_text(encoding="utf-8"), SAFE_LOADER)["columns"]  # noqa: S506 - it is safe
    columns = tuple(_column(path, number, entry) for number, entry in enumerate(entries, start=1))
    names = [column.name for column in columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ColumnsError(f"{path}: more than one column named {', '.join(twice)}")
    return Columns(columns)


def _column(path: Path, number: int, entry: dict[str, Any]) -> Column:
    try:
        column = Column(**entry)
    except TypeError as error:
        raise ColumnsError(f"{path}: column {number} ({entry.get('name')}): {error}") from None
    if column.type not in SQL_TYPES:
        raise ColumnsError(f"{path}: column {column.name}: type {column.type} is not one of {', '.join(SQL_TYPES)}")
    keys = (column.source or "").split(".")
    if len(keys) > (3 if keys[0] == "context" else 1):
        raise ColumnsError(
            f"{path}: column {column.name}: source {column.source} is too deep: use a top-level key, or at most "
            "two keys below context"
        )
    return column
