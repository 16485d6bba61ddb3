"""Column types as Trino writes them, and as Hive does, whose spelling Athena's DDL and the Glue catalog use.

Athena makes no Iceberg table with an instant in a time zone, so an instant is Hive's `timestamp` there, in UTC.
"""

import re
from collections.abc import Iterator

INSTANT = "timestamp(6) with time zone"

_PLAIN = {"varchar": "string", "integer": "int", "real": "float", INSTANT: "timestamp"}
_SAME = re.compile(r"boolean|bigint|double|date|decimal\(\d+,\d+\)")
_TRINO = {hive: trino for trino, hive in _PLAIN.items()}


class TypeNameError(ValueError):
    """A type that has no counterpart; the message names it."""


def to_hive(trino: str) -> str:
    """Return a type of Trino in Hive's spelling. Raises TypeNameError."""
    kind = re.sub(r"\s*([(,])\s*|\s+(?=\))", r"\1", " ".join(trino.lower().replace('"', "").split()))
    name, _, inside = kind.partition("(")
    inside = inside.removesuffix(")")
    if kind in _PLAIN or _SAME.fullmatch(kind):
        return _PLAIN.get(kind, kind)
    if name == "array":
        return f"array<{to_hive(inside)}>"
    if name == "map":
        return f"map<{','.join(to_hive(part) for part in _parts(inside))}>"
    if name == "row":
        fields = (part.partition(" ") for part in _parts(inside))
        return f"struct<{','.join(f'{field}:{to_hive(of)}' for field, _, of in fields)}>"
    raise TypeNameError(f"{trino!r} has no type of Athena's tables")


def to_trino(hive: str) -> str:
    """Return a type of Hive in Trino's spelling, a timestamp as an instant. Raises TypeNameError."""
    kind = "".join(hive.lower().split())
    name, _, inside = kind.partition("<")
    inside = inside.removesuffix(">")
    if kind in _TRINO or _SAME.fullmatch(kind):
        return _TRINO.get(kind, kind)
    if name == "array":
        return f"array({to_trino(inside)})"
    if name == "map":
        return f"map({', '.join(to_trino(part) for part in _parts(inside))})"
    if name == "struct":
        fields = (part.partition(":") for part in _parts(inside))
        return f"row({', '.join(f'{field} {to_trino(of)}' for field, _, of in fields)})"
    raise TypeNameError(f"{hive!r} is no type of our tables")


def _parts(inside: str) -> Iterator[str]:
    """Yield what commas separate, but for those within brackets."""
    depth, start = 0, 0
    for index, sign in enumerate(inside):
        depth += (sign in "(<") - (sign in ")>")
        if sign == "," and depth == 0:
            yield inside[start:index]
            start = index + 1
    yield inside[start:]
