"""Which object of a batch cannot be read, so that the others still load."""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from clickstream.engine.failures import first_failing
from clickstream.staging.keys import StagedObject
from clickstream.staging.s3_keys import key_below

# What Trino's Hive connector raises for a file that is cut off, is no gzip or cannot be opened.
READ_ERRORS = frozenset({"HIVE_BAD_DATA", "HIVE_CANNOT_OPEN_SPLIT", "HIVE_CURSOR_ERROR", "HIVE_FILESYSTEM_ERROR"})

MOST_ASIDE = 10
"""Objects that one try sets aside. More than that are seldom damaged at once: somebody has to look first."""

# What Trino takes for compressed, by the end of a name, and how such data begins.
# https://trino.io/docs/current/object-storage/file-formats.html
_MAGIC = {".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd", ".bz2": b"BZh"}
# These begin with a length, or with anything. Trino allocates that length: of other data, all of its memory.
_UNSAFE = (".lz4", ".snappy", ".lzo", ".lzo_deflate", ".deflate")

OTHER_PACKING = (*_UNSAFE, *(suffix for suffix in _MAGIC if suffix != ".gz"))
"""How the names of objects end that are packed in another way than gzip."""

MAGIC_BYTES = max(map(len, _MAGIC.values()))
"""How many bytes misnaming_of looks at."""

_ADDRESS = re.compile(r"s3://[^\s\"',()]+")


@dataclass(frozen=True)
class Unreadable:
    """An object set aside, as include/sql/lake/quarantine/load.sql wants it."""

    path: str
    copy_path: str | None
    bytes: int
    reason: str
    staged_at: datetime


def copy_key(path: str) -> str:
    """Return where in the lake bucket the copy of a quarantined object is kept, below its bucket and key."""
    return key_below("quarantine/", path.removeprefix("s3://"))


def misnaming_of(path: str, first_bytes: bytes) -> str:
    """Return what is wrong with a name, which says how the data is compressed; '' when nothing is.

    Data that is not what its name says is read as lines of garbage, or takes all of Trino's memory.
    """
    for suffix in _UNSAFE:
        if path.endswith(suffix):
            return f"a name that ends in {suffix}, which is not read: gzip it, and name it .gz"
    for suffix, magic in _MAGIC.items():
        if first_bytes and path.endswith(suffix) != first_bytes.startswith(magic):
            return f"data that is {'not ' if path.endswith(suffix) else ''}{suffix}, but the name says otherwise"
    return ""


def damage_of(path: str, chunks: Iterable[bytes]) -> str:
    """Return what is wrong with the bytes of an object, read in chunks; '' when nothing is.

    Under a name that ends in .gz they are gzip data, of one member or several (RFC 1952), whole to their end.
    """
    if not path.endswith(".gz"):
        return ""
    try:
        for _ in unpacked(chunks):
            pass
    except zlib.error as error:
        return f"damaged gzip data ({error})"
    except EOFError:
        return "gzip data that is cut off"
    return ""


def unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what gzip data holds. Raises zlib.error where it is damaged, EOFError where it is cut off."""
    unpacker, is_whole = zlib.decompressobj(wbits=31), True
    for chunk in chunks:
        while chunk:
            if unpacker.eof:
                unpacker = zlib.decompressobj(wbits=31)
            yield unpacker.decompress(chunk)
            chunk, is_whole = unpacker.unused_data, unpacker.eof  # noqa: PLW2901 - the next member begins in it
    if not is_whole:
        raise EOFError


def holds_nothing(path: str, chunks: Iterable[bytes]) -> bool:
    """Return whether the bytes of an object, read in chunks, are gzip data of nothing."""
    if not path.endswith(".gz"):
        return False
    try:
        return not any(unpacked(chunks))
    except (zlib.error, EOFError):
        return False


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
