"""Decide which alarms are open from figures of the pipeline, and which destinations are due a notification."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from clickstream.engine.spent import format_dollars
from clickstream.settings import Settings
from clickstream.watch.notify import Message
from clickstream.watch.volume import Odd, PlanChange, Verdict, plan_note

LOOK_BACK = timedelta(hours=72)
"""How long a run, and a refused object, is looked at: a watch that was down over a weekend misses none."""

REFUSED_WITHIN = LOOK_BACK + timedelta(days=30)
"""How far back refused objects are listed, by the hour that Firehose names one after.

That is when its first record came to the stream, where it may have waited long before Firehose read it.
"""

ARRIVALS_FOR = timedelta(days=7)
"""How much longer than CLICKSTREAM_ALARM_SILENCE_HOURS the ledger is searched for the newest arrival."""

RUNS_TO_COMPARE = 24
"""Runs that the cost of a day is compared with, at least: one is no usual day."""

RECONCILED_AFTER = timedelta(minutes=45)
"""How long three runs of reconcile_raw take, once an object is due for it."""

RECONCILED_SINCE = timedelta(days=14)
"""How far back hours are looked at that were compared with the archive."""

MISSING_PERCENT = 1
"""The share of an hour's messages that may be missing on a side for MISSING_FOR."""

MISSING_FOR = timedelta(days=3)
"""How old an hour gets before a single missing message of it opens an alarm."""

MOST_REFUSED_EVENTS = 10_000
"""Objects of refused events that are counted: a sender that is wrong may make one with each request."""

NEAR_END = timedelta(days=14)
"""How long before rejected lines go, which were not sent again, somebody is notified; once a week from then on."""

REJECTS_NEAR_END = "rejects_near_end"

MOST_NAMED = 5
"""Events and sources that a message names; the status page has all of them."""

RUNBOOKS = {
    "staging_stands_still": "staging-stands-still.md",
    "nothing_arrives": "nothing-arrives.md",
    "unloaded_near_expiry": "staging-grows.md",
    "unreadable_objects": "staging-grows.md",
    "events_not_fresh": "freshness-late.md",
    "dead_letters": "redrive.md",
    "processing_failed": "redrive.md",
    "refused_events": "redrive.md",
    "reject_rate": "redrive.md",
    "run_reject_rate": "redrive.md",
    REJECTS_NEAR_END: "redrive.md",
    "schema_changes": "schema-changed.md",
    "event_tables_failed": "event-tables-failed.md",
    "volume_silent": "volume.md",
    "volume_jumped": "volume.md",
    "cost_doubled": "cost.md",
    "archive_differs": "archive-differs.md",
}
"""The page in docs/runbooks that says what to do, by the alarm's name."""

CAUSES = {
    "unloaded_near_expiry": "events_not_fresh",
    "run_reject_rate": "reject_rate",
    "volume_silent": "nothing_arrives",
}
"""Alarms that follow from another one while that is open. `staging_stands_still` may follow from `dead_letters`."""

_ERROR = re.compile(r"([A-Z][A-Z0-9_]*) \(query [\w-]+\)\Z")
_LEFT_OUT = re.compile(r"(\d+ (?:lines|messages)) (?:were left out|are in rejects)")


@dataclass(frozen=True)
class RunFigures:
    """What one run of load_events did, as far as an alarm is decided from it. `tables_failed`: reasons by table."""

    run_id: str
    seen_at: datetime
    rows_read: int = 0
    rows_rejected: int = 0
    objects_unreadable: int = 0
    schema_changes: int = 0
    changed_paths: Sequence[str] = ()
    tables_failed: Mapping[str, str] = field(default_factory=dict)
    dollars: float = 0.0


@dataclass(frozen=True)
class Refused:
    """How many objects of refused records there are of REFUSED_WITHIN: new ones, and settled ones, which no longer
    notify.
    """

    new: int = 0
    settled: int = 0
    latest_at: datetime | None = None
    first_new_at: datetime | None = None


@dataclass(frozen=True)
class ReconciledHour:
    """What the last comparison of an hour with the archive found: a row of lake/archive_reconciliations/hours.sql."""

    received_hour: datetime
    messages_here: int = 0
    messages_there: int = 0
    missing_here: int = 0
    missing_there: int = 0
    late: int = 0
    compared_at: datetime | None = None

    @property
    def missing_percent(self) -> float:
        """The share of a side's messages that the other one does not have: the greater of the two."""
        shares = ((self.missing_here, self.messages_there), (self.missing_there, self.messages_here))
        return max(100 * missing / messages if messages else 0.0 for missing, messages in shares)


