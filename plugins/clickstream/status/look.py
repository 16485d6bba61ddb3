"""Gather what the status page shows into one JSON document; docs/status-page.md says what of senders' data is in it.

What changes with a load is read again after one, and each hour in which nothing waits for one; else it is taken from
the document before.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from clickstream.engine.evolution import Run
from clickstream.plan.file import TrackingPlan
from clickstream.sessions.model import SessionRules
from clickstream.watch.alarms import (
    LOOK_BACK,
    RUNBOOKS,
    KeptAlarm,
    ReconciledHour,
    WatchFigures,
    kept_from_row,
    short_reason,
)
from clickstream.watch.volume import FEWEST_WEEKS, HOURS, WEEKS, usual
from clickstream.window import DAY, HOUR, INSTANT, Bounds, Span, full_hour

VERSION = 1
"""Of the document. A page shows no document of another one."""

KEY = "status/status.json"
"""Where the document is, in the lake bucket."""

WEEK_HOURS = 168
EVENTS = 500
"""Events, and sources, that are listed: the commonest."""

RUNS = 24
"""Runs of load_events that are listed."""

PLACES = 100
"""Violations that are listed, and differences from the plan of each kind."""

STEPS = 12
"""Moves between steps that are listed, and pairs of entry and exit."""

FEWEST_SESSIONS = 5
"""Sessions that a move, or a pair of entry and exit, is listed from: fewer are likely those of one person."""

RECONCILED_DAYS = 7
"""Days whose hours are shown beside the archive."""

HELD_UP = DAY
"""How long an object that is not staged holds back the hours: one whose message is a dead letter stays for weeks."""

PLAN_CHANGES_FOR = 14 * DAY
"""How long a change of the tracking plan is remembered, to be named beside hours that are not as usual."""

SESSIONS_FOR = timedelta(hours=6)
"""How long the sessions of yesterday are shown before they are read again: late events change them."""

Document = dict[str, Any]


def look(
    run: Run,
    figures: WatchFigures,
    rules: SessionRules,
    refused: Sequence[Document],
    sources: Mapping[str, str],
    before: Document | None,
    plan: TrackingPlan | None = None,
) -> Document:
    """Return the document.

    `rules`: of the sessions; `refused`: reasons, from clickstream.status.refused; `sources`: the names of sources by
    their ids; `before`: the last document, from read_before; `plan`: None when it cannot be read. Raises
    trino.exceptions.Error.
    """
    now = figures.now
    runs = [_run(row) for row in run("lake/load_runs/latest.sql", reported_since=now - 7 * DAY, run_limit=RUNS).rows]
    newest = runs[0]["reported_at"] if runs else None
    kept = before or {}
    loaded = kept.get("loaded")
    if not loaded or _is_old(loaded, newest, figures):
        loaded = _loaded(run, now, newest, _until(figures), sources, loaded or {})
    return {
        "version": VERSION,
        "written_at": now.isoformat(),
        "alarms": _alarms(run, now),
        "waiting": _waiting(figures),
        "refused": [{**one, "source": sources.get(one["source"], one["source"])} for one in refused],
        "runs": runs,
        "day": _day(run("lake/load_runs/sums.sql", reported_since=now - DAY).rows),
        "loaded": loaded,
        "plan": _plan(run),
        "plan_history": plan_history(kept.get("plan_history"), plan, now),
        "sessions": _sessions(run, now, rules, kept.get("sessions")),
        "archive": _archive(figures),
    }


def read_before(text: str | None) -> Document | None:
    """Return the document in a text; None when there is none that this version can go on from."""
    try:
        document = json.loads(text or "")
    except ValueError:
        return None
    return document if isinstance(document, dict) and document.get("version") == VERSION else None


def _waiting_since(figures: WatchFigures) -> datetime | None:
    """Return when the oldest object came that holds back the hours; None when there is none."""
    unstaged = figures.oldest_unstaged_at
    is_held_up = unstaged is not None and figures.now - unstaged > HELD_UP
    waiting = (None if is_held_up else unstaged, figures.oldest_unloaded_at)
    return min((at for at in waiting if at is not None), default=None)


def _until(figures: WatchFigures) -> datetime:
    """Return the end of the last full hour of which all that was delivered is loaded."""
    return full_hour(min(figures.now, _waiting_since(figures) or figures.now))


def _is_old(loaded: Document, newest: str | None, figures: WatchFigures) -> bool:
    """Return whether another load reported, or an hour is over and nothing waits: then no load reports that hour."""
    is_over = _waiting_since(figures) is None and loaded.get("until") != _until(figures).isoformat()
    return bool(is_over or loaded.get("reported_at") != newest)


def _loaded(
    run: Run, now: datetime, newest: str | None, until: datetime, sources: Mapping[str, str], before: Document
) -> Document:
    """Return what changes with loads and hours; `before`: the same of the document before."""
    since = now - DAY
    rows = run("lake/events/by_hour.sql", bounds=hours_read(until), until=until, event_limit=EVENTS).rows
    known = sorted({*sources, *(row["source"] for row in rows if row["source"])})
    rejects = run("lake/rejects/shapes.sql", staged_since=since, known_sources=json.dumps(known)).rows
    violations = run("lake/violations/by_rule.sql", received_since=since, place_limit=PLACES).rows
    return {
        "reported_at": newest,
        "until": until.isoformat(),
        "since": since.isoformat(),
        "looked_at": now.isoformat(),
        **volumes(rows, sources),
        "rejects": _lasting(rejects, before.get("rejects", []), ("reason",), sources),
        "violations": _lasting(violations, before.get("violations", []), ("event", "property", "rule"), sources),
    }


def _lasting(
    rows: Sequence[Mapping[str, Any]], before: Sequence[Document], key: Sequence[str], names: Mapping[str, str]
) -> list[Document]:
    """Return rows of a day whose first time is that of an earlier day, as long as each document had them.

    Else what comes by day only would seem to begin each morning.
    """
    known = {tuple(one[name] for name in key): one.get("first_at") for one in before}
    found = [_with_sources(row, names) for row in rows]
    for one in found:
        earlier = known.get(tuple(one[name] for name in key))
        one["first_at"] = min(one["first_at"], earlier or one["first_at"])
    return found


def _with_sources(row: Mapping[str, Any], names: Mapping[str, str]) -> Document:
    """Return a row whose sources are a JSON list of ids, with their names."""
    return {
        **_plain(row),
        "sources": sorted(names.get(source, source) for source in json.loads(row["sources"] or "[]")),
    }


def hours_read(until: datetime) -> Bounds:
    """Return the hours up to `until`, and the same hours of past weeks: nothing between them is read."""
    ends = [until - week * 7 * DAY for week in reversed(range(WEEKS + 1))]
    spans = tuple(Span(end - HOURS * HOUR, end - INSTANT) for end in ends)
    return Bounds(spans[0].start, spans[-1].end, spans)


def volumes(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Document:
    """Return sources and events with their hours, from rows of lake/events/by_hour.sql."""
    counts = [{int(hour): count for hour, count in json.loads(row["messages_by_hour"]).items()} for row in rows]
    # A week without a single message was before the first one: it says nothing.
    weeks = [
        week
        for week in range(1, WEEKS + 1)
        if any(week * WEEK_HOURS < hour <= week * WEEK_HOURS + HOURS for by_hour in counts for hour in by_hour)
    ]
    of_sources, of_events, all_events = [], [], 0
    for row, by_hour in zip(rows, counts, strict=True):
        series = _series(by_hour, weeks)
        if row["source"] is not None:
            name = names.get(row["source"], row["source"])
            of_sources.append({"name": name, "newest_at": row["newest_received_at"].isoformat(), **series})
        else:
            name = row["event_text"] or row["event"]
            of_events.append({"type": row["type"], "key": row["event"], "name": name, **series})
            all_events = row["subjects"]
    return {"sources": of_sources, "events": of_events, "events_left_out": all_events - len(of_events)}


def _series(by_hour: Mapping[int, int], weeks: Sequence[int]) -> dict[str, list[int]]:
    """Return the counts of the hours, the oldest first, and the least and the most that is usual in each."""
    hours = range(HOURS, 0, -1)
    bands = (
        [usual([by_hour.get(week * WEEK_HOURS + hour, 0) for week in weeks]) for hour in hours]
        if len(weeks) >= FEWEST_WEEKS
        else []
    )
    return {
        "hours": [by_hour.get(hour, 0) for hour in hours],
        "low": [low for low, _ in bands],
        "high": [high for _, high in bands],
    }


def _alarms(run: Run, now: datetime) -> list[Document]:
    """Return the alarms that are open, and those about runs of LOOK_BACK: critical ones first, then the newest.

    What follows from another alarm comes after it.
    """
    kept = [kept_from_row(row) for row in run("lake/alarms/kept.sql", runs_since=now - LOOK_BACK).rows]
    shown = [alarm for alarm in kept if alarm.closed_at is None or alarm.subject]
    order = sorted(shown, key=lambda alarm: (alarm.severity == "critical", alarm.opened_at), reverse=True)
    places = {alarm.name: place for place, alarm in reversed([*enumerate(order)])}
    is_open = {alarm.name for alarm in shown if not alarm.subject}

    def place(alarm: KeptAlarm) -> tuple[int, bool]:
        follows = alarm.cause in is_open
        return places[alarm.cause if follows else alarm.name], follows

    return [_alarm(alarm, alarm.cause if alarm.cause in is_open else "") for alarm in sorted(order, key=place)]


def _alarm(alarm: KeptAlarm, cause: str) -> Document:
    return {
        "name": alarm.name,
        "severity": alarm.severity,
        "text": alarm.text,
        "run_id": alarm.subject,
        "opened_at": alarm.opened_at.isoformat(),
        "since": _text(alarm.since),
        "cause": cause,
        "runbook": RUNBOOKS.get(alarm.name, ""),
    }


def _waiting(figures: WatchFigures) -> Document:
    return {
        "unstaged_objects": figures.unstaged_objects,
        "oldest_unstaged_at": _text(figures.oldest_unstaged_at),
        "stage_messages": figures.stage_messages,
        "unloaded_objects": figures.unloaded_objects,
        "oldest_unloaded_at": _text(figures.oldest_unloaded_at),
        "newest_arrival_at": _text(figures.newest_arrival_at),
        "newest_received_at": _text(figures.newest_received_at),
        "dead_letters": figures.dead_letters,
        "processing_failed": figures.refused.new,
        "refused_events": figures.refused_events.new,
    }


def _run(row: Mapping[str, Any]) -> Document:
    """Return a row of lake/load_runs/latest.sql. A run that ended before its report has no counts.

    Of why a table was not filled only the name of the error: the reason may name a message.
    """
    texts = ("rejected_by_reason", "rows_by_delay", "violations_by_event")
    reasons = json.loads(row["tables_failed"] or "{}")
    return {
        **{name: value for name, value in _plain(row).items() if name != "tables_failed"},
        **{name: json.loads(row[name] or "{}") for name in texts},
        "failed_tables": {table: short_reason(reason) for table, reason in reasons.items()},
    }


def _day(rows: Sequence[Mapping[str, Any]]) -> Document:
    """Return the sums in rows of lake/load_runs/sums.sql."""
    day: Document = dict.fromkeys(
        ("rows_read", "rows_loaded", "rows_duplicate", "rows_rejected", "values_discarded"), 0
    )
    day |= {row["name"]: row["total"] for row in rows if row["kind"] == "counts"}
    for kind in ("rejected_by_reason", "rows_by_delay"):
        day[kind] = {row["name"]: row["total"] for row in rows if row["kind"] == kind}
    return day


def _plan(run: Run) -> Document:
    """Return how what is sent differs from the plan, as compare_plan found last."""
    rows = run("lake/plan_diff/listed.sql", place_limit=PLACES).rows
    return {
        "compared_at": _text(max((row["compared_at"] for row in rows), default=None)),
        "counts": {row["kind"]: row["differences"] for row in rows},
        "differences": [_plain(row) for row in rows],
    }


def plan_history(before: Document | None, plan: TrackingPlan | None, now: datetime) -> Document | None:
    """Return a digest of each event's entry of the plan, and what changed in them, with when that was first seen.

    An entry is a part of it by each value of `events.event` that is this event.
    """
    if plan is None:
        return before
    entries = {
        slug: {"status": event.status, "digest": _digest(event.entry)} for event in plan.events for slug in event.slugs
    }
    if before is None:
        return {"entries": entries, "changes": []}
    known = before["entries"]
    changes = [one for one in before["changes"] if now - datetime.fromisoformat(one["at"]) < PLAN_CHANGES_FOR]
    changed = {
        key: _change(known.get(key), entries.get(key))
        for key in sorted(known.keys() | entries.keys())
        if known.get(key) != entries.get(key)
    }
    if changed:
        changes.append({"at": now.isoformat(), "events": changed})
    return {"entries": entries, "changes": changes}


def _change(before: Document | None, after: Document | None) -> str:
    """Return in words what was done to an entry."""
    if before is None:
        return "added"
    if after is None:
        return "taken out"
    return "changed" if before["status"] == after["status"] else f"now {after['status']}"


def _digest(entry: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(entry, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _sessions(run: Run, now: datetime, rules: SessionRules, before: Document | None) -> Document:
    """Return the sessions of yesterday (UTC)."""
    today = full_hour(now).replace(hour=0)
    day = (today - DAY).date()
    if before and before["sessions"] and before["day"] == day.isoformat():
        age = now - datetime.fromisoformat(before["looked_at"])
        if age < SESSIONS_FOR:
            return before
    began = Bounds(today - DAY, today - INSTANT)
    rows = run("lake/sessions/entries.sql", bounds=began, place_limit=STEPS).rows
    moves: Sequence[Mapping[str, Any]] = ()
    # Without a session there is no move, and the statement would read a day of events, every 15 minutes.
    if rows:
        received = Bounds(today - DAY - HOUR, now)
        moves = run("lake/sessions/moves.sql", bounds=began, received=received, rules=rules, place_limit=STEPS).rows
    first = rows[0] if rows else {}
    return {
        "day": day.isoformat(),
        "looked_at": now.isoformat(),
        "sessions": first.get("all_sessions", 0),
        "mean_seconds": first.get("mean_seconds"),
        "bounces": first.get("all_bounces", 0),
        "converted": first.get("all_converted", 0),
        "entries": _pairs(rows, "entry_step", "exit_step"),
        "moves": _pairs(moves, "from_step", "to_step"),
    }


def _archive(figures: WatchFigures) -> Document:
    """Return what the comparisons of RECONCILED_DAYS days with the archive found: of each day, 24 hours."""
    today = full_hour(figures.now).replace(hour=0)
    by_hour = {hour.received_hour: hour for hour in figures.reconciled}
    days = [today - number * DAY for number in range(RECONCILED_DAYS, 0, -1)]
    return {
        "compared_at": _text(max((one.compared_at for one in by_hour.values() if one.compared_at), default=None)),
        "days": [
            {"day": f"{day:%Y-%m-%d}", "hours": [_reconciled(by_hour.get(day + hour * HOUR)) for hour in range(24)]}
            for day in days
        ],
    }


def _reconciled(hour: ReconciledHour | None) -> Document | None:
    return (
        None
        if hour is None
        else {
            "messages": max(hour.messages_here, hour.messages_there),
            "missing_here": hour.missing_here,
            "missing_there": hour.missing_there,
            "late": hour.late,
        }
    )


def _pairs(rows: Sequence[Mapping[str, Any]], start: str, end: str) -> list[Document]:
    """Return the pairs of FEWEST_SESSIONS or more."""
    return [
        {"from": row[start], "to": row[end], "sessions": row["sessions"]}
        for row in rows
        if row["sessions"] >= FEWEST_SESSIONS
    ]


def _plain(row: Mapping[str, Any]) -> Document:
    """Return a row with its instants in ISO 8601."""
    return {name: _text(value) if isinstance(value, datetime) else value for name, value in row.items()}


def _text(instant: datetime | None) -> str | None:
    return instant.astimezone(UTC).isoformat() if instant else None
