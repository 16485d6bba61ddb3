"""Lines of a person: told by the ids where the load reads them, and taken out. All other lines stay byte for byte.

A line is the person's if its `userId`, `anonymousId` or `previousId` is one of the ids. Of several objects in one
line, in a list or in a `batch` only the person's go. A line that is no JSON is the person's if an id stands in it in
quotation marks, or after one of these keys.
"""

import binascii
import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import IO, Any, Protocol

from clickstream.erase.person import digest
from clickstream.load.unreadable import OTHER_PACKING, unpacked

ID_KEYS = ("userId", "anonymousId", "previousId")
"""Where the load reads who a message is of."""

_GZIP = b"\x1f\x8b"
_SPACE = " \t\r\n,\ufeff"


class UnreadableError(ValueError):
    """The bytes of an object are not what its name says, or are damaged; the message says how."""


class _Pairs(tuple[tuple[str, Any], ...]):
    """A JSON object: its members as they were sent, also two of one key."""


class _Bare(str):
    """A number, as it was sent."""

    __slots__ = ()


_DECODER = json.JSONDecoder(object_pairs_hook=_Pairs, parse_int=_Bare, parse_float=_Bare, parse_constant=_Bare)
# The last quotation mark may be missing, in a line that was cut off.
_SAID = re.compile(r'"(?:userId|anonymousId|previousId)"\s*+:\s*+("(?:[^"\\\r\n]++|\\.)*+(?!\\)"?|[^\s",}\]]+)')
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,99})(\.\d{1,99})?([eE][+-]?\d{1,4})?", re.ASCII)
_EXPONENT = re.compile(r"\d[eE][+-]?\d", re.ASCII)
_WORDS = {True: "true", False: "false"}


@dataclass(frozen=True)
class Ids:
    """The ids of a person. `digests`: of those that an earlier run found, and that are not known any more."""

    all: frozenset[str]
    digests: frozenset[str] = frozenset()

    def has(self, text: str | None) -> bool:
        """Return whether a text is one of them."""
        return text is not None and (text in self.all or (bool(self.digests) and digest(text) in self.digests))

    def has_bare(self, text: str) -> bool:
        """Return whether a value without quotation marks is one: as it is, or, with a point or exponent, as a number.

        The load may have 1500.0 of what was sent as 1.5e3.
        """
        if text == "null":
            return False
        if self.has(text):
            return True
        number = _NUMBER.fullmatch(text)
        if not number or not (number[1] or number[2]):
            return False
        return Decimal(text) in self._numbers or self.has(repr(float(text)))

    @cached_property
    def _numbers(self) -> frozenset[Decimal]:
        return frozenset(Decimal(one) for one in self.all if _NUMBER.fullmatch(one))

    @cached_property
    def quoted(self) -> tuple[str, ...]:
        """Each as a JSON string, in each way of writing it that senders use."""
        forms = (json.dumps(one, ensure_ascii=is_ascii) for one in sorted(self.all) for is_ascii in (True, False))
        return tuple(dict.fromkeys(forms))

    @cached_property
    def _has_fraction(self) -> bool:
        """Whether one of them is a number that may be written in many ways."""
        return any(not one.isdecimal() and _NUMBER.fullmatch(one) for one in self.all)

    def may_stand_in(self, text: str) -> bool:
        """Return whether it is worth reading a line: False only where none of the ids can be in it."""
        return (
            bool(self.digests)
            or self._has_fraction
            or "\\" in text
            or any(one in text for one in self.all)
            or (bool(self._numbers) and _EXPONENT.search(text) is not None)
        )

    def stand_in(self, text: str) -> bool:
        """Return whether one of them stands in a text that is no JSON: in quotation marks, or after its key."""
        return any(form in text for form in self.quoted) or any(
            self.has_value(_value(found)) for found in _SAID.findall(text)
        )

    def has_value(self, value: Any) -> bool:
        """Return whether a JSON value is one of them."""
        text = _text(value)
        return text is not None and (self.has_bare(text) if isinstance(text, _Bare) else self.has(text))

    def are_of(self, value: Any) -> bool:
        """Return whether a message is of the person; of a list, or of a body with a `batch`, one of its messages."""
        if isinstance(value, list):
            return any(self.are_of(item) for item in value)
        if not isinstance(value, _Pairs):
            return False
        return any(
            (key in ID_KEYS and self.has_value(inner)) or (key == "batch" and self.are_of(inner))
            for key, inner in value
        )


