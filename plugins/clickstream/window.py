"""Spans of time, UTC: a `Window` ends before its end, a `Span` has both ends, `Bounds` may be of nothing."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

LONGEST = timedelta(days=366)
"""The longest span that a form takes in one run."""

INSTANT = timedelta(microseconds=1)
"""The resolution of every time."""


@dataclass(frozen=True, order=True)
class Window:
    """A half-open span, as a person asks for it: start <= instant < end."""

    start: datetime
    end: datetime

    def holds(self, instant: datetime) -> bool:
        """Return whether an instant lies in it."""
        return self.start <= instant < self.end

    @property
    def closed(self) -> "Span":
        """The same instants as a closed span."""
        return Span(self.start, self.end - INSTANT)

    def __str__(self) -> str:
        return _text(self.start, self.end)


@dataclass(frozen=True, order=True)
class Span:
    """A closed span, as `between` of SQL has it: start <= instant <= end."""

    start: datetime
    end: datetime

    def clipped(self, outer: "Span") -> "Span | None":
        """Return what of it lies in another; None when nothing does."""
        start, end = max(self.start, outer.start), min(self.end, outer.end)
        return Span(start, end) if start <= end else None

    def __str__(self) -> str:
        return _text(self.start, self.end)


Either = TypeVar("Either", Window, Span)


@dataclass(frozen=True)
class Bounds:
    """The earliest and the latest of some instants: a closed span, or None and None when there is no instant.

    `parts`: the spans inside that hold every instant, where nearly all of the time is without any.
    """

    earliest: datetime | None
    latest: datetime | None
    parts: tuple[Span, ...] = ()

    @property
    def spans(self) -> tuple[Span, ...]:
        """What has to be read: the parts, or all of it."""
        return self.parts or (Span(self.earliest, self.latest),)  # type: ignore[arg-type] # of no instant: null

    @classmethod
    def of(cls, instants: Iterable[datetime | None]) -> "Bounds":
        """Return the bounds of these instants; None is no instant."""
        times = [at for at in instants if at is not None]
        return cls(min(times, default=None), max(times, default=None))

    def __or__(self, other: "Bounds") -> "Bounds":
        """Return the bounds of the instants of both, without parts."""
        return Bounds.of((self.earliest, self.latest, other.earliest, other.latest))

    def widened(self, length: timedelta) -> "Bounds":
        """Return the same, longer by `length` at both ends, as far as the calendar goes; so is each part."""
        if self.earliest is None or self.latest is None:
            return self
        whole = widened(Span(self.earliest, self.latest), length)
        return Bounds(whole.start, whole.end, joined(widened(part, length) for part in self.parts))

    def clipped(self, outer: Span) -> "Bounds":
        """Return the bounds `outer`, with what of the parts lies in it."""
        return Bounds(outer.start, outer.end, clipped(self.parts, outer))


NO_TIME = Bounds(None, None)
"""The bounds of no instant."""


def _text(start: datetime, end: datetime) -> str:
    return f"{start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} to {end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def clipped(spans: Iterable[Span], outer: Span) -> tuple[Span, ...]:
    """Return what of each span lies in `outer`, without those of which nothing does."""
    return tuple(inner for span in spans if (inner := span.clipped(outer)) is not None)


def widened(span: Either, length: timedelta) -> Either:
    """Return the same, longer by `length` at both ends, as far as the calendar goes."""
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    return replace(span, start=max(span.start, first + length) - length, end=min(span.end, last - length) + length)


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


def covering(spans: Collection[Either]) -> Either:
    """Return the shortest span that covers all of these, of which there is one at least."""
    return replace(min(spans), end=max(span.end for span in spans))


def joined(spans: Iterable[Either]) -> tuple[Either, ...]:
    """Return the spans in order, those that overlap or are adjacent merged."""
    merged: list[Either] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = covering([merged[-1], span])
        else:
            merged.append(span)
    return tuple(merged)
