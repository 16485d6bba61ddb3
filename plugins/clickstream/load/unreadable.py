"""Which object of a batch cannot be read, so that the others still load."""

import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from clickstream.engine.failures import first_failing
from clickstream.staging.keys import StagedObject
from clickstream.staging.s3_keys import key_below

# What Trino's Hive connector raises for a file that is cut off, is no gzip or cannot be opened.
READ_ERRORS = frozenset({"HIVE_BAD_DATA", "HIVE_CANNOT_OPEN_SPLIT", "HIVE_CURSOR_ERROR", "HIVE_FILESYSTEM_ERROR"})

MOST_ASIDE = 10
"""Objects that one try sets aside. More than that are seldom damaged at once: somebody has to look first."""

GZIP_MAGIC = b"\x1f\x8b"
_ADDRESS = re.compile(r"s3://[^\s\"',()]+")


@dataclass(frozen=True)
class Unreadable:
    """An object set aside, as include/sql/lake/quarantine/load.sql wants it."""

    path: str
    copy_path: str
    bytes: int
    reason: str
    staged_at: datetime


def copy_key(path: str) -> str:
    """Return where in the lake bucket the copy of a quarantined object is kept, below its bucket and key."""
    return key_below("quarantine/", path.removeprefix("s3://"))


def is_misnamed(path: str, first_bytes: bytes) -> bool:
    """Gzip data under a name that does not say so: it would be read as text, line by line of garbage."""
    return first_bytes.startswith(GZIP_MAGIC) and not path.endswith(".gz")


def damage_of(path: str, chunks: Iterable[bytes]) -> str:
    """Return what is wrong with the bytes of an object, read in chunks; '' when nothing is.

    Under a name that ends in .gz they are gzip data, of one member or several (RFC 1952), whole to their end.
    """
    if not path.endswith(".gz"):
        return ""
    unpacker, is_empty = zlib.decompressobj(wbits=31), True
    try:
        for chunk in chunks:
            while chunk:
                if unpacker.eof:
                    unpacker = zlib.decompressobj(wbits=31)
                is_empty = False
                unpacker.decompress(chunk)
                chunk = unpacker.unused_data  # noqa: PLW2901 - the next member begins in it
    except zlib.error as error:
        return f"damaged gzip data ({error})"
    return "" if is_empty or unpacker.eof else "gzip data that is cut off"


def find_culprit(
    message: str, objects: Sequence[StagedObject], can_read: Callable[[Sequence[StagedObject]], bool]
) -> StagedObject | None:
    """Return the object that a read error is about: the one that its message names, else found by halving.

    `can_read` tries to read some of the objects. None when all of them can be read after all.
    """
    by_path = {item.path: item for item in objects}
    named = [by_path[path] for path in _ADDRESS.findall(message) if path in by_path]
    for item in named:
        if not can_read([item]):
            return item
    return first_failing(objects, can_read)
