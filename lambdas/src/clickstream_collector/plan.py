"""The tracking plan at the door: whether a message keeps the rules of its event, as the load's SQL judges it.

`tools/door_plan.py` compiles include/tracking_plan.yaml to what is read here, a part of the compiled sources. What each
rule means is said by `work/findings/load.sql` in include/sql; tests/collector/plan_cases.yaml holds both to one list of
cases.
"""

import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from clickstream_collector.clock import read_instant

LONGEST_TEXT = 4_000
"""Characters of a text that is compared with a pattern; a longer one matches none. As in the load."""

EFFORT = 50_000_000
"""What the judgement of one request may cost, some half a second: a pattern's time grows with the square of its text.

What is over it is not judged here, only by the load: anybody can send texts that take long.
"""

_VALUE_EFFORT = 200
_DATE = re.compile(r"(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]+([Zz]|[+-][0-9]{2}:[0-9]{2})")
_HEX = "[0-9A-Fa-f]"
# As in the load, \s is of ASCII only.
_FORMATS = {
    "email": re.compile(r"[^@\s]+@[^@\s]+", re.ASCII),
    "uri": re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", re.ASCII),
    "uuid": re.compile(rf"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"),
}


@dataclass(frozen=True)
class Violation:
    """A rule that a message breaks. `property`: where in `properties`, as products[].price."""

    rule: str
    property: str

    def to_dict(self) -> dict[str, str]:
        """Convert to the form noted in the message."""
        return {"rule": self.rule, "property": self.property}


