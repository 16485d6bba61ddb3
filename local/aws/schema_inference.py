"""Column types of JSON events, as a crawl of JSON objects infers them (pure).

Known from tables of real crawls: boolean, int, bigint when large, double, string, struct, array; only null gives
string and an empty array gives array<string>; top-level names become lower case, so that two keys that differ only
by case become two columns of one name, which is a known fault of crawled tables.

Not verified against AWS, chosen here: names inside a struct keep their case; int with double gives double; any
other mix (text with numbers, a struct with text, ...) gives string; whole numbers over 64 bits give double; an
empty object gives string; an object inside a mix of arrays and objects gives string.
"""

import json
from collections.abc import Iterator
from typing import Any

NULL, BOOLEAN, INT, BIGINT, DOUBLE, STRING, STRUCT, ARRAY = (1 << bit for bit in range(8))
_INT_RANGE = range(-(2**31), 2**31)
_BIGINT_RANGE = range(-(2**63), 2**63)
_decode = json.JSONDecoder().raw_decode


class Shape:
    """Which kinds of value were seen in one place, and the shapes below it. Grows with every value observed."""

    __slots__ = ("fields", "items", "kinds")

    def __init__(self) -> None:
        self.kinds = 0
        self.fields: dict[str, Shape] = {}
        self.items: Shape | None = None

    def observe(self, value: Any) -> None:
        """Add one JSON value."""
        kind = type(value)
        if kind is str:
            self.kinds |= STRING
        elif kind is dict:
            self.kinds |= STRUCT
            fields = self.fields
            for name, inner in value.items():
                field = fields.get(name)
                if field is None:
                    field = fields[name] = Shape()
                field.observe(inner)
        elif kind is list:
            self.kinds |= ARRAY
            if self.items is None:
                self.items = Shape()
            for inner in value:
                self.items.observe(inner)
        else:
            self.kinds |= _scalar_kind(value)

    def merge(self, other: "Shape") -> None:
        """Add everything another shape has seen."""
        self.kinds |= other.kinds
        for name, field in other.fields.items():
            self.fields.setdefault(name, Shape()).merge(field)
        if other.items is not None:
            if self.items is None:
                self.items = Shape()
            self.items.merge(other.items)

    def type_name(self) -> str:
        """Return the Hive type that holds every value seen here."""
        kinds = self.kinds & ~NULL
        if kinds == STRUCT and self.fields:
            return f"struct<{','.join(f'{name}:{field.type_name()}' for name, field in self.fields.items())}>"
        if kinds == ARRAY:
            return f"array<{self.items.type_name() if self.items else 'string'}>"
        return _SCALAR_TYPES.get(kinds, "string")


_SCALAR_TYPES = {
    BOOLEAN: "boolean",
    INT: "int",
    BIGINT: "bigint",
    INT | BIGINT: "bigint",
    DOUBLE: "double",
    INT | DOUBLE: "double",
    BIGINT | DOUBLE: "double",
    INT | BIGINT | DOUBLE: "double",
}


def _scalar_kind(value: Any) -> int:
    if value is None:
        return NULL
    if value is True or value is False:
        return BOOLEAN
    if type(value) is int:
        return INT if value in _INT_RANGE else BIGINT if value in _BIGINT_RANGE else DOUBLE
    return DOUBLE


def columns(shape: Shape) -> list[dict[str, str]]:
    """Glue columns of the events of a shape, in the order in which their keys were first seen."""
    return [{"Name": name.lower(), "Type": field.type_name()} for name, field in shape.fields.items()]


def paths(shape: Shape) -> str:
    """Return the SerDe parameter `paths`: top-level keys in their own case, sorted, joined by commas."""
    return ",".join(sorted(shape.fields))


def json_objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a sample: one a line, joined without newlines, or printed over several lines.

    What is not JSON, also a value cut off by the end of the sample, is passed over up to the next line. An array
    at the top level gives the objects in it (AWS: one column `array`).
    """
    position, end = 0, len(text)
    while position < end:
        if text[position].isspace():
            position += 1
            continue
        try:
            value, position = _decode(text, position)
        except (ValueError, RecursionError):
            newline = text.find("\n", position)
            position = end if newline < 0 else newline + 1
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield item


def similarity(one: Shape, other: Shape) -> float:
    """Share of top-level keys that two shapes have in common, 0 to 1 (1 for two without keys)."""
    together = one.fields.keys() | other.fields.keys()
    return len(one.fields.keys() & other.fields.keys()) / len(together) if together else 1.0
