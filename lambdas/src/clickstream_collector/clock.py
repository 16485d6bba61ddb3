"""Times of messages: read by the rules of the table (docs/events-table.md), corrected for a wrong clock."""

import re
from datetime import UTC, datetime, timedelta
from typing import Literal

Rule = Literal["segment", "robust"]

TRANSIT = timedelta(seconds=60)
"""By `robust`, a difference up to this is the time a request took, and no wrong clock."""

_ISO = re.compile(
    r"(?P<minute>(?P<year>[0-9]{4})-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]+))?)?"
    r"(?:Z|(?P<sign>[+-])(?P<hours>[0-9]{2})(?::?(?P<minutes>[0-9]{2}))?)?"
)
_OLDEST, _NEWEST = 2, 9998


def read_instant(value: object) -> datetime | None:
    """Return the instant that a text names, in UTC and cut to milliseconds; None if it names none."""
    found = _ISO.fullmatch(value) if isinstance(value, str) else None
    if not found or not _OLDEST <= int(found["year"]) <= _NEWEST:
        return None
    second = int(found["second"] or 0)
    hours, minutes = int(found["hours"] or 0), int(found["minutes"] or 0)
    offset = timedelta(hours=hours, minutes=minutes)
    if second > 60 or minutes > 59 or offset > timedelta(hours=14):
        return None
    after = timedelta(seconds=second, milliseconds=int((found["fraction"] or "0")[:3].ljust(3, "0")))
    try:
        local = datetime.fromisoformat(found["minute"]).replace(tzinfo=UTC)
    except ValueError:
        return None
    return local + after - (-offset if found["sign"] == "-" else offset)


def write_instant(instant: datetime) -> str:
    """Return an instant as `2026-11-28T12:45:49.499Z`: UTC, milliseconds."""
    return instant.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def corrected(
    received_at: datetime, sent_at: datetime | None, original: datetime, rule: Rule, *, is_mobile: bool
) -> datetime:
    """Return when it happened by the clock of `received_at`; all in UTC.

    `segment`: received_at - (sent_at - original), Segment's formula. `robust`: the same, but a difference up to
    TRANSIT is no wrong clock. A phone may have been offline after it wrote its batch's sent_at, so there only a clock
    that is ahead is corrected.
    """
    if sent_at is None:
        return original
    behind = received_at - sent_at
    if rule == "robust" and (abs(behind) <= TRANSIT or (is_mobile and behind > TRANSIT)):
        return original
    try:
        moved = original + behind
    except OverflowError:
        return original
    return moved if _OLDEST <= moved.year <= _NEWEST else original