@dataclass(frozen=True)
class Ending:
    """Rejected lines that were not sent again and are removed within NEAR_END, after `days`; how many, and the first of
    them.
    """

    lines: int = 0
    first_at: datetime | None = None
    days: int = 0


@dataclass(frozen=True)
class WatchFigures:
    """The state of the pipeline at `now`. None: not known, since a setting is missing, or there is none.

    `unstaged_objects`: all of `raw/`; `stage_flows`: whether what came after the late ones of them is staged;
    `stage_messages`: in the queue of stage_object; `newest_arrival_at`: when the
    newest object of events was delivered, as far back as was looked; `has_arrived`: whether one ever was; `refused`:
    objects of `processing-failed/`; `refused_events`: those of `refused/` of LOOK_BACK, MOST_REFUSED_EVENTS at most;
    `reconciled`: hours of RECONCILED_SINCE that were compared with the archive; `odd_volumes` and `plan_changes`: from
    the status page's document.
    """

    now: datetime
    unstaged_objects: int = 0
    oldest_unstaged_at: datetime | None = None
    stage_flows: bool = False
    stage_messages: int | None = None
    newest_arrival_at: datetime | None = None
    has_arrived: bool = False
    unloaded_objects: int = 0
    oldest_unloaded_at: datetime | None = None
    newest_received_at: datetime | None = None
    dead_letters: int | None = None
    refused: Refused = Refused()
    refused_events: Refused = Refused()
    ending_rejects: Ending = Ending()
    odd_volumes: Sequence[Odd] = ()
    plan_changes: Sequence[PlanChange] = ()
    runs: Sequence[RunFigures] = ()
    reconciled: Sequence[ReconciledHour] = ()


@dataclass(frozen=True)
class Alarm:
    """One thing that is wrong. With a `subject` (a run) it happened once; without, it lasts until it is over.

    `news_at`: when the latest of it came. Destinations notified since then are not notified again; without it, the
    alarm is always new. `since`: when the fault began, where the figures tell; `cause`: the alarm that it follows from.
    """

    name: str
    severity: str
    text: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    subject: str = ""
    news_at: datetime | None = None
    since: datetime | None = None
    cause: str = ""


@dataclass(frozen=True)
class KeptAlarm:
    """A row of the table `alarms`. `told_at`: when each destination was last notified that it is open."""

    name: str
    subject: str
    severity: str
    text: str
    figures: Mapping[str, Any]
    opened_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None = None
    told_at: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def since(self) -> datetime | None:
        """When the fault began, where that is known."""
        text = self.figures.get("since")
        return datetime.fromisoformat(text) if text else None

    @property
    def cause(self) -> str:
        """The alarm that it follows from, if that is open; empty for none."""
        return str(self.figures.get("cause") or CAUSES.get(self.name, ""))

    @property
    def figures_json(self) -> str:
        """The figures as JSON text."""
        return json.dumps(dict(self.figures), sort_keys=True)

    @property
    def told_json(self) -> str:
        """When each destination was notified, as JSON text."""
        return json.dumps({name: at.isoformat() for name, at in sorted(self.told_at.items())})


@dataclass(frozen=True)
class Notice:
    """The notification of one alarm, and its destinations; the row to keep once they were notified."""

    kept: KeptAlarm
    is_over: bool
    destinations: tuple[str, ...]

    def message(self) -> Message:
        """Write the message for a person."""
        about = f" ({self.kept.subject})" if self.kept.subject else ""
        if self.is_over:
            return Message(
                f"OVER: {self.kept.name}{about}",
                f"It began {_minute(self.kept.opened_at)}.\n{self.kept.text}",
            )
        runbook = RUNBOOKS.get(self.kept.name)
        what_to_do = f"\nRunbook: docs/runbooks/{runbook}" if runbook else ""
        return Message(f"{self.kept.severity.upper()}: {self.kept.name}{about}", f"{self.kept.text}{what_to_do}")

    def after(self, notified: Iterable[str], now: datetime) -> KeptAlarm:
        """Return the row once these destinations were notified."""
        if self.is_over:
            left = {name: at for name, at in self.kept.told_at.items() if name not in set(notified)}
            return replace(self.kept, told_at=left)
        return replace(self.kept, told_at={**self.kept.told_at, **dict.fromkeys(notified, now)})


