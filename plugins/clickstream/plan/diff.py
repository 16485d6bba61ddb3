"""How what is sent differs from the tracking plan: what is undeclared, what is never seen, and where types disagree.

Types are those of JSON Schema, and `null` is one of them, as it is for violations.
"""

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from clickstream.plan.entries import event_entry, property_entry, to_append
from clickstream.plan.event import Event, Keys, Rule, reserved_columns
from clickstream.plan.file import TrackingPlan
from clickstream.plan.seen import Place, Seen, Sighting, together

LONGEST_LIST = 200_000
"""Bytes of the differences that are stored: Athena takes statements of 262,144, Trino of a million."""

USUAL_DAYS = 7
"""Days that a comparison looks at when nobody says otherwise."""

LONGEST_DAYS = 366
"""The most that a comparison looks back."""


class Kind(StrEnum):
    """What a difference is."""

    UNDECLARED_EVENT = "undeclared_event"
    UNDECLARED_PROPERTY = "undeclared_property"
    OTHER_TYPE = "other_type"
    UNSEEN_EVENT = "unseen_event"
    UNSEEN_PROPERTY = "unseen_property"


@dataclass(frozen=True)
class Difference:
    """One difference. `path` is where in `properties`, () for the event as a whole; `declared` and `seen` are types.

    `entry` is what to paste into the plan: the event's entry, or the property's line in the `properties` around it.
    """

    kind: Kind
    event: str
    path: Keys = ()
    declared: str = ""
    seen: str = ""
    sighting: Sighting | None = None
    entry: str = ""

    @property
    def property_name(self) -> str:
        """The path as a person writes it, such as products[].price."""
        return Rule(self.path, {}).property_name

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON values, named as the columns of `plan_diff`; instants in ISO 8601."""
        there = self.sighting
        return {
            "kind": self.kind.value,
            "event": self.event,
            "property": self.property_name,
            "declared_types": self.declared or None,
            "seen_types": self.seen or None,
            "messages": there.messages if there else 0,
            "first_seen_at": there.first_seen_at.isoformat() if there else None,
            "last_seen_at": there.last_seen_at.isoformat() if there else None,
            "example": there.example if there else None,
            "message_id": there.message_id if there else None,
            "entry": self.entry or None,
        }


def differences(plan: TrackingPlan, seen: Seen) -> list[Difference]:
    """Return every difference: undeclared events, the commonest first, then event by event in the plan's order.

    A live event that is not seen is missed; a proposed or deprecated one is not, and is compared when it is seen.
    """
    found = list(_undeclared_events(plan, seen))
    for event in plan.events:
        root = together(seen.events[slug] for slug in event.slugs if slug in seen.events)
        if root.types:
            found += _Comparison(event, root.sighting.messages, seen.is_cut).of((), event.schema, root)
        elif event.status == "live":
            found.append(Difference(Kind.UNSEEN_EVENT, event.name))
    return found


def suggestion(found: Iterable[Difference]) -> str:
    """Return what to append to the plan: entries of new events, and as comments the lines for events that are there."""
    events: list[str] = []
    lines: dict[tuple[str, Keys], list[str]] = {}
    for one in found:
        if one.entry and one.path:
            lines.setdefault((one.event, one.path[:-1]), []).append(one.entry)
        elif one.entry:
            events.append(one.entry)
    return to_append(events, {(name, Rule(path, {}).property_name): text for (name, path), text in lines.items()})


def counts(found: Iterable[Difference]) -> dict[str, int]:
    """Return how many there are of each kind."""
    return dict(Counter(one.kind.value for one in found))


def fitting(found: Sequence[Difference]) -> tuple[str, int]:
    """Return the first differences as a JSON list that one statement holds, and how many they are."""
    texts = [json.dumps(one.to_dict(), ensure_ascii=False) for one in found]
    ends = itertools.accumulate(len(text.encode()) + 1 for text in texts)
    count = sum(end <= LONGEST_LIST for end in ends)
    return f"[{','.join(texts[:count])}]", count


def _undeclared_events(plan: TrackingPlan, seen: Seen) -> Iterator[Difference]:
    known = {name for event in plan.events for name in event.slugs}
    tables = {event.table for event in plan.events}
    new = [(slug, root) for slug, root in seen.events.items() if slug not in known]
    for slug, root in sorted(new, key=lambda item: (-item[1].sighting.messages, item[0])):
        # Events without a slug cannot be distinguished, so no entry could fill a table.
        entry = event_entry(seen.names[slug], root, tables) if slug else ""
        types = f"{len(root.below)} properties" if len(root.below) != 1 else "1 property"
        yield Difference(Kind.UNDECLARED_EVENT, seen.names[slug], (), "", types, root.sighting, entry)


class _Comparison:
    """Compare one event of the plan with what was seen of it."""

    def __init__(self, event: Event, messages: int, is_cut: bool) -> None:
        self._event = event
        self._messages = messages
        self._is_cut = is_cut
        self._taken = reserved_columns() | {column.name for column in event.shape}

    def of(self, path: Keys, schema: Mapping[str, Any], place: Place) -> Iterator[Difference]:
        """Yield the differences at `path` and below."""
        types = Rule(path, schema).types
        for json_type, sighting in place.types.items():
            if types and not _fits(json_type, types):
                yield Difference(Kind.OTHER_TYPE, self._event.name, path, ", ".join(types), json_type, sighting)
        if "items" in schema and "[]" in place.below:
            yield from self.of((*path, "[]"), schema["items"], place.below["[]"])
        members = schema.get("properties", {})
        # An object without declared members may hold any; `properties` itself may not.
        if "object" in place.types and (members or not path):
            yield from self._members(path, members, place)

    def _members(self, path: Keys, members: Mapping[str, Any], place: Place) -> Iterator[Difference]:
        for key, inner in place.commonest():
            below = (*path, key)
            if key in members:
                yield from self.of(below, members[key], inner)
            elif key != "[]":
                entry = property_entry(below, inner, self._messages, self._taken)
                seen = inner.describe()
                yield Difference(Kind.UNDECLARED_PROPERTY, self._event.name, below, "", seen, inner.sighting, entry)
        for key, schema in members.items():
            if key not in place.below and not self._is_cut:
                types = ", ".join(Rule((), schema).types)
                yield Difference(Kind.UNSEEN_PROPERTY, self._event.name, (*path, key), types)


def _fits(json_type: str, types: Sequence[str]) -> bool:
    return json_type in types or (json_type == "integer" and "number" in types)
