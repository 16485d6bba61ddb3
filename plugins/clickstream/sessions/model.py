"""Model sessions: find the loads not yet modelled and the sessions they can change, and record the result.

The work is done by include/sql; here is its order. See docs/sessions.md.
"""

import json
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from clickstream.engine.query import Result
from clickstream.settings import Settings
from clickstream.window import DAY, Bounds, Span, Window, clipped, covering, joined

logger = logging.getLogger(__name__)

# Runs a file of include/sql with these values.
Run = Callable[..., Result]

MOST_LOADS = 200
"""Loads modelled in one go; more are modelled in turns."""

LONGEST_REBUILD = timedelta(days=31)
"""Time modelled again in one go; more is done in turns."""

EARLY = timedelta(minutes=5)
"""How far before it happened an event may claim to have been received: what `is_future` allows."""

EVER = datetime(1970, 1, 1, tzinfo=UTC)

TAKEN_WITHIN = timedelta(days=7)
"""How far back the newest load that was taken is looked for; when there is none, all loads are looked at."""

REPORTED_WITHIN = timedelta(days=2)
"""How long before the newest load that was taken another one, not taken, may have been reported.

Loads are modelled in the order of their reports. A report has the time at which its task began, an hour at most before
others can see it.
"""


@dataclass(frozen=True)
class SessionRules:
    """What makes a session. A pause longer than `idle_minutes` ends it, as does `longest_hours` after its first event.

    A time more than `late_days` before the event was received is not believed. `conversion_events`: slugs.
    """

    idle_minutes: int
    longest_hours: int
    late_days: int
    conversion_events: tuple[str, ...] = ()


def rules_of(settings: Settings) -> SessionRules:
    """Return the rules of an installation."""
    events = tuple(name.strip() for name in settings.session_conversion_events.split(",") if name.strip())
    return SessionRules(
        settings.session_idle_minutes, settings.session_longest_hours, settings.session_late_days, events
    )


def with_conversions(settings: Settings, planned: Callable[[], Collection[str]]) -> SessionRules:
    """Return the rules with the conversions of the tracking plan, unless a setting names others."""
    rules = rules_of(settings)
    return rules if rules.conversion_events else replace(rules, conversion_events=tuple(sorted(planned())))


@dataclass(frozen=True)
class Load:
    """A run of load_events as it was reported. First and last received are None when it had no events."""

    run_id: str
    reported_at: datetime
    first_received_at: datetime | None
    last_received_at: datetime | None
    rows_updated: int

    @property
    def received(self) -> Span | None:
        """When its events were received; None when it had none."""
        if self.first_received_at is None or self.last_received_at is None:
            return None
        return Span(self.first_received_at, self.last_received_at)


@dataclass(frozen=True)
class Changes:
    """What to look at: all that these loads brought or changed, or else, with `window`, every event of that time.

    With `part`, only what was received in it.
    """

    loads: tuple[Load, ...] = ()
    window: Window | None = None
    late_days: int = 0
    part: Span | None = None

    @cached_property
    def run_ids(self) -> list[str]:
        """The loads' ids."""
        return [load.run_id for load in self.loads]

    @cached_property
    def loads_json(self) -> str:
        """The loads as JSON text: id, and when it was reported."""
        return json.dumps([[load.run_id, load.reported_at.isoformat()] for load in self.loads])

    @cached_property
    def received(self) -> Span | None:
        """When all of it was received; None when there is no event."""
        if self.part is not None:
            return self.part
        if self.window is not None:
            return Span(self.window.start - EARLY, self.window.end + timedelta(days=self.late_days))
        spans = [load.received for load in self.loads if load.received is not None]
        return covering(spans) if spans else None

    @cached_property
    def rebuilt(self) -> tuple[Span, ...]:
        """When the events were received that a load may have changed: they may have been in any session of then."""
        spans = [load.received for load in self.loads if load.rows_updated and load.received is not None]
        return joined(spans if self.part is None else clipped(spans, self.part))

    @property
    def rebuilt_json(self) -> str:
        """`rebuilt` as JSON text: the two ends of each."""
        return json.dumps([[span.start.isoformat(), span.end.isoformat()] for span in self.rebuilt])