def count_refused(written_at: Iterable[datetime], now: datetime) -> Refused:
    """Count objects of refused records by when each was written.

    One is settled when it is older than LOOK_BACK: it was in a notification by then. One that was sent again is not
    among them.
    """
    times = list(written_at)
    new = [at for at in times if now - at <= LOOK_BACK]
    return Refused(len(new), len(times) - len(new), max(times, default=None), min(new, default=None))


def newest_arrival(arrived_at: Iterable[datetime | None], now: datetime) -> datetime | None:
    """Return the latest of these times; one in the future does not count, since a name can say any time."""
    return max((at for at in arrived_at if at is not None and at <= now), default=None)


def stage_flows(
    unstaged_at: Iterable[datetime], newest_staged_at: datetime | None, now: datetime, settings: Settings
) -> bool:
    """Return whether stage_object works, though some objects of `raw/` are late: it staged one that came after them."""
    late = [at for at in unstaged_at if now - at >= _late_after(settings)]
    return bool(late) and newest_staged_at is not None and newest_staged_at > max(late)


def _late_after(settings: Settings) -> timedelta:
    return timedelta(minutes=settings.reconcile_after_minutes) + RECONCILED_AFTER


def find_alarms(figures: WatchFigures, settings: Settings) -> list[Alarm]:
    """Return every alarm that these figures open."""
    return [
        *_raw(figures, settings),
        *_arrivals(figures, settings),
        *_staging(figures, settings),
        *_leftovers(figures, settings),
        *_rejected_in_all(figures, settings),
        *_ending(figures),
        *_tables(figures),
        *_volumes(figures),
        *_runs(figures, settings),
        *_cost(figures),
        *_archive(figures),
    ]


def _raw(figures: WatchFigures, settings: Settings) -> Iterator[Alarm]:
    since = _late_since(figures, settings)
    if since is None:
        return
    age = figures.now - since
    waiting = "" if figures.stage_messages is None else f"; {figures.stage_messages} messages are in its queue"
    is_given_up = figures.stage_flows and bool(figures.dead_letters)
    what_to_do = (
        "Later ones are staged: stage_object works, and gave up on these, as the dead letters say."
        if is_given_up
        else "Is stage_object switched off, throttled or failing? Its log says."
    )
    yield Alarm(
        "staging_stands_still", "critical",
        f"{figures.unstaged_objects} objects of raw/ are not staged, the oldest for {_hours(age)} h{waiting}. "
        f"{what_to_do} Nothing is lost: raw/ keeps its objects.",
        {"objects": figures.unstaged_objects, "oldest_hours": _hours(age), "messages": figures.stage_messages},
        since=since, cause="dead_letters" if is_given_up else "",
    )  # fmt: skip


def _late_since(figures: WatchFigures, settings: Settings) -> datetime | None:
    """Return when the oldest object of `raw/` came, if it is late."""
    oldest = figures.oldest_unstaged_at
    return oldest if oldest is not None and figures.now - oldest >= _late_after(settings) else None


def _arrivals(figures: WatchFigures, settings: Settings) -> Iterator[Alarm]:
    newest, bound = figures.newest_arrival_at, timedelta(hours=settings.alarm_silence_hours)
    is_silent = figures.has_arrived if newest is None else figures.now - newest >= bound
    if is_silent:
        last = "" if newest is None else f"; the last object came {_minute(newest)}"
        yield Alarm(
            "nothing_arrives", "critical",
            f"Nothing has arrived for {settings.alarm_silence_hours} h or more{last}. Do the senders send, and does "
            "Firehose deliver? The stream keeps events for StreamRetentionHours (72).",
            {"newest_arrival_at": newest and newest.isoformat()},
            since=newest,
        )  # fmt: skip


