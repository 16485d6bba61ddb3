"""What derives from one event of the tracking plan: its table, its columns and its rules.

A property's schema is JSON Schema (draft 07) with two keywords of our own, `pii` and `column`. Nested objects are
flattened with an underscore, as Segment's warehouses do (storage/warehouses/schema.md); arrays are JSON text.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from clickstream.engine.column_type import read_type
from clickstream.engine.columns import Column, read_columns
from clickstream.engine.sql import SQL_DIR
from clickstream.engine.table_shape import TableColumn
from clickstream.engine.tables import Table, read_table
from clickstream.plan.names import identifier, slug
from clickstream.plan.pattern import parse_pattern

# What a table of an event has beside its properties: the message's own columns of `events`, and every context_ column.
KEY_COLUMNS = (
    "message_id", "event", "event_text", "user_id", "anonymous_id", "received_at", "timestamp", "original_timestamp",
    "sent_at",
)  # fmt: skip

_COLUMN_TYPES = {"string": "varchar", "integer": "bigint", "number": "double", "boolean": "boolean"}
_TEXT_FORMATS = {"date-time": "timestamp", "date": "date"}

Keys = tuple[str, ...]


@dataclass(frozen=True)
class PropertyColumn:
    """The column of one property. `type` is a name of the plan's column types, `keys` its path in `properties`."""

    name: str
    type: str
    keys: Keys
    description: str = ""
    is_pii: bool = False

    @property
    def sql_type(self) -> str:
        """Its type in Trino."""
        return read_type(self.type).sql

    @property
    def shape(self) -> TableColumn:
        """The column as the table has it, with its meaning."""
        text = self.description or f"Property {'.'.join(self.keys)}."
        text += " As JSON text." if self.type == "json" else ""
        return TableColumn(self.name, self.sql_type, text + (" PII." if self.is_pii else ""))


@dataclass(frozen=True)
class Rule:
    """What one place in `properties` must be. In `path`, [] stands for each item of an array."""

    path: Keys
    schema: Mapping[str, Any]

    @property
    def types(self) -> list[str]:
        """The JSON types that it may have; empty for any."""
        given = self.schema.get("type", [])
        return [given] if isinstance(given, str) else list(given)

    @property
    def property_name(self) -> str:
        """The path as a person writes it, such as products[].price."""
        return ".".join(self.path).replace(".[]", "[]")

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values, the enum as JSON texts and the pattern as Trino gets it. Raises PatternError."""
        enum = self.schema.get("enum")
        pattern = self.schema.get("pattern")
        return {
            "path": list(self.path),
            "property": self.property_name,
            "types": self.types or None,
            "enum_values": None if enum is None else [json.dumps(value, ensure_ascii=False) for value in enum],
            "format": self.schema.get("format"),
            "pattern": None if pattern is None else parse_pattern(pattern).for_trino,
            "minimum": self.schema.get("minimum"),
            "maximum": self.schema.get("maximum"),
            "required": self.schema.get("required") or None,
        }


@dataclass(frozen=True)
class Event:
    """One event of the plan."""

    name: str
    entry: Mapping[str, Any] = field(repr=False)

    @property
    def status(self) -> str:
        """proposed, live or deprecated."""
        return str(self.entry["status"])

    @property
    def is_conversion(self) -> bool:
        """Whether it is what a session is for."""
        return bool(self.entry.get("conversion", False))

    @property
    def blocks(self) -> bool:
        """Whether a message that breaks a rule stays out of the event's table."""
        return bool(self.entry.get("on_violation") == "block")

    @cached_property
    def slugs(self) -> tuple[str, ...]:
        """The values of `events.event` that are this event: its name's, then those of its older names."""
        return tuple(dict.fromkeys(slug(name) for name in (self.name, *self.entry.get("renames", []))))

    @property
    def table(self) -> str:
        """The name of its table; '' when the name makes none."""
        return str(self.entry.get("table") or identifier(self.name) or "")

    @property
    def schema(self) -> Mapping[str, Any]:
        """What its `properties` must be, as JSON Schema."""
        return {
            "type": "object",
            "properties": self.entry.get("properties", {}),
            "required": self.entry.get("required", []),
        }

    @cached_property
    def columns(self) -> tuple[PropertyColumn, ...]:
        """The columns of its properties, in order; a name of '' where the property's name makes none."""
        return tuple(_columns((), self.schema))

    @property
    def common(self) -> list[Column]:
        """The columns of `events` that its table has too."""
        return common_columns()

    @property
    def retired(self) -> tuple[TableColumn, ...]:
        """Columns that stay in the table and are not filled any more."""
        return tuple(
            TableColumn(name, read_type(kind).sql, "Retired: not filled any more.")
            for name, kind in self.entry.get("retired_columns", {}).items()
        )

    @cached_property
    def shape(self) -> tuple[TableColumn, ...]:
        """All columns of its table, in order."""
        common = tuple(TableColumn(column.name, column.sql_type, column.description) for column in self.common)
        return (*common, *(column.shape for column in self.columns), *self.retired, *event_table().columns)

    @cached_property
    def description(self) -> Table:
        """What its table is."""
        return replace(event_table(), name=self.table, comment=self.entry["description"], columns=self.shape)

    @cached_property
    def objects(self) -> tuple[Keys, ...]:
        """The paths of the objects that are flattened, the outermost first; () is `properties` itself."""
        return ((), *_objects((), self.schema))

    def objects_in(self, keys: Keys) -> list[Keys]:
        """Return the paths of the objects that are members of the one at `keys`."""
        return [inner for inner in self.objects if inner and inner[:-1] == keys]

    def declared_below(self, keys: Keys) -> list[str]:
        """Return the names of the declared members of the object at `keys`."""
        schema: Mapping[str, Any] = self.schema
        for key in keys:
            schema = schema["properties"][key]
        return list(schema.get("properties", {}))

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule for its properties, the outermost first."""
        return tuple(_rules((), self.schema))


def event_table() -> Table:
    """Return what every event's table is; of its columns, the last ones."""
    return read_table(SQL_DIR / "events" / "event")


