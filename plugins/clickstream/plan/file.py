"""The log definition, include/tracking_plan.yaml: read and checked. What derives from it is in event.py."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from clickstream.engine.column_type import ColumnTypeError, read_type
from clickstream.engine.sql import SQL_DIR
from clickstream.plan import marked_yaml
from clickstream.plan.event import Event, reserved_columns
from clickstream.plan.marked_yaml import DuplicateKeyError, Marked
from clickstream.plan.pattern import PatternError, parse_pattern

PLAN_FILE = SQL_DIR.parent / "tracking_plan.yaml"
SCHEMA_FILE = SQL_DIR.parent / "tracking_plan.schema.json"

MOST_COLUMNS = 800
"""Of one event, but for those that every table has: Trino takes a statement of a million characters, and the one that
fills a table has some thousand for each.
"""


class TrackingPlanError(ValueError):
    """The plan cannot be used; one line a mistake, each with file, line and entry.

    `mistakes` has them by path, in the file's order; it is empty when the file is no YAML.
    """

    def __init__(self, text: str, mistakes: "Sequence[Mistake]" = ()) -> None:
        super().__init__(text)
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True)
class TrackingPlan:
    """The events of one plan file, in order."""

    events: tuple[Event, ...]

    @property
    def live(self) -> tuple[Event, ...]:
        """Those that get rows in a table of their own."""
        return tuple(event for event in self.events if event.status == "live")

    @property
    def with_table(self) -> tuple[Event, ...]:
        """Those that have a table: the live ones, and deprecated ones, whose rows stay."""
        return tuple(event for event in self.events if event.status != "proposed")

    @property
    def conversions(self) -> frozenset[str]:
        """The values of `events.event` that are conversions."""
        return frozenset(name for event in self.events if event.is_conversion for name in event.slugs)


def read_plan(path: Path = PLAN_FILE) -> TrackingPlan:
    """Return the plan in a file. Raises TrackingPlanError and OSError."""
    return parse_plan(path.read_text(encoding="utf-8"), path.name)


@lru_cache(maxsize=8)
def parse_plan(text: str, file: str) -> TrackingPlan:
    """Return the plan in `text`; `file` is its name in messages. Raises TrackingPlanError with every mistake.

    A process parses the same text once.
    """
    try:
        document = marked_yaml.read(text)
    except DuplicateKeyError as error:
        raise TrackingPlanError(f"{file}:{error.line}: {_entry(error.path)}: {error}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise TrackingPlanError(f"{file}:{line}: no YAML: {error.problem}") from None
    mistakes = (
        list(_value_mistakes(document.value, ()))
        or list(_form_mistakes(document))
        or list(_name_mistakes(document.value))
    )
    if mistakes:
        placed = sorted((document.line(path), path, message) for path, message in mistakes)
        lines = (f"{file}:{line}: {_entry(path)}: {text}" for line, path, text in placed)
        raise TrackingPlanError("\n".join(lines), [(path, text) for _, path, text in placed])
    return TrackingPlan(tuple(Event(str(name), entry) for name, entry in document.value["events"].items()))


def require_narrow(plan: TrackingPlan, file: str) -> None:
    """Raise TrackingPlanError if an event has more columns than a statement can name.

    Apart from parse_plan: in a load, such an event fails alone, and the tables of the others are filled.
    """
    wide = [(event.name, len(event.columns)) for event in plan.events if len(event.columns) > MOST_COLUMNS]
    if wide:
        raise TrackingPlanError(
            "\n".join(
                f"{file}: {_entry(('events', name))}: it has {count} columns, at most {MOST_COLUMNS}: leave out the "
                "properties of an object, and its one column has it as JSON"
                for name, count in wide
            )
        )


def _entry(path: marked_yaml.Path) -> str:
    # A key may hold what no terminal can print.
    return " > ".join(map(str, path)).encode("utf-8", "backslashreplace").decode() or "the file"


Mistake = tuple[marked_yaml.Path, str]


def _value_mistakes(value: Any, path: marked_yaml.Path) -> Iterator[Mistake]:
    """Yield numbers that no double holds, since JSON has no infinity, and text that cannot be encoded."""
    if isinstance(value, int | float) and not abs(value) <= sys.float_info.max:
        yield path, "the number is larger than any that can be compared: put it in quotes, or take a smaller one"
    if isinstance(value, str) and not marked_yaml.is_unicode(value):
        yield (
            path,
            f"{value!r} has half of a surrogate pair: write the character, or an escape such as \\U0001F600",
        )
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        if isinstance(key, str):
            yield from _value_mistakes(key, (*path, key))
        yield from _value_mistakes(inner, (*path, key))


def _form_mistakes(document: Marked) -> Iterator[Mistake]:
    """Yield what the form (the schema file) does not allow."""
    for error in _validator().iter_errors(document.value):
        yield tuple(error.absolute_path), error.message


@cache
def _validator() -> Any:
    # Imported by the few tasks that read the plan: it costs every other task a third of a second of CPU.
    import jsonschema  # noqa: PLC0415

    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())


def _name_mistakes(plan: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield names that are missing, taken or reserved, and patterns that no engine may get."""
    events = [Event(str(name), entry) for name, entry in plan["events"].items()]
    slugs: dict[str, str] = {}
    tables: dict[str, str] = {}
    for event in events:
        path = ("events", event.name)
        if not event.table:
            yield path, "its name makes no table name in plain letters: add `table: some_name`"
        elif tables.setdefault(event.table, event.name) != event.name:
            yield path, f"its table {event.table} is that of {tables[event.table]}: add `table: another_name`"
        for name in event.slugs:
            if slugs.setdefault(name, event.name) != event.name:
                yield path, f"{name!r} is a name of {slugs[name]} too: messages of one name go to one table"
        yield from _column_mistakes(event)
        yield from _required_mistakes(path, event.schema)
        yield from _pattern_mistakes(path, event.schema)


