"""Entries for the tracking plan out of what was seen, as text to paste: types as seen, the rest left to a person.

No value that was sent is in them, since the plan is not a place for personal data.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from clickstream.plan.event import Event, Keys, reserved_columns
from clickstream.plan.names import PLAIN, slug
from clickstream.plan.seen import Place
from clickstream.plan.segment import UNKNOWN

MOST_MEMBERS = 50
"""Members of an object that are written; one with more has ids as keys, and stays an object of anything."""

HEAD = """
  # Proposed from what was sent. For each event: say what it is, whose and from which sources, what is required, and set
  # `pii: true` where a value identifies a person. With `status: live` it gets its table.
"""


def event_entry(name: str, root: Place, tables: set[str]) -> str:
    """Return the entry of an event, at the depth of the plan's events. Adds its table to `tables`, those in use."""
    properties = {key: _schema(place) for key, place in root.commonest()}
    entry: dict[str, Any] = {"description": "To be described.", **UNKNOWN, "properties": properties}
    name_table(name, entry, tables)
    name_columns(entry, reserved_columns())
    lines = [_pair("  ", name, "")]
    lines += [f"    {_dump({key: value})[1:-1]}" for key, value in entry.items() if key != "properties"]
    lines.append("    properties:" + ("" if properties else " {}"))
    whole = root.sighting.messages
    lines += [_property(" " * 6, key, properties[key], place, whole) for key, place in root.commonest()]
    return "\n".join(lines) + "\n"


def property_entry(path: Keys, place: Place, whole: int, taken: set[str]) -> str:
    """Return the line of an undeclared property, for its missing `properties`. `whole`: messages of its event.

    Adds its columns to `taken`, those of its event; what is in an array has none.
    """
    schema = _schema(place)
    if "[]" not in path:
        below = schema
        for key in reversed(path):
            below = {"properties": {key: below}}
        name_columns(below, taken)
    return _property("", path[-1], schema, place, whole)


def name_table(name: str, entry: dict[str, Any], tables: set[str]) -> None:
    """Give the event's entry a table's name when its own makes none, or one of `tables`; add it to those."""
    table = Event(name, entry).table
    if not table or table in tables:
        table = _free(_plain(name) or "event", tables)
        entry["table"] = table
    tables.add(table)


def name_columns(entry: Mapping[str, Any], taken: set[str]) -> int:
    """Give a column's name to each property whose own makes none, or one in use; add all to `taken`.

    Return how many.
    """
    count = 0
    for column in Event("", entry).columns:
        name = column.name
        if not name or name in taken:
            name = _free("_".join(filter(None, ("property", _plain("_".join(column.keys))))), taken)
            schema: Any = entry
            for key in column.keys:
                schema = schema["properties"][key]
            schema["column"] = {**schema.get("column", {}), "name": name}
            count += 1
        taken.add(name)
    return count


def to_append(events: Sequence[str], lines: Mapping[tuple[str, str], Sequence[str]]) -> str:
    """Return text for the end of the plan: entries, and as comments the lines by event and the property around them."""
    text = HEAD + "\n".join(events) if events else ""
    for (event, inside), entries in lines.items():
        place = _scalar(event) + (f", in {_scalar(inside)}" if inside else "")
        text += f"\n  # To the properties of {place}:\n"
        text += "".join(f"  #     {line}\n" for entry in entries for line in entry.split("\n"))
    return text


def _schema(place: Place) -> dict[str, Any]:
    types = sorted(name for name in place.types if name != "null")
    if "number" in types and "integer" in types:
        types.remove("integer")
    given = types + (["null"] if types and "null" in place.types else [])
    schema: dict[str, Any] = {"type": given[0] if len(given) == 1 else given} if given else {}
    if types == ["object"] and 0 < len(place.below) <= MOST_MEMBERS:
        schema["properties"] = {key: _schema(inner) for key, inner in place.commonest()}
    if types == ["array"] and "[]" in place.below:
        schema["items"] = _schema(place.below["[]"])
    return schema


def _plain(name: str) -> str:
    """Return what of a name has plain letters; '' when nothing has."""
    plain = re.sub("_+", "_", re.sub("[^a-z0-9_]", "", slug(name))).strip("_")[:100]
    return plain if PLAIN.match(plain) or not plain else f"_{plain}"


def _free(name: str, taken: set[str]) -> str:
    candidates = (f"{name}_{number}" if number > 1 else name for number in range(1, len(taken) + 2))
    return next(candidate for candidate in candidates if candidate not in taken)


def _property(indent: str, key: str, schema: Mapping[str, Any], place: Place, whole: int) -> str:
    return _pair(indent, key, f"{_dump(schema)}  # in {place.sighting.messages} of {whole} messages; pii?")


def _pair(indent: str, key: str, value: str) -> str:
    scalar = _scalar(key)
    # YAML takes a longer key only with a mark.
    text = f"{indent}{scalar}: {value}" if len(scalar) < 1000 else f"{indent}? {scalar}\n{indent}: {value}"
    return text.rstrip()


def _scalar(text: str) -> str:
    return _dump([text])[1:-1]


def _dump(value: Any) -> str:
    """Return the value as YAML in one line."""
    for style in (None, '"'):
        text: str = yaml.safe_dump(
            value, default_flow_style=True, default_style=style, allow_unicode=True, sort_keys=False, width=sys.maxsize
        ).strip()
        if text.isprintable():
            break
    return text
