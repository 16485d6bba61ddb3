"""What the properties of track events are made of: places, types, and how many messages have them."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.model.expected import Row
from tests.model.json_text import Number, read_json, same_json

Where = tuple[str, tuple[str, ...], str]


@dataclass
class SeenPlace:
    """The messages that have a type at a place: when each was received, and its values there."""

    event_texts: dict[datetime, list[str | None]] = field(default_factory=lambda: defaultdict(list))
    received: dict[str, datetime] = field(default_factory=dict)
    values: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))

    @property
    def first(self) -> set[str]:
        """The messages that were received first."""
        return {message for message, at in self.received.items() if at == min(self.received.values())}


def expected_seen(events: Sequence[Row], depth: int = 5) -> dict[Where, SeenPlace]:
    """By event ('' for none), path and JSON Schema type. [] is an item of an array."""
    found: dict[Where, SeenPlace] = defaultdict(SeenPlace)
    for event in events:
        if event["type"] != "track":
            continue
        document = {} if event["properties"] is None else read_json(event["properties"])
        for path, value in places((), document, depth):
            seen = found[(event["event"] or "", path, kind(value))]
            seen.event_texts[event["received_at"]].append(event["event_text"])
            seen.received[event["message_id"]] = event["received_at"]
            seen.values[event["message_id"]].append(value)
    return dict(found)


def compare_seen(expected: Mapping[Where, SeenPlace], rows: Sequence[Row]) -> list[str]:
    """How rows of lake/plan_diff/seen.sql differ from the expected places; empty when they do not."""
    found = {(row["event"], tuple(json.loads(row["path"])), row["json_type"]): row for row in rows}
    twice = [] if len(found) == len(rows) else ["a place is there twice"]
    return (
        twice
        + [f"not in both: {where}" for where in sorted(expected.keys() ^ found.keys())]
        + [
            f"{where}: expected {wanted}, found {found[where]}"
            for where, wanted in expected.items()
            if where in found and not _agrees(wanted, found[where])
        ]
    )


def _agrees(wanted: SeenPlace, row: Row) -> bool:
    last = max(wanted.received.values())
    return (
        (row["messages"], row["first_seen_at"], row["last_seen_at"])
        == (len(wanted.received), min(wanted.received.values()), last)
        and row["event_text"] in wanted.event_texts[last]
        and row["message_id"] in wanted.first
        and any(_is_example(value, row["example"]) for value in wanted.values[row["message_id"]])
    )


def _is_example(value: Any, example: str) -> bool:
    return len(example) == 200 or same_json(value, read_json(example))


def places(path: tuple[str, ...], value: Any, depth: int) -> Iterator[tuple[tuple[str, ...], Any]]:
    """A value and all below it, at most `depth` levels down."""
    yield path, value
    if depth == 0:
        return
    inner = value.items() if isinstance(value, dict) else [("[]", item) for item in value] if _is_list(value) else []
    for key, member in inner:
        yield from places((*path, key), member, depth - 1)


def kind(value: Any) -> str:
    """The type of a value in JSON Schema; a number without a fraction is an integer."""
    if isinstance(value, Number):
        return "integer" if float(value.literal).is_integer() else "number"
    names = {bool: "boolean", str: "string", dict: "object", list: "array", type(None): "null"}
    return names[type(value)]


def _is_list(value: Any) -> bool:
    return isinstance(value, list)
