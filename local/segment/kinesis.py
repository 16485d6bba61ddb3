"""Put records on a Kinesis stream the way Segment's Kinesis destination does: one event a record, no newline.

https://segment.com/docs/connections/destinations/catalog/amazon-kinesis/
"""

import gzip
import hashlib
import io
import json
import random
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from botocore.exceptions import BotoCoreError, ClientError

# PutRecords limits: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
MAX_CALL_RECORDS = 500
MAX_CALL_BYTES = 5 * 1024 * 1024
MAX_RECORD_BYTES = 1024 * 1024
MAX_KEY_CHARACTERS = 256

MAX_ATTEMPTS = 10
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
GZIP_MAGIC = b"\x1f\x8b"


class KinesisClient(Protocol):
    """The one call of a boto3 Kinesis client that is used here."""

    def put_records(self, **request: Any) -> Any:
        """Put `Records` on `StreamName`; return `FailedRecordCount` and one entry a record."""


class SendError(RuntimeError):
    """Kinesis did not accept everything; the message says why and how many records it had accepted before."""


class RecordFileError(ValueError):
    """A file of records cannot be read to its end."""


@dataclass
class SendReport:
    """The outcome of the records.

    `sent`: records accepted by Kinesis, and their `sent_bytes`; `retried`: entries that had to be sent again;
    `blank`: positions without an event, skipped; `too_large`: (position, bytes) of records over the limit, skipped.
    A position counts from 1 and is the line number when the records come from `read_records`.
    """

    sent: int = 0
    sent_bytes: int = 0
    retried: int = 0
    blank: int = 0
    too_large: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class _Entry:
    data: bytes
    key: str

    @property
    def size(self) -> int:
        """Bytes counted by Kinesis: payload and partition key."""
        return len(self.data) + len(self.key.encode())


def read_records(path: str) -> Iterator[bytes]:
    """Yield every line of a plain or gzip file without its line end, blank ones too: positions are line numbers.

    Gzip is recognised by its first two bytes, whatever the file is called. `-` reads standard input. A line ends in
    `\\n` or `\\r\\n`. Raises OSError when the file cannot be opened and RecordFileError when gzip data is damaged.
    """
    if path == "-":
        yield from _lines(sys.stdin.buffer, "standard input")
        return
    with Path(path).open("rb") as file:
        yield from _lines(file, path)


def _lines(file: BinaryIO, name: str) -> Iterator[bytes]:
    buffered = cast(io.BufferedReader, file)  # what open() and sys.stdin.buffer are at run time
    is_gzip = buffered.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC)
    done = 0
    try:
        for line in gzip.GzipFile(fileobj=buffered) if is_gzip else buffered:
            yield line.removesuffix(b"\n").removesuffix(b"\r") if line.endswith(b"\n") else line
            done += 1
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise RecordFileError(f"{name}: damaged gzip data after line {done} ({error})") from error


def send(
    records: Iterable[bytes],
    stream: str,
    client: KinesisClient,
    on_progress: Callable[[int], None] = lambda sent: None,
    sleep: Callable[[float], None] = time.sleep,
) -> SendReport:
    """Send each record byte for byte, in order; report to `on_progress` after each call how many are accepted.

    Blank records are skipped. So is a record of more than 1 MiB, payload and partition key together, which Kinesis
    never accepts: one such line must not stop the others, and the report names it. Entries that Kinesis refuses in an
    otherwise successful call (botocore does not retry those) are sent again with growing pauses, given to `sleep` in
    seconds. Raises SendError when entries are still refused after 10 attempts, or when a call fails. A record may
    arrive twice if an answer was lost on the way, as with every Kinesis producer.
    """
    report = SendReport()
    batch: list[_Entry] = []
    batch_bytes = 0
    for entry in _entries(records, report):
        if len(batch) == MAX_CALL_RECORDS or batch_bytes + entry.size > MAX_CALL_BYTES:
            _put(batch, stream, client, report, on_progress, sleep)
            batch, batch_bytes = [], 0
        batch.append(entry)
        batch_bytes += entry.size
    if batch:
        _put(batch, stream, client, report, on_progress, sleep)
    return report


def _entries(records: Iterable[bytes], report: SendReport) -> Iterator[_Entry]:
    for position, data in enumerate(records, start=1):
        if not data.strip():
            report.blank += 1
            continue
        entry = _Entry(data, partition_key(data))
        if entry.size > MAX_RECORD_BYTES:
            report.too_large.append((position, entry.size))
            continue
        yield entry


def partition_key(record: bytes) -> str:
    """Return userId, else anonymousId, else messageId, as Segment does; else, or if unusable, a hash of the bytes."""
    try:
        message = json.loads(record)
    except (ValueError, RecursionError):
        message = None
    if isinstance(message, dict):
        for name in ("userId", "anonymousId", "messageId"):
            value = message.get(name)
            key = value if isinstance(value, str) else json.dumps(value) if type(value) in (int, float) else ""
            if key.strip() and len(key) <= MAX_KEY_CHARACTERS and _is_encodable(key):
                return key
    return hashlib.sha256(record).hexdigest()


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can spell and UTF-8 cannot
        return False
    return True


def _put(
    batch: Sequence[_Entry],
    stream: str,
    client: KinesisClient,
    report: SendReport,
    on_progress: Callable[[int], None],
    sleep: Callable[[float], None],
) -> None:
    """Put one batch, sending refused entries again until Kinesis has all of them."""
    waiting = list(batch)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        results = _put_once(waiting, stream, client, report.sent)
        accepted = [entry for entry, result in zip(waiting, results, strict=True) if not result.get("ErrorCode")]
        refused = [(entry, result) for entry, result in zip(waiting, results, strict=True) if result.get("ErrorCode")]
        report.sent += len(accepted)
        report.sent_bytes += sum(len(entry.data) for entry in accepted)
        on_progress(report.sent)
        if not refused:
            return
        waiting = [entry for entry, _ in refused]
        if attempt < MAX_ATTEMPTS:
            report.retried += len(waiting)
            pause = min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS)
            sleep(pause * random.uniform(0.5, 1))
    last = refused[0][1]
    raise SendError(
        f"{len(waiting)} records refused {MAX_ATTEMPTS} times by stream {stream} "
        f"({last['ErrorCode']}: {last.get('ErrorMessage', '')}); {report.sent} were accepted"
    )


def _put_once(
    entries: Sequence[_Entry], stream: str, client: KinesisClient, sent_before: int
) -> Sequence[dict[str, Any]]:
    request = [{"Data": entry.data, "PartitionKey": entry.key} for entry in entries]
    try:
        response = client.put_records(StreamName=stream, Records=request)
    except (BotoCoreError, ClientError) as error:
        raise SendError(f"cannot put records on stream {stream}: {error}; {sent_before} were accepted") from error
    results: Sequence[dict[str, Any]] = response["Records"]
    return results