@dataclass(frozen=True)
class SessionReport:
    """What one pass did. `points`: events that came or changed, or all of the range; `visitors`: whose they are.

    The sessions that it wrote began from `first_started_at` to `last_started_at`; None when it wrote none.
    """

    run_id: str
    changes: Changes
    points: int = 0
    visitors: int = 0
    sessions_new: int = 0
    sessions_changed: int = 0
    sessions_aliased: int = 0
    sessions_capped: int = 0
    first_started_at: datetime | None = None
    last_started_at: datetime | None = None

    @property
    def rebuilt_from(self) -> datetime | None:
        """Start of the requested range."""
        return self.changes.window.start if self.changes.window else None

    @property
    def rebuilt_to(self) -> datetime | None:
        """End of the requested range."""
        return self.changes.window.end if self.changes.window else None

    def text(self) -> str:
        """Return the report as a person reads it."""
        of = str(self.changes.window) if self.changes.window else f"{len(self.changes.loads)} loads"
        return (
            f"{of}: {self.points} events of {self.visitors} visitors; sessions: {self.sessions_new} new, "
            f"{self.sessions_changed} changed, {self.sessions_aliased} aliased, {self.sessions_capped} capped"
        )

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON values."""
        return {
            "loads": len(self.changes.loads),
            "points": self.points,
            "visitors": self.visitors,
            "sessions_new": self.sessions_new,
            "sessions_changed": self.sessions_changed,
            "sessions_aliased": self.sessions_aliased,
            "sessions_capped": self.sessions_capped,
        }


def earliest_session(changes: Changes, rules: SessionRules) -> datetime | None:
    """Return the earliest start of a session that these changes can touch; None when there is no bound.

    An event happened at most `late_days` before it was received, and joins a session that began at most one longest
    duration and one pause before. Sessions of a load that changed rows may be older: the rules were others then.
    """
    if changes.received is None or changes.rebuilt:
        return None
    reach = timedelta(days=rules.late_days, hours=2 * rules.longest_hours, minutes=rules.idle_minutes)
    return max(changes.received.start, datetime.min.replace(tzinfo=UTC) + reach) - reach


def starts_of_run(run: Run, run_id: str) -> Bounds:
    """Return the first and the last start of the sessions that a run wrote."""
    return Bounds(**run("lake/session_runs/bounds.sql", run_id=run_id).rows[0])


def model_pending(run: Run, rules: SessionRules, run_id: str, now: datetime) -> Iterator[SessionReport]:
    """Model every load that has not been, `MOST_LOADS` at a time. Raises trino.exceptions.Error."""
    taken_at = run("lake/session_runs/taken.sql", modelled_since=now - TAKEN_WITHIN).rows[0]["reported_at"]
    since = EVER if taken_at is None else taken_at - REPORTED_WITHIN
    pending = {"most": MOST_LOADS, "reported_since": since}
    while loads := [Load(**row) for row in run("lake/session_runs/pending.sql", **pending).rows]:
        yield model(run, rules, run_id, now, Changes(tuple(loads), late_days=rules.late_days))


def model_range(run: Run, rules: SessionRules, run_id: str, now: datetime, window: Window) -> Iterator[SessionReport]:
    """Model every event of that time again, a month at a time. Raises trino.exceptions.Error."""
    start = window.start
    while start < window.end:
        end = min(start + LONGEST_REBUILD, window.end)
        yield model(run, rules, run_id, now, Changes(window=Window(start, end), late_days=rules.late_days))
        start = end


def model(run: Run, rules: SessionRules, run_id: str, now: datetime, changes: Changes) -> SessionReport:
    """Model what changed, and record it. Run again after a failure, it leaves the same sessions."""
    report = SessionReport(run_id, changes)
    for part in _parts(run, changes):
        since = earliest_session(part, rules)
        values = {"run_id": run_id, "now": now, "rules": rules, "changes": part, "sessions_since": since}
        report = _remodel(run, values, report)
    run("lake/session_runs/load.sql", session_report=report, now=now)
    logger.info("%s", report.text())
    return report


def _remodel(run: Run, values: dict[str, Any], report: SessionReport) -> SessionReport:
    run("work/session_regions/load.sql", **values)
    row = run("work/session_regions/bounds.sql", **values).rows[0]
    counts: Mapping[str, int] = {}
    if row["regions"]:
        bounds = Bounds(row["earliest"], row["latest"])
        received = _received(run("work/session_regions/received.sql", **values).rows)
        run("work/session_steps/load.sql", received=received, **values)
        run("work/session_drafts/load.sql", **values)
        run("lake/sessions/load.sql", bounds=bounds, **values)
        counts = run("lake/sessions/report.sql", bounds=bounds, **values).rows[0]
    for table in ("session_regions", "session_steps", "session_drafts"):
        run(f"work/{table}/drop.sql", **values)
    counts = {"points": row["points"], "visitors": row["visitors"], **counts}
    return replace(
        report,
        **{name: getattr(report, name) + count for name, count in counts.items()},
        first_started_at=min(filter(None, (report.first_started_at, row["earliest"])), default=None),
        last_started_at=max(filter(None, (report.last_started_at, row["latest"])), default=None),
    )


def _parts(run: Run, changes: Changes) -> list[Changes]:
    """Return the changes in parts of which one statement can write all sessions: these are in partitions by day."""
    received = changes.received
    if received is None:
        return []
    if changes.window is not None or received.end - received.start <= 2 * LONGEST_REBUILD:
        return [changes]
    days = sorted(json.loads(run("lake/session_runs/days.sql", changes=changes).rows[0]["days"] or "[]"))
    starts = [datetime.fromtimestamp(day, UTC) for day in days]
    groups = [starts[first : first + LONGEST_REBUILD.days] for first in range(0, len(starts), LONGEST_REBUILD.days)]
    return [replace(changes, part=Window(group[0], group[-1] + DAY).closed) for group in groups]


MOST_SPANS = 100


def _received(rows: Sequence[Mapping[str, Any]]) -> Bounds:
    """Return when the events of these spans were received; without its parts when they are too many for a statement."""
    spans = tuple(Span(row["starts_at"], row["ends_at"]) for row in rows)
    whole = covering(spans)
    return Bounds(whole.start, whole.end, spans if len(spans) <= MOST_SPANS else ())
