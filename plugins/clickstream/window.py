"""Spans of time, UTC."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

LONGEST = timedelta(days=366)
"""The longest span that a form takes in one run."""


@dataclass(frozen=True, order=True)
class Window:
    """A half-open span: start <= instant < end."""

    start: datetime
    end: datetime

    def holds(self, instant: datetime) -> bool:
        """Whether an instant lies in it."""
        return self.start <= instant < self.end

    def __str__(self) -> str:
        return f"{self.start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} to {self.end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class Received:
    """From when to when messages were received, both ends included; None where there are none."""

    earliest: datetime | None
    latest: datetime | None

    def widened(self, span: timedelta) -> "Received":
        """The same, longer by `span` at both ends, as far as the calendar goes."""
        if self.earliest is None or self.latest is None:
            return self
        first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        return Received(max(self.earliest, first + span) - span, min(self.latest, last - span) + span)


def full_hour(instant: datetime) -> datetime:
    """The start of its hour, UTC."""
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours(window: Window) -> Iterator[Window]:
    """Its parts, cut at the full hours of UTC."""
    return _parts(window, lambda start: full_hour(start) + HOUR)


def days(window: Window) -> Iterator[Window]:
    """Its parts, cut at midnight UTC."""
    return _parts(window, lambda start: full_hour(start).replace(hour=0) + DAY)


def _parts(window: Window, following: Callable[[datetime], datetime]) -> Iterator[Window]:
    start, end = window.start.astimezone(UTC), window.end.astimezone(UTC)
    while start < end:
        cut = min(following(start), end)
        yield Window(start, cut)
        start = cut


def joined(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Windows in order, those that touch made one."""
    whole: list[Window] = []
    for window in sorted(windows):
        if whole and window.start <= whole[-1].end:
            whole[-1] = Window(whole[-1].start, max(whole[-1].end, window.end))
        else:
            whole.append(window)
    return tuple(whole)
