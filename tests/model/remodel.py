"""The incremental algorithm of docs/sessions.md in plain Python: what of a visitor's time is looked at again."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

Event = tuple[datetime, str]
Visit = tuple[Event, ...]


def cut(events: Iterable[Event], idle: timedelta, longest: timedelta) -> list[Visit]:
    """Sessions of one visitor's events, greedily from the first."""
    visits: list[list[Event]] = []
    for event in sorted(events):
        if visits and event[0] - visits[-1][-1][0] <= idle and event[0] - visits[-1][0][0] <= longest:
            visits[-1].append(event)
        else:
            visits.append([event])
    return [tuple(visit) for visit in visits]


def regions(
    stored: Sequence[Visit], points: Iterable[datetime], idle: timedelta, longest: timedelta
) -> list[tuple[datetime, datetime]]:
    """The spans that are modelled again: chains of stored sessions and points that hold a point.

    Only stored sessions that began at most one longest session and one idle time before the first point are looked at.
    """
    points = sorted(points)
    near = [visit for visit in stored if visit[0][0] >= points[0] - longest - idle]
    spans = sorted([(v[0][0], v[-1][0], False) for v in near] + [(point, point, True) for point in points])
    chains: list[list[tuple[datetime, datetime, bool]]] = []
    reached = None
    for span in spans:
        if reached is not None and span[0] <= reached + idle:
            chains[-1].append(span)
            reached = max(reached, span[1])
        else:
            chains.append([span])
            reached = span[1]
    found = []
    for chain in chains:
        marks = [start for start, _, is_point in chain if is_point]
        if marks:
            begun = [start for start, _, is_point in chain if not is_point and start <= marks[0]]
            found.append((max(begun, default=chain[0][0]), max(end for _, end, _ in chain)))
    return found


def remodel(
    stored: Sequence[Visit], events: Iterable[Event], points: Iterable[datetime], idle: timedelta, longest: timedelta
) -> list[Visit]:
    """The stored sessions with their regions modelled again from `events`."""
    events = list(events)
    kept = list(stored)
    for start, end in regions(stored, points, idle, longest):
        kept = [visit for visit in kept if not start <= visit[0][0] <= end]
        kept += cut((event for event in events if start <= event[0] <= end), idle, longest)
    return sorted(kept)
