"""What a table is, from the table.yaml in its folder of include/sql: DDL, upkeep and docs/tables.md derive from it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from clickstream.engine.columns import SAFE_LOADER, read_columns
from clickstream.engine.table_shape import TableColumn

_FIELDS = ("comment", "grain", "filled_by", "retention", "columns", "example")
_OPTIONAL = ("partitioned_by", "sorted_by")
_COLUMN_FIELDS = ("name", "type", "comment")
_RETENTION_FIELDS = ("days", "forever", "after", "blank")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PARTITIONING = re.compile(rf"(hour|day)\(({_NAME.pattern})\)")
_SPANS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


class TableError(ValueError):
    """A table.yaml cannot be used; the message names the file, the entry and what to write there."""


@dataclass(frozen=True)
class Partitioning:
    """One partition for each `unit` (hour or day, in UTC) of the instants in `column`."""

    unit: str
    column: str

    @property
    def span(self) -> timedelta:
        """How much time a partition covers."""
        return _SPANS[self.unit]

    @property
    def text(self) -> str:
        """As Iceberg's table property has it, such as day(received_at)."""
        return f"{self.unit}({self.column})"


@dataclass(frozen=True)
class Retention:
    """How long rows are kept: `days` after the instant in the column `after`; None: forever, with the `reason`.

    `after` is empty where nobody may limit it. `blank`: the column that becomes NULL then, where the row itself stays.
    """

    days: int | None
    after: str = ""
    reason: str = ""
    blank: str = ""


@dataclass(frozen=True)
class Table:
    """An Iceberg table. What is not said here, such as the file format, all tables share.

    `comment` is its text in the catalog, and a column's `comment` that of the column: at its end may stand
    `Unit: bytes.`, then `PII.`. `grain`: what one row is; `filled_by`: the DAG that writes it; `example`: a query.
    """

    name: str
    comment: str
    grain: str
    filled_by: str
    retention: Retention
    columns: tuple[TableColumn, ...]
    example: str
    partitioned_by: Partitioning | None = None
    sorted_by: str | None = None


@cache
def read_tables(folder: Path) -> Mapping[str, Table]:
    """Read the tables of a layer, such as include/sql/lake, by name; a process does so once. Raises TableError."""
    found = {path.parent.name: read_table(path.parent) for path in sorted(folder.glob("*/table.yaml"))}
    for name, table in found.items():
        _require_layout(folder / name / "table.yaml", table)
    return found


@cache
def read_table(folder: Path) -> Table:
    """Read the table of one folder, which a process does once; the columns of a columns.yaml there come first.

    The table's layout may name columns that its reader adds. Raises TableError and ColumnsError.
    """
    path = folder / "table.yaml"
    try:
        given = yaml.load(path.read_text(encoding="utf-8"), SAFE_LOADER)  # noqa: S506 - it is safe
    except yaml.YAMLError as error:
        raise TableError(f"{path}: {error}") from None
    fields = _texts(str(path), given, _FIELDS, _OPTIONAL, structured=("columns", "retention"))
    columns = (*_columns_of_messages(folder), *_columns(path, given["columns"]))
    _require_unique(path, columns)
    return Table(
        name=folder.name,
        comment=fields["comment"],
        grain=fields["grain"],
        filled_by=fields["filled_by"],
        retention=_retention(path, given["retention"]),
        columns=columns,
        example=fields["example"],
        partitioned_by=_partitioning(path, fields.get("partitioned_by")),
        sorted_by=fields.get("sorted_by"),
    )


def _texts(
    where: str, given: Any, fields: Sequence[str], optional: Sequence[str] = (), structured: Sequence[str] = ()
) -> dict[str, str]:
    """Return the values of the fields, each of which is a text; `structured` ones only have to be there."""
    known = (*fields, *optional)
    if not isinstance(given, dict):
        raise TableError(f"{where}: write {', '.join(fields)} here, each with its value")
    unknown = [str(field) for field in given if field not in known]
    if unknown:
        raise TableError(f"{where}: there is no field {', '.join(unknown)}; use some of {', '.join(known)}")
    missing = [field for field in fields if field not in given]
    if missing:
        raise TableError(f"{where}: add {', '.join(missing)}")
    texts = {field: value for field, value in given.items() if field not in structured}
    for field, value in texts.items():
        if not isinstance(value, str) or not value.strip():
            raise TableError(f"{where}: {field} is {value!r}; write a text, in quotes if it looks like anything else")
    return texts


def _columns(path: Path, entries: Any) -> list[TableColumn]:
    if not isinstance(entries, list) or not entries:
        raise TableError(f"{path}: columns: write a list, one entry a column")
    return [_column(path, number, entry) for number, entry in enumerate(entries, start=1)]


def _column(path: Path, number: int, entry: Any) -> TableColumn:
    where = f"{path}: column {number} ({entry.get('name') if isinstance(entry, dict) else None})"
    fields = _texts(where, entry, _COLUMN_FIELDS)
    if not _NAME.fullmatch(fields["name"]):
        raise TableError(f"{where}: use a name of lower-case letters, digits and _, a letter first")
    return TableColumn(fields["name"], fields["type"], fields["comment"])


def _columns_of_messages(folder: Path) -> list[TableColumn]:
    path = folder / "columns.yaml"
    columns = read_columns(path).columns if path.exists() else ()
    return [TableColumn(column.name, column.sql_type, column.description) for column in columns]


def _require_unique(path: Path, columns: Sequence[TableColumn]) -> None:
    names = [column.name for column in columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TableError(f"{path}: columns: more than one is named {', '.join(twice)}; give each a name of its own")


def _partitioning(path: Path, text: str | None) -> Partitioning | None:
    if text is None:
        return None
    match = _PARTITIONING.fullmatch(text)
    if match is None:
        raise TableError(f"{path}: partitioned_by: {text} is not understood; write hour(column) or day(column)")
    return Partitioning(match[1], match[2])


def _retention(path: Path, given: Any) -> Retention:
    where = f"{path}: retention"
    if not isinstance(given, dict) or len(given.keys() & {"days", "forever"}) != 1:
        raise TableError(f"{where}: write {{days: <number>, after: <column>}}, or {{forever: <the reason>}}")
    texts = _texts(where, given, (), _RETENTION_FIELDS, structured=("days",))
    days = given.get("days")
    if "days" in given and (type(days) is not int or days < 1 or "after" not in texts):
        raise TableError(f"{where}: days is {days!r}; write a whole number, and in `after` the column it counts from")
    return Retention(days, texts.get("after", ""), texts.get("forever", ""), texts.get("blank", ""))


def _require_layout(path: Path, table: Table) -> None:
    names = [column.name for column in table.columns]
    instants = [column.name for column in table.columns if column.type.startswith("timestamp")]
    if table.partitioned_by and table.partitioned_by.column not in instants:
        raise TableError(
            f"{path}: partitioned_by: {table.partitioned_by.column} is no timestamp column; use one of "
            f"{', '.join(instants) or 'those that you add'}"
        )
    if table.retention.after and table.retention.after not in instants:
        raise TableError(
            f"{path}: retention: after: {table.retention.after} is no timestamp column; use one of "
            f"{', '.join(instants) or 'those that you add'}"
        )
    if table.retention.blank and table.retention.blank not in names:
        raise TableError(f"{path}: retention: blank: there is no column {table.retention.blank}")
    if table.sorted_by and table.sorted_by not in names:
        raise TableError(f"{path}: sorted_by: there is no column {table.sorted_by}; use one of {', '.join(names)}")
