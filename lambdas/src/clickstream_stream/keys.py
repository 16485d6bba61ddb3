"""Pure grammar of staged object keys: `<prefix><UTC time staged>-<source key, readable and injective>`.

The time comes from the S3 event, so a redelivered event names the same target. The name starts with a digit: Hive
readers skip names that start with `_` or `.`. It holds no `/`: staging is flat.
"""

import hashlib
import re
from datetime import UTC, datetime

MAX_KEY_BYTES = 1024
"""Longest S3 key, in bytes of UTF-8: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""

_ESCAPED = re.compile(rb"[^A-Za-z0-9.-]")
_SUFFIX = re.compile(r"(?:\.[A-Za-z0-9]{1,10}){1,2}$")
_HALF_ESCAPE = re.compile(r"=[0-9A-F]?$")


def timestamp(event_time: str) -> str:
    """Return an ISO 8601 instant, as S3 writes `eventTime`, as `yyyyMMddTHHmmssSSSZ` in UTC, cut to milliseconds.

    Raises ValueError if it is not an instant (no such date, or no offset).
    """
    instant = datetime.fromisoformat(event_time)
    if instant.tzinfo is None:
        raise ValueError(f"event time without an offset: {event_time!r}")
    utc = instant.astimezone(UTC)
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


def staging_key(prefix: str, event_time: str, source_key: str) -> str:
    """Return the key under `prefix` for `source_key`, created at `event_time`; at most 1,024 bytes, suffix kept.

    Raises ValueError for an empty source key, one that is not Unicode text, or an event time that is not an instant.
    """
    if not source_key:
        raise ValueError("empty source key")
    start = f"{prefix}{timestamp(event_time)}-"
    encoded = encode(source_key)
    room = MAX_KEY_BYTES - len(start.encode("utf-8"))
    return start + (encoded if len(encoded) <= room else _shorten(source_key, encoded, room))
