"""What is usual at an hour of the week, from the same hours of past weeks, and what is not."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

HOURS = 24
"""Hours that are judged, and drawn."""

WEEKS = 4
"""Past weeks whose same hours say what is usual."""

FEWEST_WEEKS = 2
"""Past weeks that are needed: one alone may have been unusual itself."""

FILLING = 1
"""Hours at the end that are not judged: their last messages may be loaded only by the next run."""

FLOOR = 30
"""Messages that are usual at least, before anybody is notified: of a silence in all of its hours, of a jump in each."""

ODD_HOURS = 2
"""Hours with usual messages that a silence or a jump lasts, before anybody is notified: one hour may have moved."""

JUMP = 3
"""How many times the most that is usual is a jump."""

EXPLAINED_BY = timedelta(days=2)
"""How long before odd hours a change of the tracking plan may be why."""

OLDEST = timedelta(days=1)
"""Hours that end longer ago are not judged: what there is says nothing about now."""


class Verdict(StrEnum):
    """How the latest full hour compares with the same hour of past weeks."""

    SILENT = "silent"
    LOW = "below usual"
    HIGH = "above usual"
    USUAL = "usual"
    FEW = "too few to judge"
    UNKNOWN = "no past weeks"


def usual(past: Sequence[int]) -> tuple[int, int]:
    """Return the fewest and the most messages that are usual in an hour which had `past` of them in past weeks.

    Counts of independent messages vary by their square root: the band is wider by twice that on either side.
    """
    least, most = min(past), max(past)
    return max(0, math.floor(least - 2 * math.sqrt(least))), math.ceil(most + 2 * math.sqrt(most)) + 1


def judge(hours: Sequence[int], low: Sequence[int], high: Sequence[int]) -> Verdict:
    """Judge the latest hour that is complete; the three lists are of the same hours, the oldest first.

    An hour of none in which none is usual too says nothing: it is FEW.
    """
    if not low:
        return Verdict.UNKNOWN
    count, least, most = (values[-1 - FILLING] for values in (hours, low, high))
    if count < least:
        return Verdict.LOW if count else Verdict.SILENT
    if not count:
        return Verdict.FEW
    return Verdict.HIGH if count > most else Verdict.USUAL


def silent_hours(hours: Sequence[int]) -> int:
    """Return how many complete hours at the end have no message."""
    complete = hours[: len(hours) - FILLING]
    return next((number for number, count in enumerate(reversed(complete)) if count), len(complete))


@dataclass(frozen=True)
class PlanChange:
    """What changed in the tracking plan, and when it was first seen. `events`: what was done, by the event's key."""

    at: datetime
    events: Mapping[str, str]


@dataclass(frozen=True)
class Odd:
    """An event or source that is usually busy and fell silent, or jumped.

    `hours`: for how many; `messages`: in these hours; `usual`: the least or the most that is usual in them;
    `began_at`: the start of the first of them.
    """

    name: str
    key: str
    is_source: bool
    verdict: Verdict
    hours: int
    messages: int
    usual: int
    began_at: datetime

    @property
    def text(self) -> str:
        """What it is and what it did, in words."""
        what = "source" if self.is_source else "event"
        if self.verdict is Verdict.SILENT:
            return f"{what} {self.name[:100]} (none for {self.hours} h, {self.usual} or more are usual)"
        return f"{what} {self.name[:100]} ({self.messages} in {self.hours} h, {self.usual} or fewer are usual)"


def odd_hours(hours: Sequence[int], low: Sequence[int], high: Sequence[int]) -> tuple[Verdict, int] | None:
    """Return the verdict that notifies, SILENT or HIGH, and for how many of the complete hours; None for neither.

    The three lists are of the same hours, the oldest first.
    """
    if not low:
        return None
    end = len(hours) - FILLING
    silent = silent_hours(hours)
    expected = low[end - silent : end]
    if sum(expected) >= FLOOR and sum(least > 0 for least in expected) >= ODD_HOURS:
        return Verdict.SILENT, silent
    jumped = 0
    while jumped < end and _is_jump(hours[end - 1 - jumped], high[end - 1 - jumped]):
        jumped += 1
    return (Verdict.HIGH, jumped) if jumped >= ODD_HOURS else None


def _is_jump(count: int, most: int) -> bool:
    return most >= FLOOR and count > JUMP * most


def odd_volumes(document: Mapping[str, Any] | None, now: datetime) -> list[Odd]:
    """Return what is odd in a status document, sources first; nothing when there is none, or it is old."""
    loaded = (document or {}).get("loaded")
    if not loaded:
        return []
    until = datetime.fromisoformat(loaded["until"])
    if now - until > OLDEST:
        return []
    series = [(one, True) for one in loaded["sources"]] + [(one, False) for one in loaded["events"]]
    return [odd for one, is_source in series if (odd := _odd(one, is_source, until))]


def _odd(series: Mapping[str, Any], is_source: bool, until: datetime) -> Odd | None:
    hours, low, high = series["hours"], series["low"], series["high"]
    found = odd_hours(hours, low, high)
    if found is None:
        return None
    verdict, count = found
    end = len(hours) - FILLING
    span = slice(end - count, end)
    usual_in_them = sum((low if verdict is Verdict.SILENT else high)[span])
    began_at = until - timedelta(hours=FILLING + count)
    key = series.get("key", "")
    return Odd(
        series["name"] or series.get("type") or "(no source)",
        key,
        is_source,
        verdict,
        count,
        sum(hours[span]),
        usual_in_them,
        began_at,
    )


def plan_changes(document: Mapping[str, Any] | None) -> list[PlanChange]:
    """Return the changes of the tracking plan that a status document has."""
    history = (document or {}).get("plan_history") or {"changes": []}
    return [PlanChange(datetime.fromisoformat(one["at"]), one["events"]) for one in history["changes"]]


def plan_note(odd: Iterable[Odd], changes: Iterable[PlanChange]) -> str:
    """Return a sentence, with a space after it, on the latest change of the plan that may be why; '' for none.

    One that says something about an event itself counts before one that does not: an event may have another name now.
    """
    events = [one for one in odd if not one.is_source]
    near = [
        (any(one.key in change.events for one in events), change.at, change)
        for change in changes
        if any(change.at >= one.began_at - EXPLAINED_BY for one in events)
    ]
    if not near:
        return ""
    _, at, change = max(near, key=lambda item: item[:2])
    own = [key for key in change.events if key in {one.key for one in events}]
    shown = [*own, *(key for key in sorted(change.events) if key not in own)][:5]
    listed = ", ".join(f"{key[:100]} {change.events[key]}" for key in shown)
    more = f" and {len(change.events) - len(shown)} more" if len(change.events) > len(shown) else ""
    return f"The tracking plan changed {at:%Y-%m-%d %H:%M} UTC ({listed}{more}): that may be why. "