def _value(text: str) -> Any:
    """Return a JSON string or number that stands alone, a string also without its end; else the text itself."""
    for whole in (text, text + '"') if text.startswith('"') else (text,):
        try:
            return _DECODER.raw_decode(whole)[0]
        except ValueError:
            continue
    return _Bare(text)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return _WORDS[value]
    return value if isinstance(value, str) else None


@dataclass(frozen=True)
class Cleaned:
    """A line, or the lines of a record, without the person's: what stays, and how many went or could not be read."""

    kept: bytes
    removed: int = 0
    unreadable: int = 0


class Cleaner(Protocol):
    """Takes a person's messages out of one line, which ends with its newline if it has one."""

    def __call__(self, line: bytes, ids: Ids) -> Cleaned:
        """Return what stays of the line."""


def clean_line(line: bytes, ids: Ids) -> Cleaned:
    """Return a line of messages without the person's; empty, without its newline, when nothing else is in it."""
    # Bytes that are no UTF-8 come out as they went in.
    text = line.decode("utf-8", "surrogateescape")
    if not ids.may_stand_in(text):
        return Cleaned(line)
    try:
        kept, removed = _cut(text, list(_values(text)), ids)
    except (ValueError, RecursionError):
        return Cleaned(b"", 1) if ids.stand_in(text) else Cleaned(line)
    return Cleaned(kept.encode("utf-8", "surrogateescape"), removed) if removed else Cleaned(line)


def _cut(text: str, parts: list[tuple[int, int, Any]], ids: Ids) -> tuple[str, int]:
    """Return what stays of a text with these values in it, "" when none does, and how many messages went."""
    kept, position, removed, goes = [], 0, 0, True
    for start, end, value in parts:
        left, count = _without(text, start, end, value, ids)
        kept += [text[position:start], left]
        position, removed, goes = end, removed + count, goes and not left
    return "" if goes else "".join([*kept, text[position:]]), removed


def _without(text: str, start: int, end: int, value: Any, ids: Ids) -> tuple[str, int]:
    """Return what stays of one value, "" when nothing does, and how many messages went."""
    if not ids.are_of(value):
        return text[start:end], 0
    if isinstance(value, list):
        items = [_without(text, at, after, item, ids) for _, at, after, item in _inner(text, start)]
        kept = ",".join(left for left, _ in items if left)
        return f"[{kept}]" if kept else "", sum(count for _, count in items)
    if any(key in ID_KEYS and ids.has_value(inner) for key, inner in value):
        return "", 1
    pieces, position, removed = [], start, 0
    for key, at, after, inner in _inner(text, start):
        if key == "batch":
            left, count = _without(text, at, after, inner, ids)
            removed += count
            if not left:
                return "", removed
            pieces += [text[position:at], left]
            position = after
    return "".join([*pieces, text[position:end]]), removed


def _inner(text: str, start: int) -> Iterator[tuple[str | None, int, int, Any]]:
    """Yield the items of a list, or the members of an object with their keys, and where each value is."""
    position, key = _next(text, start + 1), None
    while text[position] not in "]}":
        if text[start] == "{":
            key, position = _DECODER.raw_decode(text, position)
            position = _next(text, text.index(":", position) + 1)
        value, end = _DECODER.raw_decode(text, position)
        yield key, position, end, value
        position = _next(text, end)


def _values(text: str) -> Iterator[tuple[int, int, Any]]:
    """Yield the JSON values of a line, each with where it begins and ends, between white space and commas."""
    position = _next(text, 0)
    while position < len(text):
        value, end = _DECODER.raw_decode(text, position)
        yield position, end, value
        position = _next(text, end)


