"""How long the rows of a table are kept: its table.yaml says it, and CLICKSTREAM_RETENTION, where a team decides."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from clickstream.engine.sql import lake_tables
from clickstream.engine.tables import Table
from clickstream.settings import Settings, SettingsError, variable
from clickstream.window import DAY

SHORTEST_DAYS, LONGEST_DAYS = 35, 36_500
"""Bounds of a team's number. No alarm, and nothing that the status page compares, looks back further than 33 days."""

FOREVER = "forever"

_ENTRY = re.compile(r"([a-z_]+)\s*=\s*(\d{1,6}|forever)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def kept_days(table: Table, settings: Settings) -> int | None:
    """Return for how many days the rows of a table are kept; None forever. Raises SettingsError.

    The table of an event goes with `events`: what is in none of them would come back with a rebuild.
    """
    name = table.name if is_lake_table(table) else "events"
    return read_retention(settings).get(name, table.retention.days)


def is_lake_table(table: Table) -> bool:
    """Return whether it is a lake table: an event may have one of the same name."""
    return lake_tables().get(table.name) == table


def kept_since(now: datetime, days: int) -> datetime:
    """Return the boundary of days (UTC) before which all rows are older than `days`: partitions go as a whole."""
    latest = now - timedelta(days=days)
    return latest - (latest - _EPOCH) % DAY


def read_retention(settings: Settings) -> Mapping[str, int | None]:
    """Return what CLICKSTREAM_RETENTION says of single tables, None forever. Raises SettingsError."""
    found: dict[str, int | None] = {}
    for text in filter(None, (part.strip() for part in settings.retention.split(","))):
        match = _ENTRY.fullmatch(text)
        if match is None:
            raise _error(f"{text!r} is no <table>=<days> or <table>=forever")
        name, given = match.groups()
        if name in found or name not in limited_tables():
            raise _error(f"{name}: use each of {', '.join(limited_tables())} once at most")
        found[name] = None if given == FOREVER else _days(name, int(given), settings)
    return found


def limited_tables() -> list[str]:
    """Return the lake tables for which a number of days may be set."""
    return [name for name, table in lake_tables().items() if table.retention.after]


def _days(name: str, days: int, settings: Settings) -> int:
    # A duplicate is found among the rows of `events`.
    least = max(SHORTEST_DAYS, settings.dedupe_lookback_days + 1) if name == "events" else SHORTEST_DAYS
    if not least <= days <= LONGEST_DAYS:
        raise _error(f"{name}={days}: must be from {least} to {LONGEST_DAYS} days")
    return days


def _error(reason: str) -> SettingsError:
    return SettingsError(f"{variable('retention')}: {reason}; see docs/retention.md")
