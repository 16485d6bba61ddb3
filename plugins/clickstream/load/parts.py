"""A load in parts: what one statement names, reads and has open is bounded, whatever the load brings.

A message belongs to one part, and a part changes whole hours or days of a table: run one after another, the parts leave
the rows that one statement would.
"""

import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from clickstream.engine.evolution import Run
from clickstream.load.manifest import Manifest
from clickstream.window import DAY, HOUR, INSTANT, Bounds, Window, full_hour, hours

PATHS_A_STATEMENT = 100_000
"""Bytes of the paths that one statement names. Athena takes 262,144 in all, Trino a million characters."""

HOURS_A_STATEMENT = 48
DAYS_A_STATEMENT = 60
"""Partitions that one statement writes: a writer holds each open, in memory, and Trino allows a hundred of them
(https://trino.io/docs/current/connector/iceberg.html, iceberg.max-partitions-per-writer)."""

SPANS_A_STATEMENT = 50
"""Times far apart of which one statement reads what lies around each, and nothing between."""


def with_received(run: Run, taken: Manifest, run_id: str) -> tuple[Manifest, int]:
    """Query the run's batch; return the manifest with what it has of them, and of how many objects it has lines.

    When objects have expired, what an earlier try read stays in the bounds: the run's report counts it too.
    """
    row = run("work/batch/received.sql", run_id=run_id).rows[0]
    batch, before = Bounds(row["earliest"], row["latest"]), taken.batch if taken.expired.earliest else None
    whole, known = batch | before if before else batch, tuple[datetime, ...]()
    if takes_parts(whole):
        seconds = json.loads(run("work/batch/hours.sql", run_id=run_id).rows[0]["hours"])
        earlier = (taken.hours or _hours_of(before)) if before else ()
        known = tuple(sorted({*earlier, *(datetime.fromtimestamp(at, UTC) for at in seconds)}))
    idle = [table for table, lines in (("rejects", row["rejected"]), ("discards", row["discarding"])) if not lines]
    return replace(taken, batch=whole, hours=known, idle=tuple(idle)), row["objects_read"]


def _hours_of(batch: Bounds) -> tuple[datetime, ...]:
    """Return the full hours of a batch that one statement could write."""
    if batch.earliest is None or batch.latest is None:
        return ()
    return tuple(hour.start for hour in hours(Window(full_hour(batch.earliest), batch.latest + INSTANT)))


def values_of(taken: Manifest, lookback: timedelta) -> dict[str, Any]:
    """Return the values of a whole unpacked load, and in `parts` those of its parts by objects, hours and days."""
    assert taken.batch is not None
    whole = replace(taken.batch, parts=_spanned(taken.hours, HOUR).parts) if taken.hours else taken.batch
    return {
        "manifest": taken,
        "window": whole,
        "bounds": whole.widened(lookback),
        "staged": staged_in(taken) | taken.expired,
        "parts": {
            "objects": by_objects(taken), "hours": by_hours(taken, lookback), "days": by_days(taken, lookback),
        },
    }  # fmt: skip


def by_objects(taken: Manifest) -> list[dict[str, Any]]:
    """Return the values of each part of the objects: `manifest`, and `staged`, when they were staged."""
    return [{"manifest": part, "staged": staged_in(part)} for part in object_parts(taken)]


def staged_in(taken: Manifest) -> Bounds:
    """Return when the objects were staged."""
    return Bounds.of(item.staged_at for item in taken.objects)


def object_parts(taken: Manifest) -> Iterator[Manifest]:
    """Yield the manifest in parts that a statement can name, each of a bounded count of days staged."""
    objects = sorted(taken.objects, key=lambda item: (item.staged_at, item.path))
    start, size = 0, 0
    for index, item in enumerate(objects):
        is_far = item.staged_at - objects[start].staged_at >= DAY * DAYS_A_STATEMENT
        own = len(item.path.encode())
        if index > start and (is_far or size + own > PATHS_A_STATEMENT):
            yield replace(taken, objects=tuple(objects[start:index]))
            start, size = index, 0
        size += own
    if objects:
        yield replace(taken, objects=tuple(objects[start:]))


def by_hours(taken: Manifest, lookback: timedelta) -> list[dict[str, Any]]:
    """Return the values of each part of the hours received: `window`, and `bounds`, the same widened by `lookback`."""
    return _values(_parts(taken, HOUR, HOURS_A_STATEMENT), lookback)


def by_days(taken: Manifest, lookback: timedelta) -> list[dict[str, Any]]:
    """Return the same of the days received."""
    return _values(_parts(taken, DAY, DAYS_A_STATEMENT), lookback)


def takes_parts(batch: Bounds) -> bool:
    """Return whether the hours received have to be known, since one statement cannot write all of the time between."""
    return batch.earliest is not None and batch.latest is not None and _is_long(batch, HOUR * (HOURS_A_STATEMENT - 1))


def _is_long(batch: Bounds, span: timedelta) -> bool:
    assert batch.earliest is not None and batch.latest is not None  # noqa: PT018 - not a test
    return batch.latest - batch.earliest > span


def _parts(taken: Manifest, length: timedelta, most: int) -> list[Bounds]:
    assert taken.batch is not None
    if not taken.hours:
        return [taken.batch]
    starts = sorted({_start(hour, length) for hour in taken.hours})
    groups = [starts[first : first + most] for first in range(0, len(starts), most)]
    return [_spanned(group, length) for group in groups]


def _spanned(starts: Sequence[datetime], length: timedelta) -> Bounds:
    """Return the bounds of these hours or days; in parts, cut at the longest gaps of more than a day."""
    gaps = sorted((after - before, after) for before, after in pairwise(starts) if after - before > DAY)
    firsts = sorted([starts[0], *(after for _, after in gaps[-(SPANS_A_STATEMENT - 1) :])])
    lasts = [*(starts[bisect_left(starts, first) - 1] for first in firsts[1:]), starts[-1]]
    parts = tuple(Window(first, last + length).closed for first, last in zip(firsts, lasts, strict=True))
    return Bounds(parts[0].start, parts[-1].end, parts if len(parts) > 1 else ())


def _start(hour: datetime, length: timedelta) -> datetime:
    return full_hour(hour) if length == HOUR else full_hour(hour).replace(hour=0)


def _values(parts: Sequence[Bounds], lookback: timedelta) -> list[dict[str, Any]]:
    return [{"window": part, "bounds": part.widened(lookback)} for part in parts]
