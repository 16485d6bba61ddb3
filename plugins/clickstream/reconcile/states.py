"""What becomes of the messages of each hour and source, from the buckets of both sides; pure."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from clickstream.load.archive import AROUND
from clickstream.window import HOUR, Window

STATES = ("missing_here", "missing_there", "late", "refused_here", "duplicate")
"""The states of an hour, the worst first; without any of them it is equal."""


@dataclass(frozen=True, order=True)
class Cell:
    """One hour of received_at and one source, by its project_id."""

    hour: datetime
    source: str


@dataclass(frozen=True)
class Bucket:
    """Some messages of a cell: how many, and a digest of their ids."""

    ids: int
    digest: str


@dataclass(frozen=True)
class Side:
    """The live tables, or the archive. `repeated`: lines whose id the cell has in another one; `refused`: lines that
    are no message.
    """

    buckets: Mapping[Cell, Mapping[int, Bucket]]
    repeated: Mapping[Cell, int]
    refused: Mapping[Cell, int]

    @property
    def cells(self) -> set[Cell]:
        """All of which there is a line."""
        return {*self.buckets, *self.refused}


@dataclass(frozen=True)
class Compared:
    """A row of the table archive_reconciliations, without where and when it was found."""

    cell: Cell
    messages_here: int = 0
    messages_there: int = 0
    in_both: int = 0
    missing_here: int = 0
    missing_there: int = 0
    late: int = 0
    refused_here: int = 0
    duplicates: int = 0

    @property
    def state(self) -> str:
        """The worst that there is."""
        counts = (self.missing_here, self.missing_there, self.late, self.refused_here, self.duplicates)
        return next((state for state, count in zip(STATES, counts, strict=True) if count), "equal")

    def to_dict(self) -> dict[str, Any]:
        """Return the columns as plain values."""
        counts = {name: getattr(self, name) for name in COUNTS}
        return {
            "received_hour": self.cell.hour.isoformat(),
            "source": self.cell.source,
            "state": self.state,
            **counts,
        }


COUNTS = tuple(field.name for field in fields(Compared) if field.name != "cell")
"""The names of what is counted, in the order of the table's columns."""


def read_side(rows: Iterable[Mapping[str, Any]]) -> Side:
    """Return a side from the rows of reconcile/here.sql or there.sql."""
    buckets: dict[Cell, dict[int, Bucket]] = defaultdict(dict)
    repeated, refused = Counter[Cell](), Counter[Cell]()
    for row in rows:
        cell = Cell(row["received_hour"], row["source"])
        if row["bucket"] is None:
            refused[cell] += row["lines"]
        else:
            buckets[cell][row["bucket"]] = Bucket(row["ids"], row["digest"])
            repeated[cell] += row["lines"] - row["ids"]
    return Side(buckets, repeated, refused)


def differing(here: Side, there: Side) -> dict[Cell, list[int]]:
    """Return the buckets whose messages are not the same on both sides, by cell, in order."""
    found = {}
    for cell in sorted(here.cells | there.cells):
        ours, theirs = here.buckets.get(cell, {}), there.buckets.get(cell, {})
        numbers = [number for number in sorted({*ours, *theirs}) if ours.get(number) != theirs.get(number)]
        if numbers:
            found[cell] = numbers
    return found


def compared(
    here: Side, there: Side, outcomes: Iterable[Mapping[str, Any]], is_late: Mapping[datetime, bool]
) -> list[Compared]:
    """Return what both sides come to, in order.

    `outcomes`: rows of reconcile/ids.sql about the buckets that differ; `is_late`: whether a side may still get
    messages of an hour.
    """
    found: dict[Cell, Counter[str]] = defaultdict(Counter)
    for row in outcomes:
        found[Cell(row["received_hour"], row["source"])][row["outcome"]] += row["ids"]
    apart = differing(here, there)
    rows = []
    for cell in sorted(here.cells | there.cells):
        counts, ours, theirs = found[cell], here.buckets.get(cell, {}), there.buckets.get(cell, {})
        same = sum(bucket.ids for number, bucket in ours.items() if number not in apart.get(cell, ()))
        missing = {name: counts[name] for name in ("missing_here", "missing_there")}
        late = counts["late"]
        if is_late.get(cell.hour, False):
            late, missing = late + sum(missing.values()), dict.fromkeys(missing, 0)
        rows.append(
            Compared(
                cell,
                messages_here=sum(bucket.ids for bucket in ours.values()),
                messages_there=sum(bucket.ids for bucket in theirs.values()),
                in_both=same + counts["in_both"],
                late=late,
                refused_here=there.refused.get(cell, 0) + counts["refused_here"],
                duplicates=there.repeated.get(cell, 0) + counts["duplicate"],
                **missing,
            )
        )
    return rows


SETTLED_AFTER = 3 * HOUR
"""How long after an hour's end both sides have all of it: Segment's archive is written up to two hours later."""


def late_hours(hours: Iterable[datetime], waiting: Collection[datetime], now: datetime) -> dict[datetime, bool]:
    """Return of each hour whether a side may still get messages of it.

    It may while the hour is not settled, and while something is not loaded that was staged about that time. `waiting`:
    when what is not loaded was staged.
    """
    return {
        hour: now < hour + HOUR + SETTLED_AFTER or any(hour <= at < hour + HOUR + AROUND for at in waiting)
        for hour in hours
    }


def groups(cells: Collection[Cell], most: int) -> Iterator[list[Cell]]:
    """Yield the cells in order, as whole hours, `most` together unless one hour has more."""
    group: list[Cell] = []
    by_hour: dict[datetime, list[Cell]] = defaultdict(list)
    for cell in sorted(cells):
        by_hour[cell.hour].append(cell)
    for of_hour in by_hour.values():
        if group and len(group) + len(of_hour) > most:
            yield group
            group = []
        group += of_hour
    if group:
        yield group


def hours_of(cells: Collection[Cell]) -> Window:
    """Return the time from the first of these hours to the end of the last."""
    return Window(min(cells).hour, max(cells).hour + HOUR)