def _next(text: str, position: int) -> int:
    while position < len(text) and text[position] in _SPACE:
        position += 1
    return position


def clean_failed_line(line: bytes, ids: Ids) -> Cleaned:
    """Do the same with a line of Firehose's, or the collector's, that holds a record in base64 as `rawData`."""
    if not line.strip():
        return Cleaned(line)
    try:
        sent = json.loads(line)["rawData"]
        record = binascii.a2b_base64(sent, strict_mode=True)
    except (ValueError, KeyError, TypeError, RecursionError):
        return Cleaned(line, unreadable=1)
    try:
        body = gzip.decompress(record) if is_packed(record) else record
    except (OSError, EOFError, zlib.error):
        return Cleaned(line, unreadable=1)
    found = [clean_line(part, ids) for part in body.splitlines(keepends=True)]
    removed, kept = sum(part.removed for part in found), b"".join(part.kept for part in found)
    if not removed:
        return Cleaned(line)
    if not kept.strip():
        return Cleaned(b"", removed)
    again = gzip.compress(kept, mtime=0) if is_packed(record) else kept
    return Cleaned(line.replace(sent.encode(), binascii.b2a_base64(again, newline=False), 1), removed)


def is_packed(first_bytes: bytes) -> bool:
    """Return whether an object is gzip data."""
    return first_bytes.startswith(_GZIP)


def refuse_other_packing(key: str, first_bytes: bytes) -> None:
    """Raise UnreadableError for an object that its name says is packed in another way than gzip."""
    if not is_packed(first_bytes) and key.endswith(OTHER_PACKING):
        raise UnreadableError("packed in another way than gzip")


def lines_of(key: str, body: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of an object, each with its newline; packed or plain, by its first bytes.

    Raises UnreadableError for damaged data, and for a kind of compression that is not read.
    """
    first = body.read(len(_GZIP))
    body.seek(0)
    refuse_other_packing(key, first)
    chunks = iter(lambda: body.read(1 << 20), b"")
    try:
        yield from _lines(unpacked(chunks) if is_packed(first) else chunks)
    except zlib.error as error:
        raise UnreadableError(f"damaged gzip data ({error})") from None
    except EOFError:
        raise UnreadableError("gzip data that is cut off") from None


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest: list[bytes] = []
    for chunk in chunks:
        first, newline, more = chunk.partition(b"\n")
        rest.append(first + newline)
        if newline:
            yield b"".join(rest)
            *whole, last = more.split(b"\n")
            yield from (line + b"\n" for line in whole)
            rest = [last]
    if last_line := b"".join(rest):
        yield last_line


@dataclass(frozen=True)
class Counted:
    """How many lines of an object are the person's, and how many could not be read."""

    found: int = 0
    unreadable: int = 0


def count(key: str, body: IO[bytes], ids: Ids, clean: Cleaner) -> Counted:
    """Return how many lines of an object are the person's. Raises UnreadableError."""
    found = unreadable = 0
    for line in lines_of(key, body):
        cleaned = clean(line, ids)
        found += cleaned.removed
        unreadable += cleaned.unreadable
    return Counted(found, unreadable)


def rewrite(key: str, body: IO[bytes], target: IO[bytes], ids: Ids, clean: Cleaner) -> None:
    """Write an object without the person's lines, packed if it was. Raises UnreadableError."""
    first = body.read(len(_GZIP))
    body.seek(0)
    kept = (clean(line, ids).kept for line in lines_of(key, body))
    if not is_packed(first):
        target.writelines(kept)
        return
    with gzip.GzipFile(fileobj=target, mode="wb", filename="", mtime=0) as packed:
        packed.writelines(kept)


def contained(ids: Iterable[str]) -> Ids:
    """Return the ids, without empty ones: these are nobody's."""
    return Ids(frozenset(one for one in ids if one))


def cleaner(is_failed: bool) -> Cleaner:
    """Return what reads the lines of a folder: of failed records, or of messages."""
    return clean_failed_line if is_failed else clean_line
