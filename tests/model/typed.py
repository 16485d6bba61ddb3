"""What the table of one event must hold, and which violations and discards there must be.

Read from the plan's YAML and judged by the jsonschema library: nothing is shared with the pipeline.
"""

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import jsonschema
import yaml

from tests.model.expected import CONTEXT_BOOLEAN, CONTEXT_DOUBLE, CONTEXT_JSON, CONTEXT_TEXT, Row
from tests.model.json_text import Number, read_json, write_json
from tests.model.values import boolean, double, instant, json_text, slug, text

KEYS = (
    "message_id", "event", "event_text", "user_id", "anonymous_id", "received_at", "timestamp", "original_timestamp",
    "sent_at",
)  # fmt: skip
CONTEXT_COUNT = len((*CONTEXT_TEXT, *CONTEXT_BOOLEAN, *CONTEXT_DOUBLE, *CONTEXT_JSON))
NOTHING = object()
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class TypedTable:
    """Rows, violations (message, property, rule, how often, severity) and discards (message, column, JSON text)."""

    rows: list[Row]
    violations: set[tuple[str, str, str, int, str]]
    discards: set[tuple[str, str, str]]


def expected_typed(plan_text: str, events: Sequence[Row]) -> dict[str, TypedTable]:
    """By name of the event: what must come of these rows of `events`, for each live event of the plan."""
    plan = yaml.safe_load(plan_text)["events"]
    return {name: _table(name, entry, events) for name, entry in plan.items() if entry["status"] == "live"}


def _table(name: str, entry: Mapping[str, Any], events: Sequence[Row]) -> TypedTable:
    slugs = {slug(one) for one in (name, *entry.get("renames", []))}
    table = entry.get("table") or slug(name)
    result = TypedTable([], set(), set())
    schema = {"type": "object", **{key: entry[key] for key in ("properties", "required") if key in entry}}
    for event in events:
        if event["type"] != "track" or event["event"] not in slugs:
            continue
        message_id = event["message_id"]
        sent = event["properties"]
        broken = list(_broken(schema, json.loads(sent) if sent is not None else {}))
        severity = entry.get("on_violation", "warn")
        result.violations.update(
            (message_id, where, rule, broken.count((where, rule)), severity) for where, rule in broken
        )
        row = {column: event[column] for column in event if column in KEYS or column.startswith("context_")}
        extras: dict[str, Any] = {}
        found = list(_cells((), schema, read_json(sent) if sent is not None else {}, extras))
        row |= {column: value for column, value, _ in found if column}
        row["extras"] = json_text(extras) if extras else None
        result.discards.update(
            (message_id, f"{table}.{column or where}", bad) for column, _, (where, bad) in _bad(found)
        )
        if not (broken and severity == "block"):
            result.rows.append(row)
    return result


def _bad(found: Sequence[tuple[str, Any, Any]]) -> Iterator[tuple[str, Any, tuple[str, str]]]:
    return ((column, value, bad) for column, value, bad in found if bad is not None)


def _broken(schema: Mapping[str, Any], properties: Any) -> Iterator[tuple[str, str]]:
    """(property, rule) for each broken rule, as jsonschema sees it."""
    validator = VALIDATOR(schema, format_checker=FORMATS)
    for error in validator.iter_errors(properties):
        place = "".join("[]" if isinstance(step, int) else f".{step}" for step in error.absolute_path).lstrip(".")
        if error.validator == "required":
            missing = re.fullmatch("'(.+)' is a required property", error.message)
            assert missing
            place = f"{place}.{missing[1]}".lstrip(".")
        yield place, str(error.validator)


