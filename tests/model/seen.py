"""What the properties of track events are made of: places, types, and how many messages have them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.model.expected import Row
from tests.model.json_text import Number, read_json

Where = tuple[str, tuple[str, ...], str]


@dataclass
class SeenPlace:
    """The messages that have a type at a place: when each was received, and its values there."""

    event_texts: dict[datetime, str | None] = field(default_factory=dict)
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
            seen.event_texts[event["received_at"]] = event["event_text"]
            seen.received[event["message_id"]] = event["received_at"]
            seen.values[event["message_id"]].append(value)
    return dict(found)


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
