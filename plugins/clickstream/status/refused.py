"""Why records were refused, from the objects that keep them: reasons and shapes, nothing of what they say."""

import binascii
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

LATEST_OBJECTS = 5
"""Objects of each place that are looked into, the newest: all hold what was refused, and reasons repeat."""

LONGEST_TEXT = 1 << 20
"""Bytes of an object that are looked at."""

LONGEST_SHAPE = 120

_GZIP_MAGIC = b"\x1f\x8b"
_LETTER, _DIGIT = re.compile(r"[^\W\d_]"), re.compile(r"\d")


def reasons(place: str, starts: Iterable[bytes]) -> list[dict[str, Any]]:
    """Return each reason and source in the first bytes of some objects: how many records, when the latest of them came,
    and the shape of the first.

    A line that is cut, or is none of Firehose's or the collector's, does not count.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for start in starts:
        for line in _lines(start):
            key = str(line.get("errorCode", "")), str(line.get("source", ""))
            new = {
                "place": place, "reason": key[0], "source": key[1], "records": 0, "latest_at": None,
                "shape": _shape_of(line),
            }  # fmt: skip
            one = found.setdefault(key, new)
            one["records"] += 1
            one["latest_at"] = max(filter(None, (one["latest_at"], _came_at(line))), default=None)
    return sorted(found.values(), key=lambda one: (-one["records"], one["reason"], one["source"]))


def shape(text: str) -> str:
    """Return the start of a text with every letter as x and every digit as 0, so that nobody's data is in it."""
    return _DIGIT.sub("0", _LETTER.sub("x", text[:LONGEST_SHAPE]))


def _lines(start: bytes) -> Iterator[dict[str, Any]]:
    try:
        text = zlib.decompressobj(31).decompress(start, LONGEST_TEXT) if start.startswith(_GZIP_MAGIC) else start
    except zlib.error:
        return
    for line in text.split(b"\n"):
        try:
            read = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(read, dict):
            yield read


def _came_at(line: dict[str, Any]) -> str | None:
    try:
        return datetime.fromtimestamp(line["arrivalTimestamp"] / 1000, UTC).isoformat()
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        return None


def _shape_of(line: dict[str, Any]) -> str:
    try:
        return shape(binascii.a2b_base64(line["rawData"]).decode(errors="replace"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
