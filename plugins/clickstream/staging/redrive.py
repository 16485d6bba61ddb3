"""Records that were refused once, read again so that they can go on the stream again."""

import binascii
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from clickstream.form import read_choice, read_flag, read_from_to
from clickstream.staging.s3_keys import key_below

FAILED_PREFIX = "processing-failed/"
"""Where Firehose keeps the records that it could not transform: see lambdas/template.yaml."""

REFUSED_PREFIX = "refused/"
"""Where the collector keeps the messages that it refused, in the lines that Firehose writes: see docs/collector.md."""

SOURCES = ("processing-failed", "refused", "rejects")

# https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecordsRequestEntry.html
MAX_KEY_CHARACTERS = 256
MAX_RECORD_BYTES = 1_048_576

_GZIP_MAGIC = b"\x1f\x8b"
# Numbers are kept as text: of a line only the places where objects end matter.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


class RedriveError(ValueError):
    """An object cannot be used; the message says why."""


@dataclass(frozen=True)
class RedriveRequest:
    """What to redrive: one of SOURCES, what was refused in start <= instant < end (None is open), and if it is only a
    preview.
    """

    source: str
    start: datetime | None = None
    end: datetime | None = None
    dry_run: bool = True

    def holds(self, instant: datetime) -> bool:
        """Return whether what was refused then is requested."""
        return (self.start is None or self.start <= instant) and (self.end is None or instant < self.end)


@dataclass
class Counts:
    """What a redrive did, or in a dry run would do.

    `objects`: objects or rejected lines gone through; `read`: records in them; `sent`: records accepted by the stream;
    `skipped`: objects or lines left as they are.
    """

    objects: int = 0
    read: int = 0
    sent: int = 0
    skipped: int = 0

    def to_dict(self) -> dict[str, int]:
        """Convert to plain values."""
        return asdict(self)


def read_redrive_request(params: Mapping[str, Any]) -> RedriveRequest:
    """Return the form's values `source`, `from`, `to`, `dry_run`, checked. Raises FormError, naming the value."""
    start, end = read_from_to(params)
    return RedriveRequest(read_choice(params, "source", SOURCES), start, end, read_flag(params, "dry_run", True))


def failed_records(body: bytes) -> list[bytes]:
    """Return the refused records of an error object of Firehose or of the collector.

    The object has one JSON object a line, with the record in base64 as `rawData`; gzip or plain, by its first bytes.

    Raises RedriveError for a body of another shape, so that no record of it is left out unseen. Shape:
    https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-failure-handling.html
    """
    try:
        text = gzip.decompress(body) if body.startswith(_GZIP_MAGIC) else body
    except (OSError, EOFError, zlib.error) as error:
        raise RedriveError(f"damaged gzip data ({error})") from None
    return [_raw_data(number, line) for number, line in enumerate(text.split(b"\n"), start=1) if line.strip()]


def _raw_data(number: int, line: bytes) -> bytes:
    try:
        return binascii.a2b_base64(json.loads(line)["rawData"], strict_mode=True)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RedriveError(f"line {number} has no rawData in base64") from None


def rejected_records(reason: str, line: str) -> list[bytes]:
    """Return the records of a rejected line: its objects if a newline was missing between them, else the line.

    None if the line is blank, or if it held bytes that are no UTF-8: `rejects` has marks in their place, and must not
    make a damaged event a good one.
    """
    if not line.strip() or (reason == "not_json" and "\N{REPLACEMENT CHARACTER}" in line):
        return []
    if reason != "missing_newline":
        return [line.encode()]
    try:
        return [part.encode() for part in _parts(line)]
    except (ValueError, RecursionError):
        return [line.encode()]


def _parts(line: str) -> Iterator[str]:
    """Yield the JSON values of a line, each as it is written, between white space and commas."""
    position = _next(line, 0)
    while position < len(line):
        _, end = _DECODER.raw_decode(line, position)
        yield line[position:end]
        position = _next(line, end)


def _next(line: str, position: int) -> int:
    while position < len(line) and line[position] in " \t\r\n,":
        position += 1
    return position


def partition_key(record: bytes) -> str:
    """Return the user or anonymous id, as Segment does it, so that a user's events stay in order; else a digest.

    A record that fills the limit with less room than that has a key of one character.
    """
    digest = hashlib.sha256(record).hexdigest()
    key = next((key for key in _ids(record) if key.strip() and len(key) <= MAX_KEY_CHARACTERS), digest)
    return key if len(record) + len(key.encode()) <= MAX_RECORD_BYTES else digest[0]


def _ids(record: bytes) -> Iterator[str]:
    try:
        message = json.loads(record)
    except (ValueError, RecursionError):
        return
    for name in ("userId", "anonymousId"):
        value = message.get(name) if isinstance(message, dict) else None
        if isinstance(value, str) and value.isprintable():  # half of a surrogate pair is not: it cannot be sent
            yield value


def fits(record: bytes) -> bool:
    """Return whether Kinesis takes a record of this size, with its partition key."""
    return len(record) + len(partition_key(record).encode()) <= MAX_RECORD_BYTES


def redriven_key(key: str) -> str:
    """Return where a redriven object is kept: of `processing-failed/` in `processing-failed-redriven/`, and so on."""
    folder, _, name = key.partition("/")
    return key_below(f"{folder}-redriven/", name)
