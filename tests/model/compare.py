"""Says how the rows of a real table differ from the expected ones, for a person to read."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.model.json_text import read_json, same_json, same_number
from tests.model.values import JsonText, NumberText

Row = Mapping[str, Any]


def compare(expected_rows: Sequence[Row], actual_rows: Sequence[Row]) -> list[str]:
    """Differences between expected and actual rows of `events`, paired by message_id; empty when there are none.

    The order of rows and columns that only the actual rows have do not matter. Numbers are compared as numbers, JSON
    text as JSON, times as instants (an actual time must have a time zone).
    """
    actual_by_id: dict[Any, list[Row]] = defaultdict(list)
    for row in actual_rows:
        actual_by_id[row.get("message_id")].append(row)
    differences: list[str] = []
    for expected in expected_rows:
        message_id = expected["message_id"]
        found = actual_by_id.pop(_same_key(message_id, actual_by_id), [])
        if len(found) != 1:
            differences.append(f"message_id {message_id}: expected 1 row, found {len(found)}")
        if found:
            differences += _row_differences(f"message_id {message_id}", expected, found[0])
    for message_id, rows in actual_by_id.items():
        differences.append(f"message_id {message_id}: expected no row, found {len(rows)}")
    return differences


def compare_rejects(expected_rows: Sequence[Row], actual_rows: Sequence[Row]) -> list[str]:
    """Differences between expected and actual rows of `rejects`: reason, source_path, staged_at and line, how often."""
    expected, actual = _count(expected_rows), _count(actual_rows)
    return [
        f"rejects {reject}: expected {expected[reject]}, found {actual[reject]}"
        for reject in sorted(expected.keys() | actual.keys())
        if expected[reject] != actual[reject]
    ]


def _count(rows: Sequence[Row]) -> Counter[tuple[str, ...]]:
    return Counter(
        (row["reason"], row["source_path"], row["staged_at"].astimezone(UTC).isoformat(), row["line"]) for row in rows
    )


def _same_key(message_id: str, actual: Mapping[Any, Any]) -> Any:
    """The actual key that stands for `message_id`: the same text or, if it was sent as a number, an equal number."""
    if message_id in actual or not isinstance(message_id, NumberText):
        return message_id
    return next((key for key in actual if _same(message_id, key)), message_id)


def _row_differences(name: str, expected: Row, actual: Row) -> list[str]:
    differences = []
    for column, value in expected.items():
        if column not in actual:
            differences.append(f"{name}: no column {column}, expected {_shown(value)}")
        elif not _same(value, actual[column]):
            differences.append(f"{name}: {column} expected {_shown(value)}, found {_shown(actual[column])}")
    return differences


def _shown(value: Any) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) and value.tzinfo else repr(value)


def _same(expected: Any, actual: Any) -> bool:
    if expected is None or actual is None:
        return expected is actual
    if isinstance(expected, list | tuple):
        return isinstance(actual, list | tuple) and len(expected) == len(actual) and all(map(_same, expected, actual))
    if isinstance(expected, JsonText):
        return isinstance(actual, str) and _same_json_text(expected, actual)
    if isinstance(expected, NumberText):
        return isinstance(actual, str) and _same_number_text(expected, actual)
    if isinstance(expected, datetime):
        return isinstance(actual, datetime) and actual.tzinfo is not None and expected == actual
    if isinstance(expected, float):
        return isinstance(actual, int | float | Decimal) and not isinstance(actual, bool) and expected == float(actual)
    if isinstance(expected, str):
        return isinstance(actual, str) and expected == actual
    return type(expected) is type(actual) and bool(expected == actual)


def _same_json_text(expected: str, actual: str) -> bool:
    try:
        return same_json(read_json(expected), read_json(actual))
    except (ArithmeticError, ValueError):
        return False


def _same_number_text(expected: str, actual: str) -> bool:
    try:
        return same_number(expected, actual)
    except (ArithmeticError, ValueError):
        return False