def _column_mistakes(event: Event) -> Iterator[Mistake]:
    reserved = reserved_columns()
    path = ("events", event.name)
    retired = event.entry.get("retired_columns", {})
    names = Counter([*(column.name for column in event.columns), *retired])
    for column in event.columns:
        at = (*path, *(step for key in column.keys for step in ("properties", key)))
        if not column.name:
            yield at, "its name makes no column name in plain letters: add `column: {name: some_name}`"
        elif column.name in reserved:
            yield at, f"column {column.name} is reserved: add `column: {{name: property_{column.name}}}`"
        elif names[column.name] > 1:
            yield at, f"column {column.name} has another source too: add `column: {{name: another_name}}`"
        yield from _type_mistakes((*at, "column", "type"), column.type)
    for name, kind in retired.items():
        if name in reserved:
            yield (*path, "retired_columns", name), f"column {name} is reserved"
        yield from _type_mistakes((*path, "retired_columns", name), kind)


def _type_mistakes(path: marked_yaml.Path, kind: str) -> Iterator[Mistake]:
    try:
        read_type(kind)
    except ColumnTypeError as error:
        yield path, str(error)


def _required_mistakes(path: marked_yaml.Path, schema: Mapping[str, Any]) -> Iterator[Mistake]:
    properties = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in properties:
            yield (*path, "required"), f"{name!r} is required but not among the properties"
    for name, inner in properties.items():
        yield from _required_mistakes((*path, "properties", name), inner)
    if "items" in schema:
        yield from _required_mistakes((*path, "items"), schema["items"])


def _pattern_mistakes(path: marked_yaml.Path, schema: Mapping[str, Any]) -> Iterator[Mistake]:
    try:
        parse_pattern(schema.get("pattern", ""))
    except PatternError as error:
        yield (*path, "pattern"), str(error)
    for name, inner in schema.get("properties", {}).items():
        yield from _pattern_mistakes((*path, "properties", name), inner)
    if "items" in schema:
        yield from _pattern_mistakes((*path, "items"), schema["items"])
