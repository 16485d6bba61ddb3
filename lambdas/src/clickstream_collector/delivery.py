"""Records to the stream, and what it refuses to the raw bucket, so that the sender need not know of it."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from clickstream_collector.packing import Record, calls

PAUSES = (0.0, 0.0, 0.05, 0.15, 0.4)
"""Longest pause, in seconds, before each attempt."""

BUDGET_SECONDS = 1.5
"""No attempt begins later than that after the first: SDKs wait 10 seconds for the whole answer."""

SPILL_PREFIX = "raw/"
"""Where Firehose puts its objects: stage_object reads it there."""

REFUSED_PREFIX = "refused/"
_GZIP = 31  # window bits of zlib for data with a gzip head


class SinkError(Exception):
    """A call failed as a whole; the message says which and why, never what it held."""


class Sink(Protocol):
    """Where events go."""

    def put_records(self, records: Sequence[Record]) -> list[str | None]:
        """Put records on the stream; return an error code or None for each. Raises SinkError."""

    def put_object(self, key: str, body: bytes) -> None:
        """Put an object into the raw bucket. Raises SinkError."""

    def check(self) -> None:
        """Do nothing, if records could be put on the stream. Raises SinkError."""


@dataclass(frozen=True)
class Rhythm:
    """Time: `clock` in seconds that never go back, `sleep` for seconds, `random` from 0 to 1."""

    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]


class NotTakenError(Exception):
    """Some records are neither on the stream nor in the bucket."""


def deliver(records: Sequence[Record], sink: Sink, rhythm: Rhythm, key: str) -> int:
    """Put the records on the stream, and what it refuses as one object `key` into the bucket; return the lines of that.

    Only what was refused is sent again. A record whose answer was lost may so be in both: duplicates are found by
    message id. Raises NotTakenError.
    """
    waiting = list(records)
    started = rhythm.clock()
    for attempt, pause in enumerate(PAUSES):
        if attempt:
            rhythm.sleep(pause * rhythm.random())
        if not waiting or rhythm.clock() - started > BUDGET_SECONDS:
            break
        waiting = [record for call in calls(waiting) for record in _put(call, sink)]
    if waiting:
        _spill(waiting, sink, key)
    return sum(record.lines for record in waiting)


def _put(call: list[Record], sink: Sink) -> list[Record]:
    """Return the records of a call that the stream did not take."""
    try:
        codes = sink.put_records(call)
    except SinkError:
        return call
    return [record for record, code in zip(call, codes, strict=True) if code]


def _spill(records: Sequence[Record], sink: Sink, key: str) -> None:
    body = gzipped(b"".join(record.data + b"\n" for record in records))
    for _ in range(2):
        try:
            return sink.put_object(key, body)
        except SinkError as error:
            last = error
    raise NotTakenError(str(last)) from last


def object_key(prefix: str, at: datetime, request_id: str, suffix: str = "") -> str:
    """Return a key in the folder of the hour, as Firehose has them; no other request has it."""
    milliseconds = int(at.timestamp() * 1000)
    return f"{prefix}{at:%Y/%m/%d/%H}/collector-{milliseconds}-{request_id}{suffix}"


def gzipped(data: bytes) -> bytes:
    """Return `data` as a gzip file."""
    packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    return packer.compress(data) + packer.flush()
