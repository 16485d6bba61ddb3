"""The data dictionary: what every table, view and column is, from what they are made of.

What a table is, its columns and their meaning are read from its table.yaml, as the catalog gets them; the tables of
events from the tracking plan; views, and when a table is renewed, from include/data_dictionary.yaml. A meaning may end
in `Unit: <unit>.` and `PII.`.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plugins"))

from clickstream.engine import tables
from clickstream.engine.columns import SQL_TYPES, read_columns
from clickstream.engine.sql import SQL_DIR, TableNames, environment, lake_tables, render
from clickstream.plan.event import Event, common_columns, event_table
from clickstream.plan.file import TrackingPlan, read_plan
from clickstream.sessions.model import rules_of
from clickstream.settings import Settings
from clickstream.upkeep.views import LiveFrom, segment_name, split_head

ROOT = Path(__file__).resolve().parents[1]
TEXTS = ROOT / "include" / "data_dictionary.yaml"
SETTINGS = Settings(staging_bucket="staging", lake_bucket="lake", crawler="crawler")


@dataclass(frozen=True)
class Entry:
    """One column. `comment` is its text in the catalog, `source` its path in the message or ''."""

    name: str
    type: str
    comment: str
    source: str = ""

    @property
    def parts(self) -> tuple[str, str, bool]:
        """Meaning, unit ('' for none), and whether it is PII."""
        match = re.fullmatch(r"(.*?)(?: Unit: ([^.]+)\.)?( PII\.)?", self.comment, re.DOTALL)
        assert match is not None
        return match[1], match[2] or "", bool(match[3])


@dataclass(frozen=True)
class Shared:
    """Columns that another table has too, in one row; `name` is their pattern, such as context_*."""

    name: str
    table: str
    entries: tuple[Entry, ...]


Columns = Sequence[Entry | Shared]


@dataclass(frozen=True)
class Table:
    """One table or view. `columns` are those that its section lists, `common` others that all of its kind have."""

    name: str
    what: str
    grain: str
    freshness: str
    example: str
    columns: Columns
    common: Columns = ()
    layout: str = ""
    retention: str = ""
    note: str = ""

    @property
    def schema(self) -> str:
        """The schema that it is in."""
        return self.name.split(".")[1]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every column, in order."""
        return flat((*self.columns, *self.common))


@dataclass(frozen=True)
class Dictionary:
    """All tables and views, with the names of the default settings."""

    tables: tuple[Table, ...]
    views: tuple[Table, ...]
    events: tuple[Table, ...]
    common_of_events: Columns
    segment: tuple[Table, ...]
    common_of_segment: Columns
    segment_events: tuple[Table, ...]

    @property
    def all(self) -> tuple[Table, ...]:
        """Every one of them."""
        return (*self.tables, *self.views, *self.events, *self.segment, *self.segment_events)


def flat(columns: Columns) -> tuple[Entry, ...]:
    """Return every column, in order."""
    return tuple(entry for one in columns for entry in (one.entries if isinstance(one, Shared) else (one,)))


def shipped() -> Dictionary:
    """Return what the files of this checkout say."""
    return dictionary(read_plan(), read_texts())


def read_texts() -> dict[str, Any]:
    """Read include/data_dictionary.yaml."""
    texts: dict[str, Any] = yaml.safe_load(TEXTS.read_text(encoding="utf-8"))
    return texts


def dictionary(plan: TrackingPlan, texts: Mapping[str, Any]) -> Dictionary:
    """Everything on the page. Raises KeyError for a table or view without a text."""
    known = {name: _lake_table(table, texts["freshness"]) for name, table in sorted(lake_tables().items(), key=_place)}
    for name in (*TableNames.LOAD_VIEWS, *TableNames.SESSION_VIEWS):
        known[name] = _view(name, texts["views"][name], known)
    of_events = _common_of_events(known)
    common = _columns(texts["segment_common"], known)
    shaped = (_segment_view(name, texts["segment_views"][name], known, common) for name in TableNames.SEGMENT_VIEWS)
    return Dictionary(
        tables=tuple(table for name, table in known.items() if name in TableNames.LAKE_TABLES),
        views=tuple(table for name, table in known.items() if name not in TableNames.LAKE_TABLES),
        events=tuple(_event_table(event, texts["freshness"], of_events) for event in plan.with_table),
        common_of_events=of_events,
        segment=tuple(shaped),
        common_of_segment=common,
        segment_events=tuple(_segment_event(event, plan, texts, known, common) for event in plan.with_table),
    )


def _place(named: tuple[str, tables.Table]) -> tuple[bool, str]:
    """Order first the tables for analysis, then those of the pipeline itself."""
    return named[0] not in ("events", "sessions"), named[0]


def _lake_table(table: tables.Table, freshness: Mapping[str, str]) -> Table:
    columns = read_columns(SQL_DIR / "lake" / "events" / "columns.yaml").columns if table.name == "events" else ()
    sources = {column.name: column.source or "" for column in columns}
    return Table(
        f"lake.clickstream.{table.name}",
        table.comment,
        f"{table.grain}.",
        freshness[table.filled_by],
        table.example,
        [Entry(one.name, one.type, one.comment, sources.get(one.name, "")) for one in table.columns],
        layout=_layout(table),
        retention=_retention(table),
    )


