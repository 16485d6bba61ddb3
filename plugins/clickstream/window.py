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
        """Return whether an instant lies in it."""
        return self.start <= instant < self.end

    def __str__(self) -> str:
        return f"{self.start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} to {self.end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class Received:
    """From when to when messages were received, both ends included; None where there are none.

    `parts`: the times between in which there are some, where nearly all of it is without any; ends included, too.
    """

    earliest: datetime | None
    latest: datetime | None
    parts: tuple[Window, ...] = ()

    @property
    def spans(self) -> tuple[Window, ...]:
        """What has to be read: the parts, or all of it."""
        return self.parts or (Window(self.earliest, self.latest),)  # type: ignore[arg-type] # of no message: null

    def widened(self, span: timedelta) -> "Received":
        """Return the same, longer by `span` at both ends, as far as the calendar goes; so is each part."""
        if self.earliest is None or self.latest is None:
            return self
        whole = _widened(Window(self.earliest, self.latest), span)
        return Received(whole.start, whole.end, joined(_widened(part, span) for part in self.parts))

    def clipped(self, earliest: datetime, latest: datetime) -> "Received":
        """Return what of the parts lies between, both ends included."""
        parts = (Window(max(part.start, earliest), min(part.end, latest)) for part in self.parts)
        return Received(earliest, latest, tuple(part for part in parts if part.start <= part.end))


def _widened(window: Window, span: timedelta) -> Window:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    return Window(max(window.start, first + span) - span, min(window.end, last - span) + span)


def full_hour(instant: datetime) -> datetime:
    """Return the start of its hour, UTC."""
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours(window: Window) -> Iterator[Window]:
    """Yield its parts, cut at the full hours of UTC."""
    return _parts(window, lambda start: full_hour(start) + HOUR)


def days(window: Window) -> Iterator[Window]:
    """Yield its parts, cut at midnight UTC."""
    return _parts(window, lambda start: full_hour(start).replace(hour=0) + DAY)


def _parts(window: Window, following: Callable[[datetime], datetime]) -> Iterator[Window]:
    start, end = window.start.astimezone(UTC), window.end.astimezone(UTC)
    while start < end:
        cut = min(following(start), end)
        yield Window(start, cut)
        start = cut


def joined(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Return the windows in order, adjacent ones merged."""
    whole: list[Window] = []
    for window in sorted(windows):
        if whole and window.start <= whole[-1].end:
            whole[-1] = Window(whole[-1].start, max(whole[-1].end, window.end))
        else:
            whole.append(window)
    return tuple(whole)
