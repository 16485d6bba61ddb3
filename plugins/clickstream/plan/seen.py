"""What is sent: the places in the properties of each event, and the types of the values there.

Read out of `events` by include/sql/lake/plan_diff/seen.sql, once for a time. Types are those of JSON Schema.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from clickstream.engine.evolution import Run

DEPTH = 5
"""Levels of objects and arrays that are looked at."""

MOST_PLACES = 10_000
"""Places, with one type each, that are read: of all events, then the commonest."""


@dataclass(frozen=True)
class Sighting:
    """In how many messages something was, from when to when (received_at), and the first message with the value there.

    `example` is JSON text, 200 characters at most.
    """

    messages: int
    first_seen_at: datetime
    last_seen_at: datetime
    example: str
    message_id: str

    def __add__(self, other: "Sighting") -> "Sighting":
        first = min(self, other, key=lambda one: one.first_seen_at)
        last_seen_at = max(self.last_seen_at, other.last_seen_at)
        messages = self.messages + other.messages
        return Sighting(messages, first.first_seen_at, last_seen_at, first.example, first.message_id)


@dataclass(frozen=True)
class Place:
    """What was seen at one place in the properties of an event: by type, and in the places below it by their key.

    [] is the key of an array's items.
    """

    types: dict[str, Sighting] = field(default_factory=dict)
    below: "dict[str, Place]" = field(default_factory=dict)

    @property
    def sighting(self) -> Sighting:
        """All types together. Of items, a message with two types counts twice."""
        first, *others = self.types.values()
        return sum(others, start=first)

    def describe(self) -> str:
        """Return its types, the commonest first, such as `string 3, integer 2`."""
        ordered = sorted(self.types.items(), key=lambda item: (-item[1].messages, item[0]))
        return ", ".join(f"{name} {sighting.messages}" for name, sighting in ordered)

    def commonest(self) -> "list[tuple[str, Place]]":
        """Return the places just below, those of most messages first."""
        return sorted(self.below.items(), key=lambda item: (-item[1].sighting.messages, item[0]))

    def add(self, path: Sequence[str], json_type: str, sighting: Sighting) -> None:
        """Add a count of values of one type at `path` below this place."""
        if path:
            self.below.setdefault(path[0], Place()).add(path[1:], json_type, sighting)
            return
        before = self.types.get(json_type)
        self.types[json_type] = before + sighting if before else sighting

    def walk(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str, Sighting]]:
        """Yield all that was added, as `add` accepts it."""
        for json_type, sighting in self.types.items():
            yield path, json_type, sighting
        for key, inner in self.below.items():
            yield from inner.walk((*path, key))


@dataclass(frozen=True)
class Seen:
    """What is sent: the properties of each event by the value of `events.event`, and the name as it was sent last.

    `is_cut`: rare places were left out, so what is missing is not known to be unseen.
    """

    events: Mapping[str, Place]
    names: Mapping[str, str]
    is_cut: bool = False


def look(run: Run, since: datetime) -> Seen:
    """Return what was received from then on: reads those hours of `events` once. Raises trino.exceptions.Error."""
    sql = "lake/plan_diff/seen.sql"
    return read_seen(run(sql, seen_since=since, depth_limit=DEPTH, place_limit=MOST_PLACES).rows)


def read_seen(rows: Sequence[Mapping[str, Any]]) -> Seen:
    """Return the rows of seen.sql."""
    events: dict[str, Place] = {}
    names: dict[str, str] = {}
    for row in rows:
        counted = {name: row[name] for name in Sighting.__dataclass_fields__}
        path = json.loads(row["path"])
        events.setdefault(row["event"], Place()).add(path, row["json_type"], Sighting(**counted))
        if not path:
            names[row["event"]] = row["event_text"] or ""
    return Seen(events, names, is_cut=len(rows) >= MOST_PLACES)


def together(roots: Iterable[Place]) -> Place:
    """Return what was seen under several names, as one."""
    whole = Place()
    for root in roots:
        for path, json_type, sighting in root.walk():
            whole.add(path, json_type, sighting)
    return whole
