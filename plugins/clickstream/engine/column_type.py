"""The types that a column of a property may have, read from the plan's text."""

import re
from dataclasses import dataclass
from functools import cache

SCALARS = ("varchar", "bigint", "double", "boolean")
_PLAIN = (*SCALARS, "date", "timestamp", "json")
_SQL = {"timestamp": "timestamp(6) with time zone", "json": "varchar"}
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)", re.ASCII)
_ROW = re.compile(r"array\(row\((.*)\)\)")
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,127}")

# https://trino.io/docs/current/language/types.html#decimal
MAX_PRECISION = 38


class ColumnTypeError(ValueError):
    """A text is no type of a column; the message says why, and what would be one."""


@dataclass(frozen=True)
class ColumnType:
    """`sql`: its text in Trino; `item`: that of a list's items, else ''; `fields`: (name, scalar) of rows."""

    sql: str
    item: str = ""
    fields: tuple[tuple[str, str], ...] = ()


@cache
def read_type(text: str) -> ColumnType:
    """Return the type in `text`, as the tracking plan writes it. Raises ColumnTypeError."""
    if text in _PLAIN:
        return ColumnType(_SQL.get(text, text))
    if text in (f"array({scalar})" for scalar in SCALARS):
        return ColumnType(text, text.removeprefix("array(").removesuffix(")"))
    if decimal := _DECIMAL.fullmatch(text):
        return _decimal(text, int(decimal[1]), int(decimal[2]))
    if row := _ROW.fullmatch(text):
        return _rows(text, row[1])
    raise ColumnTypeError(
        f"{text!r} is no type of a column: use {', '.join(_PLAIN)}, decimal(18,2), array(varchar) or "
        "array(row(name varchar, price double))"
    )


def _decimal(text: str, precision: int, scale: int) -> ColumnType:
    if not 1 <= precision <= MAX_PRECISION or scale > precision:
        raise ColumnTypeError(
            f"{text}: a decimal has 1 to {MAX_PRECISION} digits, and no more of them after the point than in all"
        )
    return ColumnType(f"decimal({precision},{scale})")


def _rows(text: str, inside: str) -> ColumnType:
    fields: list[tuple[str, str]] = []
    for part in inside.split(","):
        name, _, scalar = part.strip(" ").partition(" ")
        if not _NAME.fullmatch(name) or scalar not in SCALARS:
            raise ColumnTypeError(
                f"{text}: {part.strip()!r} is no field of a row: use a name of lower-case letters, digits and _, and "
                f"{', '.join(SCALARS)}"
            )
        if name in (other for other, _ in fields):
            raise ColumnTypeError(f"{text}: the field {name} is there twice")
        fields.append((name, scalar))
    # Quoted, for a field may be called `order` or `select`.
    item = f"row({', '.join(f'{chr(34)}{name}{chr(34)} {scalar}' for name, scalar in fields)})"
    return ColumnType(f"array({item})", item, tuple(fields))