def _cells(path: tuple[str, ...], schema: Any, value: Any, extras: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """(column, value, (place, JSON text of what does not fit) or None); what is not declared goes to `extras`."""
    members = value if isinstance(value, dict) else {}
    declared = schema.get("properties", {})
    extras |= {key: member for key, member in members.items() if key not in declared and member is not None}
    for key, inner in declared.items():
        sent = members.get(key)
        where = (*path, key)
        override = inner.get("column", {})
        if inner.get("properties") and "type" not in override:
            inside: dict[str, Any] = {}
            fits = sent is None or isinstance(sent, dict)
            yield "", None, None if fits else (".".join(where), write_json(sent))
            yield from _cells(where, inner, sent, inside)
            if inside:
                extras[key] = inside
            continue
        column = override.get("name") or slug("_".join(where))
        typed = RULES(override.get("type") or _kind(inner))(sent)
        yield str(column), typed, None if typed is not None or sent is None else (".".join(where), write_json(sent))


def _kind(schema: Mapping[str, Any]) -> str:
    types = schema.get("type", [])
    types = {types} - {"null"} if isinstance(types, str) else set(types) - {"null"}
    if types == {"string"}:
        return {"date-time": "timestamp", "date": "date"}.get(schema.get("format", ""), "varchar")
    plain = {"integer": "bigint", "number": "double", "boolean": "boolean"}
    if len(types) == 1 and types <= plain.keys():
        return plain[types.pop()]
    if types == {"integer", "number"}:
        return "double"
    return "varchar" if types and types <= {"string", *plain} else "json"


def RULES(kind: str) -> Any:  # noqa: N802 - a table with a default
    """The rule that makes a value of this column type."""
    rules = {
        "varchar": text, "boolean": boolean, "double": double, "timestamp": instant, "json": json_text,
        "bigint": _bigint, "date": _date,
    }  # fmt: skip
    if kind.startswith("decimal"):
        return lambda value: _decimal(value, *map(int, re.findall(r"\d+", kind)))
    if kind.startswith("array(row("):
        fields = dict(field.split() for field in kind[len("array(row(") : -2].split(","))
        return lambda value: _array(value, lambda item: _row(item, fields))
    if kind.startswith("array("):
        return lambda value: _array(value, rules[kind[len("array(") : -1]])
    return rules[kind]


def _spelled(value: Any) -> str | None:
    return value.literal if isinstance(value, Number) else value if isinstance(value, str) else None


def _exact(value: Any) -> Decimal | None:
    """The number that is kept: a string's and a whole number's as written, else that of a double, if it tells it."""
    if double(value) is None or (isinstance(value, Number) and value.is_rounded):
        return None
    is_double = isinstance(value, Number) and value.is_double
    return Decimal(repr(double(value)) if is_double else str(_spelled(value)))


def _bigint(value: Any) -> int | None:
    exact = _exact(value)
    if exact is None or exact.adjusted() > 20 or exact != exact.to_integral_value():
        return None
    return int(exact) if -(2**63) <= exact < 2**63 else None


def _decimal(value: Any, precision: int, scale: int) -> Decimal | None:
    exact = _exact(value)
    if exact is None or len(str(_spelled(value))) > 1000:
        return None
    with localcontext(prec=2_500):  # of 1,000 digits and an exponent of a double
        number = exact.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)
    return number if abs(number) < Decimal(10) ** (precision - scale) else None


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and _DAY.fullmatch(value) else None
    except ValueError:
        return None


def _array(value: Any, rule: Any) -> list[Any] | None:
    if not isinstance(value, list):
        return None
    items = [(item, None if item is None else rule(item)) for item in value]
    return None if any(sent is not None and typed is None for sent, typed in items) else [typed for _, typed in items]


def _row(value: Any, fields: Mapping[str, str]) -> tuple[Any, ...] | None:
    if not isinstance(value, dict):
        return None
    cells = [(value.get(name), RULES(kind)(value.get(name))) for name, kind in fields.items()]
    return None if any(sent is not None and cell is None for sent, cell in cells) else tuple(cell for _, cell in cells)


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[jsonschema.ValidationError]:
    """As ECMA-262 has it: `$` is the end alone. The plans of tests have it in no other meaning."""
    if isinstance(value, str) and not (len(value) <= 4_000 and re.search(pattern.replace("$", r"\Z"), value)):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern!r}")


VALIDATOR = jsonschema.validators.extend(jsonschema.Draft7Validator, {"pattern": _pattern})
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: Any) -> bool:
    if not isinstance(value, str):
        return True
    whole = re.fullmatch(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", value)
    return bool(whole and datetime.fromisoformat(value.upper()))


@FORMATS.checks("date", raises=ValueError)
def _is_date(value: Any) -> bool:
    return not isinstance(value, str) or _date(value) is not None


@FORMATS.checks("email")
def _is_email(value: Any) -> bool:
    return not isinstance(value, str) or re.fullmatch(r"[^@\s]+@[^@\s]+", value) is not None


@FORMATS.checks("uri")
def _is_uri(value: Any) -> bool:
    return not isinstance(value, str) or re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", value) is not None


@FORMATS.checks("uuid", raises=ValueError)
def _is_uuid(value: Any) -> bool:
    return not isinstance(value, str) or (len(value) == 36 and str(uuid.UUID(value)) == value.lower())
