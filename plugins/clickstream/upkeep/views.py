"""The views over the tables: which there are, and which have to be replaced."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

from clickstream.engine.sql import Statement, TableNames, render
from clickstream.plan.event import Event
from clickstream.plan.file import TrackingPlan
from clickstream.sessions.model import rules_of
from clickstream.settings import Settings
from clickstream.staging.keys import StagedObject

# Objects keep the time of their S3 event in their name, however long it waited in the queue.
MARGIN = timedelta(hours=2)


@dataclass(frozen=True)
class LiveFrom:
    """Where the staged part of events_live begins: no object before it is waiting to be loaded."""

    staged_at: datetime
    path: str


def live_from(
    staged: Iterable[StagedObject], loaded_paths: frozenset[str], now: datetime, settings: Settings
) -> LiveFrom:
    """Return the oldest object that is not loaded, and in any case MARGIN ago."""
    waiting = [item.staged_at for item in staged if item.path not in loaded_paths]
    start = min([*waiting, now - MARGIN]).astimezone(UTC).replace(microsecond=0)
    return LiveFrom(start, f"{settings.staging_location}{start:%Y%m%dT%H%M%S}")


@dataclass(frozen=True)
class View:
    """One view, with `digest`, which identifies its definition and ends its comment."""

    schema: str
    name: str
    statement: Statement
    digest: str


def load_views(settings: Settings, start: LiveFrom) -> list[View]:
    """Return the views over what is loaded and Segment's call types, in an order in which they can be made."""
    t, values = TableNames(settings), {"live_from": start}
    own = (_view(settings, settings.lake_database, name, getattr(t, name), "lake", values) for name in t.LOAD_VIEWS)
    shaped = (_view(settings, settings.segment_database, name, t.segment(name), "segment") for name in t.SEGMENT_VIEWS)
    return [*own, *shaped]


def session_views(settings: Settings) -> list[View]:
    """Return the views over `sessions`, in an order in which they can be made."""
    t, values = TableNames(settings), {"rules": rules_of(settings), "limits": settings}
    return [
        _view(settings, settings.lake_database, name, getattr(t, name), "sessions", values) for name in t.SESSION_VIEWS
    ]


def event_views(settings: Settings, plan: TrackingPlan, tables: Collection[str]) -> list[View]:
    """Return a view in Segment's shape for each event of the plan whose table is one of these."""
    there = [event for event in plan.with_table if event.table in tables]
    return [_event_view(settings, event, segment_name(event, plan)) for event in there]


def segment_name(event: Event, plan: TrackingPlan) -> str:
    """Return the name of an event's view: its table's, with an underscore before it where that name is in use."""
    tables, name = {other.table for other in plan.events}, event.table
    while name in TableNames.SEGMENT_VIEWS or (name != event.table and name in tables):
        name = f"_{name}"
    return name


def outdated(wanted: Iterable[View], comments: Mapping[tuple[str, str], str | None]) -> list[View]:
    """Return those that are missing or have another definition, by the comments of the views that are there."""
    return [view for view in wanted if not (comments.get((view.schema, view.name)) or "").endswith(f"[{view.digest}]")]


def _view(
    settings: Settings, schema: str, name: str, quoted: str, folder: str, values: Mapping[str, Any] | None = None
) -> View:
    head, query = split_head(render(f"views/{folder}/{name}.sql", settings, values).text)
    return _published(settings, schema, name, quoted, head, query)


def _event_view(settings: Settings, event: Event, name: str) -> View:
    _, query = split_head(render("views/events/event.sql", settings, {"event": event}).text)
    quoted = TableNames(settings).segment_event(name)
    return _published(settings, settings.segment_database, name, quoted, event.entry["description"], query)


def _published(settings: Settings, schema: str, name: str, quoted: str, said: str, query: str) -> View:
    digest = hashlib.sha256(f"{said}\n{query}".encode()).hexdigest()[:12]
    view = {"name": quoted, "comment": f"{said} [{digest}]", "query": query}
    return View(schema, name, render("views/publish.sql", settings, {"view": view}), digest)


def split_head(text: str) -> tuple[str, str]:
    """Return what the head of a view's file says of it, less its parameters, and the query below."""
    lines = text.splitlines()
    head = list(takewhile(lambda line: line.startswith("--"), lines))
    said = " ".join(line.removeprefix("--").strip() for line in head).partition(" Parameters:")[0]
    return said, "\n".join(lines[len(head) :])
