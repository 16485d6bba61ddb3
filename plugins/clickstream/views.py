"""The views over the tables: which there are, and which have to be made anew."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

from clickstream.settings import Settings
from clickstream.sql import Statement, TableNames, render
from clickstream.staging_keys import StagedObject

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
    """The oldest object that is not loaded, and in any case MARGIN ago."""
    waiting = [item.staged_at for item in staged if item.path not in loaded_paths]
    start = min([*waiting, now - MARGIN]).astimezone(UTC).replace(microsecond=0)
    return LiveFrom(start, f"{settings.staging_location}{start:%Y%m%dT%H%M%S}")


@dataclass(frozen=True)
class View:
    """One view, with `digest`, which tells its definition and ends its comment."""

    schema: str
    name: str
    statement: Statement
    digest: str


def definitions(settings: Settings, start: LiveFrom) -> list[View]:
    """All views, in an order in which they can be made."""
    t = TableNames(settings)
    live = _view(settings, settings.lake_database, "events_live", t.events_live, "lake", {"live_from": start})
    shaped = (_view(settings, settings.segment_database, name, t.segment(name), "segment") for name in t.SEGMENT_VIEWS)
    return [live, *shaped]


def outdated(wanted: Iterable[View], comments: Mapping[tuple[str, str], str | None]) -> list[View]:
    """Those that are missing or have another definition, by the comments of the views that are there."""
    return [view for view in wanted if not (comments.get((view.schema, view.name)) or "").endswith(f"[{view.digest}]")]


def _view(
    settings: Settings, schema: str, name: str, quoted: str, folder: str, values: Mapping[str, Any] | None = None
) -> View:
    head, query = split_head(render(f"views/{folder}/{name}.sql", settings, values).text)
    digest = hashlib.sha256(f"{head}\n{query}".encode()).hexdigest()[:12]
    view = {"name": quoted, "comment": f"{head} [{digest}]", "query": query}
    return View(schema, name, render("views/publish.sql", settings, {"view": view}), digest)


def split_head(text: str) -> tuple[str, str]:
    """What the head of a view's file says of it, less its parameters, and the query below."""
    lines = text.splitlines()
    head = list(takewhile(lambda line: line.startswith("--"), lines))
    said = " ".join(line.removeprefix("--").strip() for line in head).partition(" Parameters:")[0]
    return said, "\n".join(lines[len(head) :])
