"""What a load sends has no constant that Trino compiles anew at each run, but for those that are listed here.

Trino keeps compiled expressions by equality, and takes no two constant patterns, JSON paths, arrays or maps for equal
(measured on 483: docs/performance.md).
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from clickstream.engine.sql import render
from tools.sample_values import SETTINGS, values

LOAD_FILES = (
    "work/batch/load.sql", "work/batch/add.sql", "work/batch/received.sql", "work/typed/load.sql",
    "work/findings/load.sql", "events/event/load.sql", "events/event/compare.sql", "lake/events/load.sql",
    "lake/discards/load.sql", "lake/discards/load_properties.sql", "lake/violations/load.sql",
    "lake/violations/rates.sql", "lake/schema_changes/find.sql", "lake/load_ledger/report.sql",
    "lake/load_runs/load.sql", "runtime/altering.sql", "evolution/commits.sql",
)  # fmt: skip
SLUG = (
    r"'([\p{Ll}\p{Nd}])(\p{Lu})'",
    r"'(\p{Lu})(\p{Lu}\p{Ll})'",
    r"'([^\p{L}\p{Mn}\p{Mc}\p{Nd}]|[\x{FE00}-\x{FE0F}])+'",
    "'^_+|_+$'",
)
LONG_NUMBER = "'(?<![0-9])[0-9]{2001}'"
ALLOWED = {
    # The name of an event, one projection: as no constant, its patterns would be compiled for each message.
    f"work/batch/{name}.sql": {*SLUG, LONG_NUMBER}
    for name in ("load", "add")
}
"""Constant patterns that stay, by file."""

CONSTANT = re.compile(r"json_extract|json_query|\bmap\(\)|\barray\[\s*(?:'[^']*'\s*,?\s*)*\]", re.IGNORECASE)
"""A JSON path, an empty map, an array of nothing but strings."""


def rendered(file: str) -> str:
    text = render(file, SETTINGS, values()).text
    return re.sub(r"^ *--[^\n]*$|/\*.*?\*/|partitioning = array\[.*?\]", "", text, flags=re.MULTILINE | re.DOTALL)


def arguments(text: str, at: int) -> Iterator[str]:
    """Yield the arguments of the call whose first one begins at `at`."""
    depth, begin, is_quoted = 0, at, False
    for place in range(at, len(text)):
        character = text[place]
        if character == "'":
            is_quoted = not is_quoted
        elif is_quoted:
            continue
        elif character in "([":
            depth += 1
        elif character in ")]" and depth:
            depth -= 1
        elif not depth and character in ",)":
            yield text[begin:place].strip()
            begin = place + 1
            if character == ")":
                return


def constant_patterns(text: str) -> set[str]:
    """Return the patterns of regular expressions that are constants."""
    calls = [list(arguments(text, found.end())) for found in re.finditer(r"\bregexp_\w+\(", text)]
    return {call[1] for call in calls if re.fullmatch(r"'(?:[^']|'')*'|\?", call[1])}


@pytest.mark.parametrize("file", LOAD_FILES)
def test_it_has_no_constant_that_is_compiled_at_each_run(file: str) -> None:
    text = rendered(file)

    assert constant_patterns(text) == ALLOWED.get(file, set())
    assert CONSTANT.findall(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("regexp_like(f(a, 'b,)'), 'x(y)')", {"'x(y)'"}),
        ("regexp_replace(regexp_replace(a, 'b', 'c'), 'd' || substr(a, 1, 0), 'e')", {"'b'"}),
        ("regexp_like(query, ?)", {"?"}),
        ("regexp_like(text_value, pattern)", set()),
    ],
)
def test_a_constant_pattern_is_found(text: str, found: Any) -> None:
    assert constant_patterns(text) == found


@pytest.mark.parametrize("text", ["coalesce(a, map())", "array[]", "array['a', 'b']", "json_extract_scalar(a, '$.b')"])
def test_another_constant_is_found(text: str) -> None:
    assert CONSTANT.search(text)
