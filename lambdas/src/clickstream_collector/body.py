"""From the bytes of a body to its messages, within bounds, so that one bad message costs no other."""

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_BODY_BYTES = 4 * 1024 * 1024
"""Largest body, packed or unpacked. Lambda takes 6 MB of event, with a body in base64."""

MAX_MESSAGES = 2_500
"""Most messages in a batch, as at Segment."""

MAX_APART = 1_048_576
"""Longest text, in characters, that is split by hand when it cannot be parsed whole: SDKs send half of it."""

_GZIP_MAGIC = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_GZIP = 31  # window bits of zlib for data with a gzip head
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.?)*+"?|[][{},]', re.DOTALL)


class BodyError(Exception):
    """A body that cannot be taken as a whole; `status` and `code` are for the answer, `read` is what could be read."""

    def __init__(self, status: int, code: str, text: str, read: bytes = b"") -> None:
        super().__init__(text)
        self.status, self.code, self.read = status, code, read


@dataclass(frozen=True)
class Spoiled:
    """A message that cannot be parsed, though the others of its batch can; its text as it came."""

    text: str


@dataclass(frozen=True)
class Batch:
    """The messages of a body, as they came, and the other members of a body with a `batch`."""

    messages: Sequence[Any]
    shared: Mapping[str, Any] = field(default_factory=dict)


def unpack(raw: bytes) -> bytes:
    """Return `raw`, unpacked if its first bytes are those of gzip: content types and encodings are often wrong.

    Never holds more than MAX_BODY_BYTES of unpacked data. Raises BodyError.
    """
    if len(raw) > MAX_BODY_BYTES:
        raise _too_large()
    return _gunzip(raw) if raw.startswith(_GZIP_MAGIC) else raw


def _gunzip(raw: bytes) -> bytes:
    member = zlib.decompressobj(_GZIP)
    try:
        unpacked = member.decompress(raw, MAX_BODY_BYTES + 1)
    except zlib.error:
        raise BodyError(400, "invalid_gzip", "the gzip data is damaged") from None
    if len(unpacked) > MAX_BODY_BYTES:
        raise _too_large()
    if not member.eof or member.unused_data:  # more members would have to be bounded too, and no SDK sends them
        raise BodyError(400, "invalid_gzip", "the gzip data is cut, or something follows it", unpacked)
    return unpacked


def _too_large() -> BodyError:
    return BodyError(413, "too_large", f"the body is over {MAX_BODY_BYTES} bytes")


def read_batch(body: bytes) -> Batch:
    """Return the messages of a body with a list `batch`. Raises BodyError."""
    parsed = _parse(body)
    messages = parsed.pop("batch", None)
    if not isinstance(messages, list):
        raise BodyError(400, "invalid_json", "the body has no list `batch`", body)
    if len(messages) > MAX_MESSAGES:
        raise BodyError(413, "too_many_messages", f"the batch has more than {MAX_MESSAGES} messages")
    return Batch(messages, parsed)


def read_message(body: bytes) -> Batch:
    """Return the one message of a body. Raises BodyError."""
    return Batch([_parse(body)])


def _parse(body: bytes) -> dict[str, Any]:
    # Bytes that are no UTF-8 become half surrogates, so that they spoil only the message that holds them.
    text = body.removeprefix(_BYTE_ORDER_MARK).decode("utf-8", "surrogateescape")
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError:
        raise BodyError(400, "invalid_json", "the body is no JSON", body) from None
    except (RecursionError, ValueError):  # too deep, or a number of more digits than Python converts
        parsed = _parse_apart(text)
        if parsed is None:
            raise BodyError(400, "invalid_json", "the body is too deep or has too long a number", body) from None
    if not isinstance(parsed, dict):
        raise BodyError(400, "invalid_json", "the body is no JSON object", body)
    return parsed


def _parse_apart(text: str) -> dict[str, Any] | None:
    """Return a body whose messages are parsed one by one; None if that is not what keeps it from being parsed."""
    found = _find_batch(text) if len(text) <= MAX_APART else None
    if found is None:
        return None
    start, end, items = found
    try:
        parsed = json.loads(text[:start] + text[end:])
    except (RecursionError, ValueError):
        return None
    return {**parsed, "batch": [_item(item) for item in items]} if isinstance(parsed, dict) else None


def _item(text: str) -> Any:
    try:
        return json.loads(text)
    except (RecursionError, ValueError):
        return Spoiled(text)


def _find_batch(text: str) -> tuple[int, int, list[str]] | None:
    """Return where the content of the list `batch` begins and ends, and the text of each item; None without one."""
    depth, key, begin, start = 0, "", -1, -1
    items: list[str] = []
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in "{[":
            depth += 1
            if depth == 2 and sign == "[" and key == '"batch"' and begin < 0:
                begin = start = token.end()
        elif sign in "}]":
            depth -= 1
            if depth == 1 and begin >= 0:
                last = text[start : token.start()]
                return begin, token.start(), [*items, last] if items or last.strip() else []
        elif sign == ",":
            if depth == 2 and begin >= 0:
                items.append(text[start : token.start()])
                start = token.end()
        elif depth == 1:
            key = sign
    return None