@cache
def common_columns() -> list[Column]:
    """Return the columns of `events` that every event's table has too."""
    columns = read_columns(SQL_DIR / "lake" / "events" / "columns.yaml").columns
    return [column for column in columns if column.name in KEY_COLUMNS or column.name.startswith("context_")]


def reserved_columns() -> set[str]:
    """Return names that no property's column may have: those of the table's own columns."""
    return {column.name for column in common_columns()} | {column.name for column in event_table().columns}


def _is_flattened(schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("properties")) and "type" not in schema.get("column", {})


def _columns(keys: Keys, schema: Mapping[str, Any]) -> Iterator[PropertyColumn]:
    for key, inner in schema.get("properties", {}).items():
        path = (*keys, key)
        if _is_flattened(inner):
            yield from _columns(path, inner)
            continue
        override = inner.get("column", {})
        name = override.get("name") or identifier("_".join(path)) or ""
        kind = override.get("type") or _column_type(inner)
        yield PropertyColumn(name, kind, path, inner.get("description", ""), inner.get("pii", False))


def _column_type(schema: Mapping[str, Any]) -> str:
    types = set(Rule((), schema).types) - {"null"}
    if types == {"string"}:
        return _TEXT_FORMATS.get(schema.get("format", ""), "varchar")
    if types == {"integer", "number"}:
        return "double"
    if types and types <= _COLUMN_TYPES.keys():
        return _COLUMN_TYPES[types.pop()] if len(types) == 1 else "varchar"
    return "json"


def _objects(keys: Keys, schema: Mapping[str, Any]) -> Iterator[Keys]:
    for key, inner in schema.get("properties", {}).items():
        if _is_flattened(inner):
            yield (*keys, key)
            yield from _objects((*keys, key), inner)


def _rules(path: Keys, schema: Mapping[str, Any]) -> Iterator[Rule]:
    if schema.keys() & {"type", "enum", "format", "pattern", "minimum", "maximum", "required"}:
        yield Rule(path, schema)
    for key, inner in schema.get("properties", {}).items():
        yield from _rules((*path, key), inner)
    if "items" in schema:
        yield from _rules((*path, "[]"), schema["items"])
