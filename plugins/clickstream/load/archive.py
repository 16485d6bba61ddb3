"""The long-term archive: what Segment's S3 destination writes, and which hours of a load are read from it.

`[<prefix>]segment-logs/<source id>/<received day>/<name>.gz`, the day as a Unix time in milliseconds or seconds.
https://segment.com/docs/connections/storage/catalog/aws-s3/
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from clickstream.staging.keys import StagedObject
from clickstream.window import Span, Window, full_hour, hours, joined

# Segment leaves it in the folder when it checks that it may write there.
DUMMY = "dummy-object.txt"

_SECONDS = re.compile(r"[0-9]{10}\Z")
_MILLISECONDS = re.compile(r"[0-9]{13}\Z")


@dataclass(frozen=True, order=True)
class ArchivedObject(StagedObject):
    """One object of the archive, in `folder`, which is <source id>/<received day>.

    It was never staged: `staged_at` is the start of its received day, UTC.
    """

    folder: str = ""


def received_day(name: str) -> date | None:
    """Return the UTC day that a folder is named after; None for a folder outside the layout."""
    if _SECONDS.match(name):
        return datetime.fromtimestamp(int(name), UTC).date()
    if _MILLISECONDS.match(name):
        return datetime.fromtimestamp(int(name) / 1_000, UTC).date()
    return None


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

    `wanted` hours are read from the archive where it has objects of their day, all else from staging. An event is
    staged after it is received, so nothing falls between the two; what both have is loaded once.
    """
    present = {item.staged_at.date() for item in archived}
    from_archive = {hour for hour in wanted if hour.start.date() in present}
    return joined(hour for hour in hours(window) if hour not in from_archive), joined(from_archive)


def no_data(window: Window, source: str, staged: Iterable[StagedObject], location: str) -> str:
    """Return why a window has nothing to load, and where it was looked for."""
    looked = []
    if source != "archive":
        times = sorted(item.staged_at for item in staged)
        looked.append(f"staging holds what was staged {Span(times[0], times[-1])}" if times else "staging is empty")
    if source != "staging":
        looked.append(
            f"{location} has no object of these days" if location else "CLICKSTREAM_ARCHIVE_BUCKET is not set"
        )
    return f"no data from {window}: {'; '.join(looked)}"