def _staging(figures: WatchFigures, settings: Settings) -> Iterator[Alarm]:
    if figures.oldest_unloaded_at is None:
        return
    age = figures.now - figures.oldest_unloaded_at
    counts = {"objects": figures.unloaded_objects, "oldest_hours": _hours(age)}
    if age >= timedelta(hours=settings.alarm_unloaded_hours):
        yield Alarm(
            "unloaded_near_expiry", "critical",
            f"{figures.unloaded_objects} staged objects are not loaded, the oldest for {_hours(age)} h. expire_staging "
            "keeps them, but on AWS the bucket's lifecycle rule deletes them after StagingRetentionDays. "
            "Look at load_events: clear its failed run, or unpause it.",
            counts,
            since=figures.oldest_unloaded_at,
        )  # fmt: skip
    newest, bound = figures.newest_received_at, timedelta(hours=settings.alarm_freshness_hours)
    if age >= bound and (newest is None or figures.now - newest >= bound):
        seen = "none in 7 days" if newest is None else f"received {_minute(newest)}"
        yield Alarm(
            "events_not_fresh", "critical",
            f"The newest event is old ({seen}), although newer ones are staged. Look at load_events: is it paused, "
            "failing, or slower than the events come?",
            {**counts, "newest_received_at": newest and newest.isoformat()},
            since=newest or figures.oldest_unloaded_at,
        )  # fmt: skip


def _leftovers(figures: WatchFigures, settings: Settings) -> Iterator[Alarm]:
    if figures.dead_letters:
        yield Alarm(
            "dead_letters", "critical",
            f"{figures.dead_letters} messages are in the dead-letter queue: stage_object gave up on objects of raw/. "
            "Read its log; reconcile_raw tries the objects again while they are in raw/.",
            {"messages": figures.dead_letters},
            # SQS does not say when they came: their objects do, while they are in raw/.
            since=_late_since(figures, settings),
        )  # fmt: skip
    refused = figures.refused
    if refused.latest_at and refused.new:
        yield Alarm(
            "processing_failed", "warning",
            f"{refused.new} objects of refused records came under processing-failed/ in {_hours(LOOK_BACK)} h, "
            f"the latest {_minute(refused.latest_at)}; {refused.settled} older ones of {REFUSED_WITHIN.days} days are "
            "settled. Read their errorCode; "
            "when the cause is gone, send them again: make redrive SOURCE=processing-failed.",
            {"objects": refused.new, "settled": refused.settled},
            news_at=refused.latest_at, since=refused.first_new_at,
        )  # fmt: skip
    events = figures.refused_events
    if events.latest_at and events.new:
        or_more = " or more" if events.new >= MOST_REFUSED_EVENTS else ""
        yield Alarm(
            "refused_events", "warning",
            f"The collector kept refused events in {events.new}{or_more} objects under refused/ in "
            f"{_hours(LOOK_BACK)} h, the latest {_minute(events.latest_at)}. Read their errorCode and source; when the "
            "cause is gone, send them again: make redrive SOURCE=refused.",
            {"objects": events.new},
            news_at=events.latest_at, since=events.first_new_at,
        )  # fmt: skip


def _rejected_in_all(figures: WatchFigures, settings: Settings) -> Iterator[Alarm]:
    recent = [run for run in figures.runs if figures.now - run.seen_at <= timedelta(hours=24)]
    read, rejected = sum(run.rows_read for run in recent), sum(run.rows_rejected for run in recent)
    if _exceeds(rejected, read, settings):
        since = min(run.seen_at for run in recent if _exceeds(run.rows_rejected, run.rows_read, settings))
        yield Alarm(
            "reject_rate", "warning", _rejected(rejected, read, "of 24 hours"), {"read": read, "rejected": rejected},
            since=since,
        )  # fmt: skip


def _ending(figures: WatchFigures) -> Iterator[Alarm]:
    """Notify once a week while there are such lines: what can never be accepted is left to go."""
    ending = figures.ending_rejects
    if ending.lines and ending.first_at:
        gone_from = ending.first_at + timedelta(days=ending.days)
        yield Alarm(
            REJECTS_NEAR_END, "warning",
            f"{ending.lines} rejected lines that were not sent again are removed in the next {NEAR_END.days} days, the "
            f"first from {gone_from:%Y-%m-%d} on: rejects keeps lines for {ending.days} days. To send them again: "
            "make redrive SOURCE=rejects. To keep them for longer: CLICKSTREAM_RETENTION. Else leave them.",
            {"lines": ending.lines, "first_rejected_at": ending.first_at.isoformat()},
            news_at=_start_of_week(figures.now),
        )  # fmt: skip


def _start_of_week(now: datetime) -> datetime:
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def _tables(figures: WatchFigures) -> Iterator[Alarm]:
    failed = sorted((run for run in figures.runs if run.tables_failed), key=lambda run: run.seen_at)
    reasons = {table: short_reason(reason) for run in failed for table, reason in run.tables_failed.items()}
    if reasons:
        since = failed[0].seen_at
        named = ", ".join(f"{table} ({reason})" for table, reason in sorted(reasons.items()))
        yield Alarm(
            "event_tables_failed", "critical",
            f"Tables of events that runs could not fill since {_minute(since)}: {named}. Their messages are in events. "
            "load_runs.tables_failed has the query, the log of load_typed_events the engine's whole message; after a "
            "fix, rebuild the tables.",
            {"tables": sorted(reasons)},
            since=since,
        )  # fmt: skip


