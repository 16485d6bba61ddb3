"""The rules for one text, each macro by itself on real Trino: hundreds of texts in one statement.

macros.yaml has what a person worked out; the model, which shares no code, says the same of many more texts.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from clickstream.engine.sql import Statement, environment
from clickstream.plan.names import slug
from local.lake.machine import Machine
from tests.model import values

BY_HAND: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "macros.yaml").read_text(encoding="utf-8"))
SLUGS = Path(__file__).parents[1] / "model" / "cases" / "slugs" / "20261124T010203004Z-a.ndjson"
LETTERS = "aZ9 _-.$가ßẞΣςİıǅ٣Ⅳ①é\u0301\u093f\u20e3\ufe0f❤🎉\u2028"


def macro_of(machine: Machine, macro: str, texts: Sequence[str]) -> dict[str, Any]:
    """What the macro makes of each text, by text; an instant as text in UTC."""
    file, name = macro.split()
    expression = getattr(environment().get_template(f"macros/{file}").module, name)("sent")
    statement = Statement(f"select sent, {expression} as made from unnest(?) as given (sent)", (list(texts),))
    return {row["sent"]: _plain(row["made"]) for row in machine.runner().run(statement).rows}


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f").zfill(26) if isinstance(value, datetime) else value


@pytest.mark.parametrize("macro", BY_HAND)
def test_a_text_becomes_what_a_person_says(machine: Machine, macro: str) -> None:
    assert macro_of(machine, macro, list(BY_HAND[macro])) == BY_HAND[macro]


def instants() -> Iterator[str]:
    """Every combination of parts that are right, at an edge, or wrong."""
    dates = ("2026-11-24", "2024-02-29", "2023-02-29", "0002-01-01", "9998-12-31", "2026-1-02")
    times = ("01:02:03", "23:59:60", "24:00:00", "01:02", "1:02:03", "01:60:00")
    fractions = ("", ".1", ".1234567", ".")
    offsets = ("", "Z", "+09:00", "-0330", "+14:00", "-14:01", "+9:00", "+09:60", "+09", "-14", "+15")
    for date, separator, time, fraction, offset in itertools.product(dates, "T t", times, fractions, offsets):
        yield f"{date}{separator}{time}{fraction}{offset}"


def numbers() -> Iterator[str]:
    """The same of numbers."""
    signs, whole, fractions = ("", "-", "+", "--"), ("0", "007", "12", "9007199254740993", ""), ("", ".5", ".", ".0")
    exponents = ("", "e3", "E-3", "e+308", "e309", "e", "e3.0")
    yield from map("".join, itertools.product(signs, whole, fractions, exponents))


def words() -> Iterator[str]:
    """Words near true and false."""
    yield from (
        case(word) for word in ("true", "false", "truė", "ＴＲＵＥ", "0", "on") for case in (str.upper, str.title, str)
    )


def names() -> Iterator[str]:
    """Names of events: those of the case, and every pair of letters that make slugs hard."""
    yield from (str(json.loads(line)["event"]) for line in SLUGS.read_text(encoding="utf-8").splitlines())
    yield from (f"{one}{other}Ab" for one, other in itertools.product(LETTERS, LETTERS))


SWEPT: dict[str, tuple[Callable[[], Iterator[str]], Callable[[str], Any]]] = {
    "time.sql instant": (instants, lambda text: _plain(values.instant(text))),
    "json.sql double_of": (numbers, values.double),
    "json.sql boolean_of": (words, values.boolean),
    "naming.sql slug": (names, values.slug),
}


@pytest.mark.parametrize("macro", SWEPT)
def test_any_text_becomes_what_the_model_says(machine: Machine, macro: str) -> None:
    make, model = SWEPT[macro]
    texts = sorted(set(make()))

    assert macro_of(machine, macro, texts) == {text: model(text) for text in texts}


def test_python_and_sql_make_the_same_slugs(machine: Machine) -> None:
    """An event of the plan is found by its slug: Python makes it of the plan's name, SQL of the one that is sent."""
    texts = sorted(set(names()))

    made = macro_of(machine, "naming.sql slug", texts)

    assert {text: made[text] or "" for text in texts} == {text: slug(text) for text in texts}
