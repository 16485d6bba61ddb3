"""Convert the values of Athena's results, which are text, to what Trino's client returns."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any


class AthenaTypeError(ValueError):
    """A column of a result is of a type whose text cannot be read back; the message names it."""


def read_value(name: str, kind: str, text: str | None) -> Any:
    """Convert a value of Athena's text result to what Trino's client returns. Raises AthenaTypeError."""
    if text is None:
        return None
    read = READABLE.get(kind.partition("(")[0])
    if read is None:
        raise AthenaTypeError(f"column {name} is of type {kind}: its text cannot be read back, give it as JSON")
    return read(text)


def _instant(text: str) -> datetime:
    """Read `2026-11-24 12:00:00.000000`, UTC or with ` UTC` at its end."""
    return datetime.fromisoformat(text.removesuffix(" UTC")).replace(tzinfo=UTC)


READABLE: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("varchar", "char", "string", "json"), str),
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint"), int),
    **dict.fromkeys(("float", "real", "double"), float),
    "decimal": Decimal,
    "boolean": lambda text: text == "true",
    "date": date.fromisoformat,
    "timestamp": _instant,
    "timestamp with time zone": _instant,
}