def short_reason(reason: str) -> str:
    """Return the engine's name of the error, and how many lines it lacks; never a text, which may quote a value.

    Without one, the plan asks for a change of the table that would lose values.
    """
    error, lines = _ERROR.search(reason), _LEFT_OUT.match(reason)
    name = error[1] if error else "a change that would lose values"
    return f"lacks {lines[1]}: {name}" if lines else name


def _volumes(figures: WatchFigures) -> Iterator[Alarm]:
    for name, verdict, did in (
        ("volume_silent", Verdict.SILENT, "fell silent"),
        ("volume_jumped", Verdict.HIGH, "jumped"),
    ):
        odd = [one for one in figures.odd_volumes if one.verdict is verdict]
        if not odd:
            continue
        more = f" and {len(odd) - MOST_NAMED} more" if len(odd) > MOST_NAMED else ""
        named = f"{', '.join(one.text for one in odd[:MOST_NAMED])}{more}"
        note = plan_note(odd, figures.plan_changes)
        yield Alarm(
            name, "warning",
            f"Usually busy, and {did}: {named}. {note}Ask the owner; the status page has the hours.",
            {"names": [one.name for one in odd[:MOST_NAMED]], "number": len(odd), "has_plan_change": bool(note)},
            since=min(one.began_at for one in odd),
        )  # fmt: skip


def _runs(figures: WatchFigures, settings: Settings) -> Iterator[Alarm]:
    for run in figures.runs:
        if _exceeds(run.rows_rejected, run.rows_read, settings):
            counts = {"read": run.rows_read, "rejected": run.rows_rejected}
            text = _rejected(run.rows_rejected, run.rows_read, "of this run")
            yield Alarm("run_reject_rate", "warning", text, counts, run.run_id, since=run.seen_at)
        if run.objects_unreadable:
            yield Alarm(
                "unreadable_objects", "critical",
                f"{run.objects_unreadable} staged objects cannot be read and were set aside: see the table quarantine, "
                "which names a copy of each. After a fix, delete its row: the next run loads it while it is staged.",
                {"objects": run.objects_unreadable}, run.run_id, since=run.seen_at,
            )  # fmt: skip
        if run.schema_changes:
            yield Alarm(
                "schema_changes", "warning",
                f"{run.schema_changes} keys or types of values were met for the first time: "
                f"{', '.join(run.changed_paths)}. See the table schema_changes and docs/drift.md.",
                {"changes": run.schema_changes}, run.run_id, since=run.seen_at,
            )  # fmt: skip


def _cost(figures: WatchFigures) -> Iterator[Alarm]:
    """Alarm when a million lines cost twice what they did, and the day more than a day did.

    Fewer events alone make each dearer, and are no reason. Lines read, since a rebuild loads none that are new.
    """
    day, loads = timedelta(days=1), [run for run in figures.runs if run.dollars]
    recent = [run for run in loads if figures.now - run.seen_at <= day]
    before = [run for run in loads if figures.now - run.seen_at > day]
    if len(before) < RUNS_TO_COMPARE:
        return
    rate, usual = _dollars_a_million(recent), _dollars_a_million(before)
    spent = sum(run.dollars for run in recent)
    usual_day = sum(run.dollars for run in before) / ((LOOK_BACK - day) / day)
    if usual and rate > 2 * usual and spent > usual_day:
        yield Alarm(
            "cost_doubled", "warning",
            f"A million lines cost {format_dollars(rate)} in the loads of 24 hours, {format_dollars(usual)} in those "
            "before. The view cost_by_day has each day; load_runs each run: more queries, more bytes read, or more "
            "tries?",
            {"dollars_a_million": rate, "before": usual, "dollars": spent},
        )  # fmt: skip