@dataclass(frozen=True)
class Rule:
    """What one place in `properties` must be. In `path`, [] stands for each item of an array; None allows anything."""

    path: tuple[str, ...]
    property: str
    types: frozenset[str] | None = None
    enum: tuple[Any, ...] | None = None
    format: str | None = None
    pattern: re.Pattern[str] | None = None
    minimum: float | None = None
    maximum: float | None = None
    required: tuple[str, ...] = ()

    def broken_by(self, value: Any, effort: "Effort") -> Iterator[Violation]:
        """Yield the violations of one value. Raises TooMuchError."""
        kind = kind_of(value)
        effort.spend(_VALUE_EFFORT * (1 + len(self.enum or ()) // 2) + (len(value) if isinstance(value, str) else 0))
        if self.types is not None and kind not in self.types and not (kind == "integer" and "number" in self.types):
            yield Violation("type", self.property)
        if self.enum is not None and not any(is_same(allowed, value) for allowed in self.enum):
            yield Violation("enum", self.property)
        if isinstance(value, str):
            yield from self._broken_by_text(value, effort)
        elif kind in ("integer", "number"):
            yield from self._broken_by_number(_double(value))
        elif isinstance(value, dict):
            for name in self.required:
                if name not in value:
                    yield Violation("required", f"{self.property}.{name}" if self.property else name)

    def _broken_by_text(self, text: str, effort: "Effort") -> Iterator[Violation]:
        if self.format is not None and not has_format(text, self.format):
            yield Violation("format", self.property)
        if self.pattern is not None and not _matches(self.pattern, text, effort):
            yield Violation("pattern", self.property)

    def _broken_by_number(self, number: float) -> Iterator[Violation]:
        if self.minimum is not None and number < self.minimum:
            yield Violation("minimum", self.property)
        if self.maximum is not None and number > self.maximum:
            yield Violation("maximum", self.property)


@dataclass(frozen=True)
class Plan:
    """The events that are judged, by their slugs, and what is published of the plan."""

    rules: Mapping[str, Sequence[Rule]] = field(default_factory=dict)
    schemas: Mapping[str, Any] = field(default_factory=dict)
    etag: str = ""


class TooMuchError(Exception):
    """The judgement would cost more than it may."""


class Effort:
    """What may still be spent."""

    def __init__(self, left: int = EFFORT) -> None:
        self.left = left

    def spend(self, amount: int) -> None:
        """Take this from it. Raises TooMuchError when it is used up."""
        self.left -= amount
        if self.left < 0:
            raise TooMuchError


class Judge:
    """Judge the messages of one request. `violating`: messages by slug; `unjudged`: those for which effort ran out."""

    def __init__(self, plan: Plan, effort: Effort | None = None) -> None:
        self._plan, self._effort = plan, effort or Effort()
        self.violating: Counter[str] = Counter()
        self.unjudged = 0

    def judge(self, message: Mapping[str, Any]) -> list[Violation]:
        """Return the violations of a message, each once; none of one that is no live event of the plan."""
        name = message.get("event")
        known = slug(name) if message.get("type") == "track" and isinstance(name, str) else ""
        rules = self._plan.rules.get(known)
        if not rules:
            return []
        properties = opened(message.get("properties"))
        try:
            found = list(dict.fromkeys(_judged(rules, {} if properties is None else properties, self._effort)))
        except (TooMuchError, RecursionError):
            self.unjudged += 1
            return []
        if found:
            self.violating[known] += 1
        return found


def _judged(rules: Sequence[Rule], properties: Any, effort: Effort) -> Iterator[Violation]:
    for rule in rules:
        for value in values_at(properties, rule.path):
            yield from rule.broken_by(value, effort)


def values_at(document: Any, path: Sequence[str]) -> list[Any]:
    """Return all values at a path of a document; [] stands for each item of an array."""
    found = [document]
    for step in path:
        if step == "[]":
            found = [item for value in found if isinstance(value, list) for item in value]
        else:
            found = [value[step] for value in found if isinstance(value, dict) and step in value]
    return found


def opened(value: Any) -> Any:
    """Return a text that holds a JSON object as that object: the table reads it so too."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def kind_of(value: Any) -> str:
    """Return the JSON Schema type of a value; a number without a fraction is an integer."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def is_same(one: Any, other: Any) -> bool:
    """Return whether two values say the same: 1 is 1.0. Whole numbers are compared by their digits."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other if isinstance(one, int) and isinstance(other, int) else _double(one) == _double(other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(value, other[name]) for name, value in one.items())
    return type(one) is type(other) and one == other


def _double(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def has_format(text: str, name: str) -> bool:
    """Return whether a text has the format that JSON Schema names."""
    if name == "date":
        return _DATE.fullmatch(text) is not None and _is_day(text)
    if name == "date-time":
        return _DATE_TIME.fullmatch(text) is not None and read_instant(text.upper()) is not None
    return _FORMATS[name].fullmatch(text) is not None


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _matches(pattern: re.Pattern[str], text: str, effort: Effort) -> bool:
    if len(text) > LONGEST_TEXT:
        return False
    effort.spend(len(text) * len(text))
    return pattern.search(text) is not None


@lru_cache(maxsize=4096)
def slug(name: str) -> str:
    """Return a name as `events.event` has it: see clickstream.plan.names.slug, to which a test holds it."""
    kinds = "".join(map(_kind, name))
    starts = {match.end() for match in re.finditer(r"[ld](?=U)", kinds)}
    starts |= {match.end() for match in re.finditer(r"U(?=Ul)", kinds)}
    pieces = (
        ("_" if at in starts else "") + ("_" if kind == " " else character.lower()[0])
        for at, (character, kind) in enumerate(zip(name, kinds, strict=True))
    )
    return re.sub("_+", "_", "".join(pieces)).strip("_")


def _kind(character: str) -> str:
    """Return U for upper case, l lower case, d digit, x any other letter or mark, a space for what parts words."""
    category = unicodedata.category(character)
    if "\ufe00" <= character <= "\ufe0f":
        return " "
    if category[0] == "L" or category in ("Mn", "Mc", "Nd"):
        return {"Lu": "U", "Ll": "l", "Nd": "d"}.get(category, "x")
    return " "


def read_plan(compiled: Mapping[str, Any]) -> Plan:
    """Return the plan of a compiled object. Raises ValueError, KeyError and TypeError for another shape."""
    by_event = {name: tuple(map(_rule, rules)) for name, rules in compiled["rules"].items()}
    rules = {name: by_event[event] for name, event in compiled["names"].items()}
    return Plan(rules, compiled["schemas"], str(compiled["etag"]))


def _rule(entry: Mapping[str, Any]) -> Rule:
    kind = entry.get("format")
    if kind not in (None, "date", "date-time", *_FORMATS):
        raise ValueError(f"format {kind!r} is not known")
    try:
        pattern = re.compile(entry["pattern"]) if "pattern" in entry else None
    except re.error as error:
        raise ValueError(f"pattern: {error}") from None
    return Rule(
        path=tuple(entry["path"]),
        property=str(entry["property"]),
        types=frozenset(entry["types"]) if "types" in entry else None,
        enum=tuple(entry["enum"]) if "enum" in entry else None,
        format=kind,
        pattern=pattern,
        minimum=entry.get("minimum"),
        maximum=entry.get("maximum"),
        required=tuple(entry.get("required", ())),
    )