def _view(name: str, texts: Mapping[str, Any], known: Mapping[str, Table]) -> Table:
    values = {
        "live_from": LiveFrom(datetime(2026, 1, 1, tzinfo=UTC), ""), "rules": rules_of(SETTINGS), "limits": SETTINGS,
    }  # fmt: skip
    folder = "sessions" if name in TableNames.SESSION_VIEWS else "lake"
    what, _, grain = split_head(render(f"views/{folder}/{name}.sql", SETTINGS, values).text)[0].partition(" Grain: ")
    columns = _columns(texts["columns"], known)
    return Table(f"lake.clickstream.{name}", what, grain, texts["freshness"], texts["example"], columns)


def _segment_view(name: str, texts: Mapping[str, Any], known: Mapping[str, Table], common: Columns) -> Table:
    what, _, grain = split_head(render(f"views/segment/{name}.sql", SETTINGS).text)[0].partition(" Grain: ")
    columns = [*_columns(texts["columns"], known), *_keys(*texts.get("keys", ()))]
    if "common" in texts:
        columns, common = [*columns, *_columns(texts["common"], known)], ()
    full_name = f"lake.clickstream_segment.{name}"
    return Table(full_name, what, grain, texts["freshness"], texts["example"], columns, common)


def _event_table(event: Event, freshness: Mapping[str, str], common: Columns) -> Table:
    table = event.description
    return Table(
        f"lake.clickstream_events.{table.name}",
        table.comment,
        f"{table.grain}.",
        _freshness(event, freshness),
        table.example.replace("{table}", table.name),
        _properties(event),
        common,
        layout=_layout(table),
        retention=_retention(table),
        note=f"Event *{event.name}* of {event.entry['owner']}, sent by {', '.join(event.entry['sources'])}.",
    )


def _segment_event(
    event: Event, plan: TrackingPlan, texts: Mapping[str, Any], known: Mapping[str, Table], common: Columns
) -> Table:
    name = segment_name(event, plan)
    own = [_alias(known, one, f"events.{one}") for one in ("event", "event_text")]
    columns = [*own, *(entry for entry in _properties(event) if entry.name not in _segment_macros().own_names)]
    example = texts["segment_event"]["example"].replace("{table}", name)
    what, full_name = event.entry["description"], f"lake.clickstream_segment.{name}"
    return Table(full_name, what, "one message.", _freshness(event, texts["freshness"]), example, columns, common)


def _freshness(event: Event, freshness: Mapping[str, str]) -> str:
    return freshness[event_table().filled_by] if event.status == "live" else "no more: the event is deprecated"


def _properties(event: Event) -> list[Entry]:
    """Return the columns of an event's properties, with those that are not filled any more."""
    sources = {column.name: ".".join(("properties", *column.keys)) for column in event.columns}
    own = {column.name for column in event.columns} | {column.name for column in event.retired}
    return [Entry(c.name, c.type, c.comment, sources.get(c.name, "")) for c in event.shape if c.name in own]


def _common_of_events(known: Mapping[str, Table]) -> Columns:
    names = [column.name for column in common_columns() if not column.name.startswith("context_")]
    return [
        *(_alias(known, name, f"events.{name}") for name in names),
        *_columns({"context_*": "events.context_*"}, known),
        *(Entry(column.name, column.type, column.comment) for column in event_table().columns),
    ]


def _columns(texts: Mapping[str, Any], known: Mapping[str, Table]) -> list[Entry | Shared]:
    found: list[Entry | Shared] = []
    for name, given in texts.items():
        if isinstance(given, dict):
            found.append(Entry(name, given["type"], given["meaning"]))
        elif name.endswith("*"):
            table, _, pattern = given.partition(".")
            prefix = pattern.removesuffix("*")
            found.append(Shared(name, table, tuple(e for e in known[table].entries if e.name.startswith(prefix))))
        else:
            found.append(_alias(known, name, given))
    return found


def _alias(known: Mapping[str, Table], name: str, path: str) -> Entry:
    table, _, column = path.partition(".")
    entry = next(entry for entry in known[table].entries if entry.name == column)
    return Entry(name, entry.type, entry.comment, entry.source)


def _keys(name: str = "", within: str = "") -> list[Entry]:
    """Return the columns of a list in macros/segment.sql."""
    if not name:
        return []
    listed = getattr(_segment_macros(), name)
    return [Entry(column, SQL_TYPES[kind], meaning, f"{within}.{key}") for key, column, kind, meaning in listed]


def _segment_macros() -> Any:
    return environment().get_template("macros/segment.sql").module


def _layout(table: tables.Table) -> str:
    """Return how its files are parted and sorted, in words."""
    text = f"partitioned by `{table.partitioned_by.text}`" if table.partitioned_by else "not partitioned"
    return f"{text}, sorted by `{table.sorted_by}`" if table.sorted_by else text


def _retention(table: tables.Table) -> str:
    """Return how long its rows are kept, in words."""
    kept = table.retention
    if kept.days is None:
        return f"forever. {kept.reason}"
    what = f"`{kept.blank}` " if kept.blank else ""
    return f"{what}{kept.days} days after `{kept.after}`{'; the row forever' if kept.blank else ''}."