def _archive(figures: WatchFigures) -> Iterator[Alarm]:
    """Alarm when much of an hour is missing, and when a little of it has been for long. Late messages are not."""
    missing = [hour for hour in figures.reconciled if hour.missing_here or hour.missing_there]
    wrong = [
        hour
        for hour in missing
        if hour.missing_percent > MISSING_PERCENT or figures.now - hour.received_hour >= MISSING_FOR
    ]
    if not wrong:
        return
    here, there = sum(hour.missing_here for hour in wrong), sum(hour.missing_there for hour in wrong)
    oldest = min(hour.received_hour for hour in wrong)
    worst = max(hour.missing_percent for hour in wrong)
    yield Alarm(
        "archive_differs", "warning",
        f"{len(wrong)} hours differ from the archive, the oldest {_minute(oldest)}: {here} messages are missing in "
        f"events, {there} in the archive, {worst:.1f} % of the worst hour. See the table archive_reconciliations; "
        "reconcile_archive with dry run off loads what events misses.",
        {
            "hours": len(wrong), "missing_here": here, "missing_there": there, "worst_percent": round(worst, 1),
            "oldest_hour": oldest.isoformat(),
        },
        since=oldest,
    )  # fmt: skip


def _dollars_a_million(runs: Sequence[RunFigures]) -> float:
    lines = sum(run.rows_read for run in runs)
    return sum(run.dollars for run in runs) * 1_000_000 / lines if lines else 0.0


def _exceeds(rejected: int, read: int, settings: Settings) -> bool:
    return rejected * 100 > read * settings.alarm_reject_percent


def _rejected(rejected: int, read: int, of: str) -> str:
    return (
        f"{rejected} of the {read} lines {of} were rejected. Ask the table rejects for reasons and sources; "
        "when the cause is gone, send again what can be read, which lines that are no JSON cannot: make redrive "
        "SOURCE=rejects."
    )


def _minute(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _hours(age: timedelta) -> int:
    return int(age.total_seconds() // 3600)


def plan_notices(
    alarms: Iterable[Alarm],
    kept: Iterable[KeptAlarm],
    destinations: Sequence[str],
    now: datetime,
    repeat: timedelta,
) -> list[Notice]:
    """Return a notice for every alarm; it has no destination when all were notified less than `repeat` ago.

    What happened once notifies once. What lasts notifies again after `repeat`, if there is news of it, and when it is
    over.
    """
    left = {(row.name, row.subject): row for row in kept}
    notices = []
    for alarm in alarms:
        row = left.pop((alarm.name, alarm.subject), None)
        renewed = _renewed(alarm, row, now)
        due = [name for name in destinations if _is_due(alarm, renewed.told_at.get(name), now, repeat)]
        notices.append(Notice(renewed, False, tuple(due)))
    for row in left.values():
        if not row.subject:
            notified = {name: at for name, at in row.told_at.items() if name in destinations}
            over = replace(row, closed_at=row.closed_at or now, told_at=notified)
            notices.append(Notice(over, True, tuple(notified)))
    return notices


def _is_due(alarm: Alarm, told_at: datetime | None, now: datetime, repeat: timedelta) -> bool:
    if told_at is None:
        return True
    has_news = alarm.news_at is None or alarm.news_at > told_at
    return not alarm.subject and now - told_at >= repeat and has_news


def _renewed(alarm: Alarm, row: KeptAlarm | None, now: datetime) -> KeptAlarm:
    """Return the row of an alarm that is seen now. One that reopens before all heard of its end stays open.

    Its fault began when it was first known to, for as long as it is open: what is looked at goes on with the time.
    """
    opened_at, told_at = (row.opened_at, row.told_at) if row else (now, {})
    closed_at = (row.closed_at if row else now) if alarm.subject else None
    since = min((at for at in (alarm.since, row.since if row else None) if at is not None), default=None)
    began = {"since": since.astimezone(UTC).isoformat()} if since else {}
    cause = {"cause": alarm.cause} if alarm.cause else {}
    figures = {**alarm.figures, **began, **cause}
    return KeptAlarm(alarm.name, alarm.subject, alarm.severity, alarm.text, figures, opened_at, now, closed_at, told_at)


def kept_from_row(row: Mapping[str, Any]) -> KeptAlarm:
    """Return the alarm in a row of lake/alarms/kept.sql."""
    notified = {name: datetime.fromisoformat(at) for name, at in json.loads(row["told_at"]).items()}
    return KeptAlarm(**{**row, "figures": json.loads(row["figures"]), "told_at": notified})


def run_from_row(row: Mapping[str, Any]) -> RunFigures:
    """Return the run in a row of lake/load_runs/recent.sql."""
    return RunFigures(**{**row, "tables_failed": json.loads(row["tables_failed"] or "{}")})
