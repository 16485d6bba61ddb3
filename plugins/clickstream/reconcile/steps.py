"""The steps of reconcile_archive. Operators and tests run these.

`run` runs a file of include/sql with values; `values` are those of clickstream.load.steps.values_of_run.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from trino.exceptions import TrinoQueryError

from clickstream.engine.evolution import Run, create_lines
from clickstream.engine.failures import may_be_of_data
from clickstream.engine.sql import ARCHIVE_LINES
from clickstream.load.archive import AROUND, ArchivedObject, arrival_hour, arrivals
from clickstream.load.objects import LoadObjects
from clickstream.load.take import list_staged, loaded_paths
from clickstream.load.unreadable import OTHER_PACKING, READ_ERRORS
from clickstream.reconcile.lineage import PROVES, archive_from
from clickstream.reconcile.states import (
    COUNTS,
    Cell,
    Compared,
    Side,
    compared,
    differing,
    groups,
    hours_of,
    late_hours,
    read_side,
)
from clickstream.settings import Settings
from clickstream.watch.alarms import ReconciledHour
from clickstream.window import Bounds, Window, days, hours, widened

CELLS_A_STATEMENT = 200
"""Hours and sources that one statement names: of each it may name 64 buckets."""

MOST_LEFT_OUT = 200
"""Objects that one statement leaves out."""

MOST_FAILING = 500
"""Lines that one statement leaves out, as a load failed with them."""

LONGEST_LAG = timedelta(days=2)
"""How long after its message was received a line may be set aside."""


class ArchiveUnreadableError(RuntimeError):
    """An object of the archive cannot be read; the message says what to do. A retry would fail the same way."""


@dataclass(frozen=True)
class Archive:
    """What of the archive is read: messages received in some windows, out of its folders, without `unreadable`
    objects. `failing`: digests of lines that loads set aside; `skips_failing`: not to read them.
    """

    folders: tuple[str, ...]
    received: tuple[Window, ...]
    unreadable: tuple[str, ...]
    failing: tuple[str, ...]
    skips_failing: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a comparison found. `archive_from`: where the archive's objects come from; `unreadable`: how many in
    their folders were left out, as a load leaves them out.
    """

    rows: Sequence[Compared] = ()
    archive_from: Sequence[str] = ()
    unreadable: int = 0

    def counts(self) -> dict[str, int]:
        """Return the sums over all hours and sources."""
        return {name: sum(getattr(row, name) for row in self.rows) for name in COUNTS}

    def text(self) -> str:
        """Return the report as a person reads it."""
        hours_there = {row.cell.hour for row in self.rows}
        counts = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in self.counts().items())
        apart = [row for row in self.rows if row.missing_here or row.missing_there or row.late]
        lines = [
            f"{len(hours_there)} hours with messages: {counts}",
            *(
                f"  {row.cell.hour:%Y-%m-%d %H:%M} UTC {row.cell.source or '(no source)'}: missing here "
                f"{row.missing_here:,} of {row.messages_there:,}, missing there {row.missing_there:,} of "
                f"{row.messages_here:,}, late {row.late:,}"
                for row in apart
            ),
            *(f"archive ({origin}): {PROVES[origin]}" for origin in self.archive_from),
        ]
        if self.unreadable:
            lines.append(
                f"{self.unreadable} objects in the archive's folders were not read: in quarantine, or of no archive"
            )
        return "\n".join(lines)


def reconciled_hours(run: Run, window: Window) -> list[ReconciledHour]:
    """Return what was found last of the hours of a time."""
    rows = run("lake/archive_reconciliations/hours.sql", window=_bounds(window)).rows
    return [ReconciledHour(**row) for row in rows]


def compare(
    run: Run, objects: LoadObjects, windows: Iterable[Window], values: Mapping[str, Any], settings: Settings
) -> Outcome:
    """Compare whole hours, a day at a time, and keep what was found; nothing else is written.

    Raises ArchiveUnreadableError.
    """
    create_lines(run, ARCHIVE_LINES, settings)
    staged = list_staged(objects)
    loaded = loaded_paths(run, staged)
    waiting = [item.staged_at for item in staged if item.path not in loaded]
    total = Outcome()
    for window in windows:
        for day in days(window):
            found = _compare_day(run, objects, day, values, settings, waiting)
            total = Outcome(
                [*total.rows, *found.rows],
                sorted({*total.archive_from, *found.archive_from}),
                total.unreadable + found.unreadable,
            )
    return total


