"""Any JSON value becomes, in a column of any type that a plan can ask for, what the model says.

The model shares no code. Values are drawn from what is easily taken for another: numbers near the edges, texts that
look like numbers, instants, days or booleans, and lists and objects of these.
"""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clickstream.engine.column_type import SCALARS
from clickstream.engine.sql import Statement, environment
from local.lake.machine import Machine
from tests.model import compare
from tests.model.json_text import read_json
from tests.model.typed import RULES

KINDS = (
    *SCALARS, "date", "timestamp", "json", "decimal(18,2)", "decimal(38,0)", "decimal(9,9)",
    *(f"array({scalar})" for scalar in SCALARS), "array(row(name varchar, count bigint, price double, gift boolean))",
)  # fmt: skip


def is_json(text: str) -> bool:
    try:
        read_json(text)
    except ValueError:
        return False
    return True


NUMBERS = st.one_of(
    st.integers(-(2**64), 2**64).map(str),
    st.integers(2**53 - 5, 2**53 + 5).map(lambda whole: f"{whole}.0"),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**17), max_value=10**17).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.tuples(st.integers(-(10**16), 10**16), st.integers(-20, 20)).map(lambda pair: f"{pair[0]}e{pair[1]}"),
).filter(is_json)
DAYS = st.one_of(
    st.dates().map(str),
    st.sampled_from(["2026-02-29", "2024-02-29", "0000-01-01", "0001-01-01", "9999-12-31", "2026-W01-1", "20260101",
                     "2026-1-01", "+2026-01-01", "12026-01-01", "2026-01-01 ", "२०२६-०१-०१"]),
)  # fmt: skip
OFFSETS = st.sampled_from(["", "Z", "z", "+09", "+0900", "-14:00", "+14:01", "+15:00", " UTC", "+9", "-00:60"])
INSTANTS = st.tuples(
    DAYS, st.sampled_from("T t_"), st.one_of(st.times().map(str), st.sampled_from(["24:00:00", "23:59:60", "12:30"])),
    OFFSETS,
).map("".join)  # fmt: skip
INSTANTS |= st.tuples(st.datetimes().map(str), OFFSETS).map("".join)
WORDS = st.one_of(
    st.sampled_from(["true", "TRUE", " true", "yes", "1", "Infinity", "NaN", "-0", "0x10", "1_000", "", "null", "ſ",
                     "İ", "[1]", '{"name": "a"}', "\ud83d\ude00", "\x00", "１", "1 ", "+1", ".5", "5."]),
    st.text(st.characters(categories=["L", "N", "P", "S", "Z"]), max_size=8),
)  # fmt: skip
SINGLE = st.one_of(
    NUMBERS,
    INSTANTS.map(json.dumps),
    st.one_of(NUMBERS, DAYS, INSTANTS, WORDS).map(json.dumps),
    st.sampled_from(["true", "false", "null"]),
)
FIELDS = st.sampled_from(["name", "count", "price", "gift", "Name", "COUNT", "", "other"])


def listed(items: Sequence[str]) -> str:
    return f"[{','.join(items)}]"


def object_of(members: Sequence[tuple[str, str]]) -> str:
    return f"{{{','.join(f'{json.dumps(key)}:{value}' for key, value in members)}}}"


OBJECTS = st.lists(st.tuples(FIELDS, SINGLE), max_size=4, unique_by=lambda member: member[0]).map(object_of)
GOOD_OBJECTS = st.tuples(WORDS, st.integers(-9, 9), st.floats(-9, 9), st.booleans()).map(
    lambda row: json.dumps(dict(zip(("name", "count", "price", "gift"), row, strict=True)))
)
ITEMS = st.one_of(SINGLE, OBJECTS, GOOD_OBJECTS, st.just("[]"))
ALIKE = (NUMBERS, st.sampled_from(["true", "null", '"false"']), WORDS.map(json.dumps), GOOD_OBJECTS, OBJECTS)
VALUES = st.one_of(
    SINGLE,
    ITEMS,
    st.lists(ITEMS, max_size=4).map(listed),
    *(st.lists(one, max_size=3).map(listed) for one in ALIKE),
)


@pytest.mark.promise("P9")
@settings(
    max_examples=6, phases=[Phase.generate], deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(VALUES, min_size=120, max_size=120))
def test_it_becomes_what_the_model_says(machine: Machine, texts: list[str]) -> None:
    as_property, of_json = (environment().get_template(f"macros/{name}.sql").module for name in ("properties", "json"))
    made = ", ".join(f'{as_property.property("sent", kind)} as "{kind}"' for kind in KINDS)  # type: ignore[attr-defined]
    # As everywhere in a load: a member of an object that was parsed.
    members = of_json.members(of_json.parsed("'{\"x\":' || one || '}'"))  # type: ignore[attr-defined]
    given = f"select element_at({members}, 'x') as sent from unnest(?) as listed (one)"

    rows = machine.runner().run(Statement(f"select {made} from ({given})", (texts,))).rows

    wrong = [
        (text, kind, row[kind])
        for text, row in zip(texts, rows, strict=True)
        for kind in KINDS
        if not same(RULES(kind)(read_json(text)), row[kind])
    ]
    assert wrong == []


def same(wanted: Any, found: Any) -> bool:
    one, other = ([{"message_id": "m", "value": value}] for value in (wanted, found))
    return compare.compare(one, other) == []
