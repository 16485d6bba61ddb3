"""What a document says in one line: is it fresh, what is wrong, since when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

STALE_AFTER = timedelta(minutes=45)
"""The age at which a document is stale: two runs of write_status have not written one."""

BEHIND_AFTER = timedelta(hours=3)
"""How old the newest event may be, and how far the hours that are shown may end before the page was written: loads are
hourly.
"""

BY_CHANCE = 0.001
"""How likely so many may come so late in a day by chance, before they count as something that began in it."""

MOST_NAMED = 3
"""Reasons and rules that are named at once; the page has all of them."""

_STOPS = {"nothing_arrives", "staging_stands_still", "events_not_fresh", "unloaded_near_expiry"}
"""Alarms that say that events do not come through."""


class Tone(StrEnum):
    """How bad it is, by the name of its style."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Verdict:
    """The sentences of the line, and how bad it is."""

    tone: Tone
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """The line."""
        return " ".join(self.sentences)


def verdict(document: Mapping[str, Any], now: datetime) -> Verdict:
    """Return the line at the top of the page of a document, as of the time that it was written."""
    written_at = instant(document["written_at"])
    alarms = document["alarms"]
    tone, fresh = _freshness(document, written_at)
    sentences = [fresh, *_alarms(alarms, written_at), *_begun(document["loaded"], written_at)]
    if any(alarm["severity"] == "critical" for alarm in alarms):
        tone = Tone.BAD
    elif alarms or len(sentences) > 2:
        tone = max(tone, Tone.WARN, key=[*Tone].index)
    if now - written_at > STALE_AFTER:
        stale = f"Not known: this page was written {age(written_at, now)} ago. As of then:"
        return Verdict(Tone.BAD, (stale, *sentences))
    return Verdict(tone, tuple(sentences))


def _freshness(document: Mapping[str, Any], written_at: datetime) -> tuple[Tone, str]:
    waiting = document["waiting"]
    newest = waiting["newest_received_at"]
    said = f"newest event {age(instant(newest), written_at)} ago" if newest else "no event in 7 days"
    if newest and written_at - instant(newest) < BEHIND_AFTER:
        was_late = any(alarm["name"] == "events_not_fresh" for alarm in document["alarms"])
        return Tone.GOOD, f"Fresh{' again' if was_late else ''}: {said}."
    unloaded = waiting["oldest_unloaded_at"]
    stops = any(alarm["name"] in _STOPS and not alarm.get("cause") for alarm in document["alarms"])
    if stops or (unloaded and written_at - instant(unloaded) >= BEHIND_AFTER):
        return Tone.BAD, f"Not fresh: {said}."
    return Tone.WARN, f"Quiet: nothing waits for long; {said}."


def _alarms(alarms: Iterable[Mapping[str, Any]], written_at: datetime) -> list[str]:
    """Return sentences on the alarms that are open, what follows from one beside it, and on those about runs."""
    is_open = [alarm for alarm in alarms if not alarm["run_id"]]
    named: dict[str, list[str]] = {}
    for alarm in is_open:
        text = f"{_words(alarm)} since {_began(alarm, written_at)}"
        named.setdefault(alarm.get("cause") or alarm["name"], []).append(text)
    listed = "; ".join(f"{head} (and so {', '.join(rest)})" if rest else head for head, *rest in named.values())
    count = len(is_open)
    found = [f"{count} {'alarm is' if count == 1 else 'alarms are'} open: {listed}."] if count else []
    of_runs = by_name(alarm for alarm in alarms if alarm["run_id"] and not alarm.get("cause"))
    about = "; ".join(
        f"{_words(some[0])} in {_count(len(some), 'run')}, the latest {_began(some[0], written_at)}" for some in of_runs
    )
    found += [f"In single runs: {about}."] if about else []
    return found or ["No alarm is open."]