def _compare_day(
    run: Run,
    objects: LoadObjects,
    window: Window,
    values: Mapping[str, Any],
    settings: Settings,
    waiting: Sequence[datetime],
) -> Outcome:
    archived, strays = objects.archived([window])
    objects.open_folders(archived)
    archive, origins = _archive(run, archived, strays, window, settings), archive_from(archived)
    here = read_side(run("reconcile/here.sql", window=_bounds(window)).rows)
    there = read_side(_read(run, "there", {**values, "archive": archive}))
    outcomes = _outcomes(run, here, there, archive, values, settings)
    late = late_hours((hour.start for hour in hours(window)), waiting, values["now"])
    rows = compared(here, there, outcomes, late)
    _keep(run, rows, window, ",".join(origins), values)
    return Outcome(rows, origins, len(archive.unreadable))


def _archive(
    run: Run, archived: Sequence[ArchivedObject], strays: Sequence[str], window: Window, settings: Settings
) -> Archive:
    """Return what is read: the folders, less what a load has set aside or does not read either."""
    staged = Bounds(min((item.staged_at for item in archived), default=window.start), window.end + LONGEST_LAG)
    aside = {row["source_path"] for row in run("reconcile/unreadable.sql", staged=staged).rows}
    unreadable = [item.path for item in archived if item.path in aside or item.path.endswith(OTHER_PACKING)]
    unreadable += [f"s3://{settings.archive_bucket}/{key}" for key in strays]
    if len(unreadable) > MOST_LEFT_OUT:
        raise ArchiveUnreadableError(
            f"{len(unreadable)} objects in the archive's folders of {window} are in quarantine or have names that no "
            f"archive gives, such as {unreadable[0]}: look at them, and delete them or compare other hours"
        )
    failing = run("reconcile/failing.sql", staged=staged, line_limit=MOST_FAILING).rows
    return Archive(
        tuple(sorted({item.folder for item in archived})),
        (window,),
        tuple(sorted(unreadable)),
        tuple(sorted(row["line_digest"] for row in failing)),
    )


def _outcomes(
    run: Run, here: Side, there: Side, archive: Archive, values: Mapping[str, Any], settings: Settings
) -> list[dict[str, Any]]:
    """Return what becomes of the ids of the buckets that differ; nothing is read when none does."""
    apart = differing(here, there)
    found: list[dict[str, Any]] = []
    for group in groups(apart, CELLS_A_STATEMENT):
        window = hours_of(group)
        cells = [[cell.hour.isoformat(), cell.source, apart[cell]] for cell in group]
        part = {
            "cells_json": json.dumps(cells, ensure_ascii=False),
            "archive": _around(archive, window),
            "window": _bounds(window),
            "bounds": _bounds(window).widened(timedelta(days=settings.dedupe_lookback_days)),
        }
        found += _read(run, "ids", {**values, **part})
    return found


def _around(archive: Archive, window: Window) -> Archive:
    """Return what may hold messages of these hours, and reads those of the hours beside them too."""
    near = arrivals([window])
    folders = [
        folder
        for folder in archive.folders
        if (at := arrival_hour(folder)) is None or any(part.holds(at) for part in near)
    ]
    return replace(archive, folders=tuple(folders), received=(widened(window, AROUND),))


def _read(run: Run, name: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Run a statement that reads the archive; again without the lines that loads failed with, if it fails too."""
    archive: Archive = values["archive"]
    try:
        return run(f"reconcile/{name}.sql", **values).rows
    except TrinoQueryError as error:
        if archive.failing and not archive.skips_failing and may_be_of_data(error.error_name, error.error_type):
            return _read(run, name, {**values, "archive": replace(archive, skips_failing=True)})
        if error.error_name not in READ_ERRORS:
            raise
        raise ArchiveUnreadableError(
            f"an object of the archive cannot be read ({error.message}). Load these hours once with load_events and "
            "source archive: it sets the object aside, in quarantine, and then it is left out here"
        ) from error


def _keep(run: Run, rows: Sequence[Compared], window: Window, origin: str, values: Mapping[str, Any]) -> None:
    """Write the rows of a window, and take away those of cells that neither side has any more."""
    by_cell: dict[Cell, Compared] = {row.cell: row for row in rows}
    parts = list(groups(by_cell, CELLS_A_STATEMENT)) or [[]]
    starts = [window.start, *(part[0].hour for part in parts[1:])]
    for part, start, end in zip(parts, starts, [*starts[1:], window.end], strict=True):
        listed = [[*by_cell[cell].to_dict().values(), origin] for cell in part]
        run(
            "lake/archive_reconciliations/load.sql",
            **values,
            window=_bounds(Window(start, end)),
            hours_json=json.dumps(listed, ensure_ascii=False),
        )


def _bounds(window: Window) -> Bounds:
    return Bounds(window.closed.start, window.closed.end)
