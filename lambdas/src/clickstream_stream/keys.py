"""Pure grammar of the keys of copies: `<staging prefix><UTC time staged>-<name>` and `archive/<UTC hour>/<name>`.

`name` is the source key, readable and injective; it holds no `/`. The time comes from the S3 event, the hour from the
source key, so a redelivered event names the same targets. Hive readers skip names that start with `_` or `.`: a staged
one starts with a digit, an archived one with the first letter of `raw/`.
"""

import hashlib
import re
from datetime import UTC, datetime

MAX_KEY_BYTES = 1024
"""Longest S3 key, in bytes of UTF-8: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""

ARCHIVE_PREFIX = "archive/"
"""Folder of the archive's hours, in a bucket that may have Segment's `segment-logs/` beside it."""

_HOUR_FOLDER = re.compile(r"/([0-9]{4}/[0-9]{2}/[0-9]{2}/[0-9]{2})/[^/]+\Z")
_ESCAPED = re.compile(rb"[^A-Za-z0-9.-]")
_SUFFIX = re.compile(r"(?:\.[A-Za-z0-9]{1,10}){1,2}$")
_HALF_ESCAPE = re.compile(r"=[0-9A-F]?$")


def _utc(event_time: str) -> datetime:
    """Return an ISO 8601 instant, as S3 writes `eventTime`; raises ValueError for no such date or no offset."""
    instant = datetime.fromisoformat(event_time)
    if instant.tzinfo is None:
        raise ValueError(f"event time without an offset: {event_time!r}")
    return instant.astimezone(UTC)


def timestamp(event_time: str) -> str:
    """Return an ISO 8601 instant as `yyyyMMddTHHmmssSSSZ` in UTC, cut to milliseconds. Raises ValueError."""
    utc = _utc(event_time)
    return f"{utc.year:04d}{utc:%m%dT%H%M%S}{utc.microsecond // 1000:03d}Z"


def _escape(match: re.Match[bytes]) -> bytes:
    return b"_" if match[0] == b"/" else b"=%02X" % match[0][0]


def encode(source_key: str) -> str:
    """Encode `/` as `_`; keep ASCII letters, digits, `.` and `-`; every other UTF-8 byte as `=XX`. Injective."""
    return _ESCAPED.sub(_escape, source_key.encode("utf-8")).decode("ascii")


def _shorten(source_key: str, encoded: str, room: int) -> str:
    """Join the first part, `==`, SHA-256 of the source key, suffix. `encode` never writes `==`, so no two keys meet."""
    suffix = _SUFFIX.search(encoded)
    tail = f"=={hashlib.sha256(source_key.encode('utf-8')).hexdigest()}{suffix[0] if suffix else ''}"
    return _HALF_ESCAPE.sub("", encoded[: room - len(tail)]) + tail


def _below(folder: str, source_key: str) -> str:
    if not source_key:
        raise ValueError("empty source key")
    encoded = encode(source_key)
    room = MAX_KEY_BYTES - len(folder.encode("utf-8"))
    return folder + (encoded if len(encoded) <= room else _shorten(source_key, encoded, room))


def staging_key(prefix: str, event_time: str, source_key: str) -> str:
    """Return the key under `prefix` for `source_key`, created at `event_time`; at most 1,024 bytes, suffix kept.

    Raises ValueError for an empty source key, one that is not Unicode text, or an event time that is not an instant.
    """
    return _below(f"{prefix}{timestamp(event_time)}-", source_key)


def archive_key(event_time: str, source_key: str) -> str:
    """Return the key in the archive for `source_key`; at most 1,024 bytes, suffix kept.

    Its folder is the hour that the source key lies in (`…/yyyy/MM/dd/HH/<name>`, as Firehose and the collector name
    objects), else that of `event_time`. Raises ValueError as staging_key does.
    """
    return _below(f"{ARCHIVE_PREFIX}{_hour_folder(source_key) or _hour_of(event_time)}/", source_key)


def _hour_folder(source_key: str) -> str | None:
    found = _HOUR_FOLDER.search(source_key)
    if not found:
        return None
    year, month, day, hour = map(int, found[1].split("/"))
    try:
        datetime(year, month, day, hour, tzinfo=UTC)
    except ValueError:
        return None
    return found[1]


def _hour_of(event_time: str) -> str:
    utc = _utc(event_time)
    return f"{utc.year:04d}/{utc:%m/%d/%H}"
