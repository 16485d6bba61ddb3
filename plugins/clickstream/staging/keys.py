"""The grammar of staged object names: `<UTC yyyyMMddTHHmmssSSS>Z-<rest>`, flat in one folder.

lambdas/src/clickstream_stream/keys.py writes these names; tests/contract holds both sides to one list of cases.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_NAME = re.compile(r"(?P<time>[0-9]{8}T[0-9]{9})Z-[^/]+\Z")


@dataclass(frozen=True, order=True)
class StagedObject:
    """One object of the staging folder. `staged_at` is UTC, `bytes` its size."""

    path: str
    bytes: int
    staged_at: datetime


def staged_at(name: str) -> datetime | None:
    """Return the staging time in an object's name or key (UTC, milliseconds); None for a name outside the grammar."""
    match = _NAME.match(name.rpartition("/")[2])
    if match is None:
        return None
    try:
        return datetime.strptime(match["time"] + "000", "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    except ValueError:
        return None


def select_expired(
    staged: Iterable[StagedObject],
    kept_paths: frozenset[str],
    now: datetime,
    retention: timedelta,
    max_objects: int,
) -> list[StagedObject]:
    """Return the staged objects that may be deleted, oldest first: kept elsewhere, staged longer ago than `retention`.

    At most `max_objects`; the next run takes the rest.
    """
    expired = [item for item in staged if item.path in kept_paths and now - item.staged_at > retention]
    return sorted(expired, key=lambda item: (item.staged_at, item.path))[:max_objects]


def overdue(
    staged: Iterable[StagedObject], kept_paths: frozenset[str], now: datetime, retention: timedelta
) -> list[StagedObject]:
    """Return the staged objects past their retention that are kept nowhere else: a reason to check load_events."""
    return sorted(item for item in staged if item.path not in kept_paths and now - item.staged_at > retention)