def _begun(loaded: Mapping[str, Any], written_at: datetime) -> list[str]:
    """Return sentences on rules that began to be broken, and on reasons for which lines began to be rejected."""
    broken = [
        f"{_isolated(one['event'])}{_property(one)} ({one['rule']}){_times(one, written_at)}{_of(one)}"
        for one in loaded["violations"]
        if has_begun(one, one["messages"], loaded)
    ]
    rejected = [
        f"{one['reason']}{_times(one, written_at)}{_of(one)}"
        for one in loaded["rejects"]
        # Lines of people whose data was erased are no fault.
        if one["reason"] != "suppressed" and has_begun(one, one["rejected_lines"], loaded)
    ]
    return [
        f"{what} began: {'; '.join(some[:MOST_NAMED])}{_more(len(some) - MOST_NAMED)}."
        for what, some in (("Rejected lines", rejected), ("Violations of the plan", broken))
        if some
    ]


def evidence(alarm: Mapping[str, Any], document: Mapping[str, Any]) -> list[str]:
    """Return the commonest reasons that the document has for an alarm about refused records or rejected lines."""
    written_at = instant(document["written_at"])
    place = {"refused_events": "refused/", "processing_failed": "processing-failed/"}.get(alarm["name"])
    if place:
        return [
            f"{one['reason']}: {_count(one['records'], 'record')} of the newest objects"
            + (f", of {_isolated(one['source'])}" if one["source"] else "")
            + (f", the latest {clock(one['latest_at'], written_at)}" if one.get("latest_at") else "")
            for one in document["refused"]
            if one["place"] == place
        ][:MOST_NAMED]
    if alarm["name"] in ("reject_rate", "run_reject_rate"):
        return [
            f"{one['reason']}: {_count(one['rejected_lines'], 'line')} of 24 hours"
            + (f", since {clock(one['first_at'], written_at)}" if one.get("first_at") else "")
            + f", the latest {clock(one['latest_at'], written_at)}{_of(one)}"
            for one in document["loaded"]["rejects"][:MOST_NAMED]
        ]
    return []


def has_begun(one: Mapping[str, Any], count: int, loaded: Mapping[str, Any]) -> bool:
    """Return whether what came `count` times in a day came too late in it for a thing that comes evenly."""
    if not one.get("first_at") or not loaded.get("since"):
        return False  # a document of an earlier version
    since, until = instant(loaded["since"]), instant(loaded["looked_at"])
    share = (until - instant(one["first_at"])) / (until - since)
    return bool(max(share, 0.0) ** count < BY_CHANCE)


def by_name(alarms: Iterable[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Return alarms about runs by their names, in the order of the first of each; of each the latest run first."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for alarm in alarms:
        found.setdefault(alarm["name"], []).append(alarm)
    return [sorted(some, key=lambda alarm: str(alarm["opened_at"]), reverse=True) for some in found.values()]


def _words(alarm: Mapping[str, Any]) -> str:
    return str(alarm["name"]).replace("_", " ")


def _began(alarm: Mapping[str, Any], written_at: datetime) -> str:
    return clock(alarm.get("since") or alarm["opened_at"], written_at)


def _times(one: Mapping[str, Any], written_at: datetime) -> str:
    return f" from {clock(one['first_at'], written_at)} to {clock(one['latest_at'], written_at)}"


def _of(one: Mapping[str, Any]) -> str:
    return f", of {', '.join(map(_isolated, one['sources']))}" if one.get("sources") else ""


def _property(one: Mapping[str, Any]) -> str:
    return f" {_isolated(one['property'])}" if one["property"] else ""


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def _isolated(name: str) -> str:
    """Return a name that senders gave, its direction kept to itself, as in <bdi>."""
    return f"\u2068{name[:100]}\u2069"


def instant(text: str) -> datetime:
    """Return the time in a document."""
    return datetime.fromisoformat(text).astimezone(UTC)


def clock(text: str, written_at: datetime) -> str:
    """Return the hour and minute (UTC) of a time, and its day, if that is not the day of the document."""
    at = instant(text)
    return f"{at:%H:%M}" if at.date() == written_at.date() else f"{at:%Y-%m-%d %H:%M}"


def age(at: datetime, now: datetime) -> str:
    """Return how long before `now` an instant was: in minutes, hours or days, two of them at least."""
    minutes = max(0, round((now - at).total_seconds() / 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2 * 24 * 60 else f"{minutes // (24 * 60)} days"
