"""The long-term archive: its two layouts, which lie side by side, and which hours of a load are read from it.

Segment's S3 destination writes `[<prefix>]segment-logs/<source id>/<received day>/<name>.gz`, the day as a Unix time in
milliseconds or seconds. https://segment.com/docs/connections/storage/catalog/aws-s3/

The stack writes `archive/<yyyy>/<MM>/<dd>/<HH>/<name>` (ArchiveBy of lambdas/template.yaml), the UTC hour in which the
oldest event of the object came to the stream. https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from clickstream.staging.keys import StagedObject
from clickstream.window import HOUR, Span, Window, full_hour, hours, joined, widened

# Segment leaves it in the folder when it checks that it may write there.
DUMMY = "dummy-object.txt"

AROUND = HOUR
"""How far from an hour the folders lie that may hold its events: an object holds what came in the half hour after its
oldest event (Firehose's two buffers, 15 minutes each at most), and an event comes a little after it is received."""

_HOUR = re.compile(r"([0-9]{4})/([0-9]{2})/([0-9]{2})/([0-9]{2})\Z")
_SECONDS = re.compile(r"[0-9]{10}\Z")
_MILLISECONDS = re.compile(r"[0-9]{13}\Z")


@dataclass(frozen=True, order=True)
class ArchivedObject(StagedObject):
    """One object of the archive, in `folder`: <source id>/<received day>, or the hour yyyy/MM/dd/HH.

    It was never staged: `staged_at` is the start of that day or hour, UTC.
    """

    folder: str = ""

    @property
    def location(self) -> str:
        """The address of its folder, with the slash at the end."""
        return self.path.rpartition("/")[0] + "/"


def received_day(name: str) -> date | None:
    """Return the UTC day that a folder is named after; None for a folder outside the layout."""
    if _SECONDS.match(name):
        return datetime.fromtimestamp(int(name), UTC).date()
    if _MILLISECONDS.match(name):
        return datetime.fromtimestamp(int(name) / 1_000, UTC).date()
    return None


def arrival_hour(name: str) -> datetime | None:
    """Return the hour that a folder is named after; None for a folder outside the stack's layout."""
    found = _HOUR.match(name)
    if not found:
        return None
    year, month, day, hour = map(int, found.groups())
    try:
        return datetime(year, month, day, hour, tzinfo=UTC)
    except ValueError:
        return None


def hour_folder(hour: datetime) -> str:
    """Return the name of an hour's folder; names are in the order of their hours."""
    return f"{hour.year:04d}/{hour:%m/%d/%H}"


def arrivals(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Return the whole hours in whose folders messages may lie that were received in the windows."""
    return joined(
        Window(full_hour(part.start), full_hour(part.start) + HOUR)
        for window in windows
        for part in hours(widened(window, AROUND))
    )


def days(windows: Iterable[Window]) -> frozenset[date]:
    """Return the UTC days that windows touch."""
    return frozenset(hour.start.date() for window in windows for hour in hours(window))


def hours_wanted(
    source: str, window: Window, staged: Iterable[StagedObject], kept_since: datetime, has_archive: bool
) -> list[Window]:
    """Return the hours of a window that are to be read from the archive.

    For source `auto`, if there is an archive: those that staging may no longer hold whole, as they began before
    `kept_since` or have nothing staged in them.
    """
    if source == "archive":
        return list(hours(window))
    if source == "staging" or not has_archive:
        return []
    staged_hours = {full_hour(item.staged_at) for item in staged}
    return [hour for hour in hours(window) if hour.start < kept_since or full_hour(hour.start) not in staged_hours]


def divide(
    window: Window, wanted: Sequence[Window], archived: Iterable[ArchivedObject]
) -> tuple[tuple[Window, ...], tuple[Window, ...]]:
    """Return what of a window is read from staging, by time of staging, and what from the archive, by time received.

    `wanted` hours are read from the archive where it has objects that may hold them, all else from staging. An event is
    staged after it is received, so nothing falls between the two; what both have is loaded once.
    """
    items = list(archived)
    days_there = {item.staged_at.date() for item in items if not arrival_hour(item.folder)}
    hours_there = {item.staged_at for item in items if arrival_hour(item.folder)}

    def is_there(hour: Window) -> bool:
        return hour.start.date() in days_there or any(
            part.start in hours_there for span in arrivals([hour]) for part in hours(span)
        )

    from_archive = {hour for hour in wanted if is_there(hour)}
    return joined(hour for hour in hours(window) if hour not in from_archive), joined(from_archive)


def no_data(window: Window, source: str, staged: Iterable[StagedObject], locations: Sequence[str]) -> str:
    """Return why a window has nothing to load, and where it was looked for; `locations` are the archive's."""
    looked = []
    if source != "archive":
        times = sorted(item.staged_at for item in staged)
        looked.append(f"staging holds what was staged {Span(times[0], times[-1])}" if times else "staging is empty")
    if source != "staging":
        looked.append(
            f"nothing of that time in {' and '.join(locations)}"
            if locations
            else "CLICKSTREAM_ARCHIVE_BUCKET is not set"
        )
    return f"no data from {window}: {'; '.join(looked)}"
