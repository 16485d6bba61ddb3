"""Lines into records: docs/adr/0034-packed-records.md."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

PACK_BYTES = 65 * 1024
"""Longest record of several lines: thirteen of Firehose's steps of 5 KB."""

CALL_RECORDS = 500
"""Most records in a PutRecords, of AWS: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html"""

CALL_BYTES = 4_500_000
"""Most bytes in a PutRecords, keys counted: below the 5 MB that every region has had."""

_KEY_CHARACTERS = 60


@dataclass(frozen=True)
class Record:
    """A record for the stream: JSON objects, one a line, no newline at the end; and how many `lines` these are."""

    data: bytes
    key: str
    lines: int

    @property
    def size(self) -> int:
        """Bytes that count against the limits of a call."""
        return len(self.data) + len(self.key.encode())


def pack(lines: Iterable[tuple[str, bytes]]) -> list[Record]:
    """Return records of `lines` (message id, line), in order. A line over PACK_BYTES is a record by itself.

    The first message's id is the partition key, so that no user's events all go to one shard.
    """
    records: list[Record] = []
    waiting: list[bytes] = []
    size, key = 0, ""
    for message_id, line in lines:
        if waiting and size + 1 + len(line) > PACK_BYTES:
            records.append(Record(b"\n".join(waiting), key, len(waiting)))
            waiting = []
        if waiting:
            size += 1 + len(line)
        else:
            size, key = len(line), message_id[:_KEY_CHARACTERS]
        waiting.append(line)
    if waiting:
        records.append(Record(b"\n".join(waiting), key, len(waiting)))
    return records


def calls(records: Sequence[Record]) -> Iterator[list[Record]]:
    """Yield the records of each PutRecords, in order."""
    call: list[Record] = []
    size = 0
    for record in records:
        if call and (len(call) == CALL_RECORDS or size + record.size > CALL_BYTES):
            yield call
            call, size = [], 0
        call.append(record)
        size += record.size
    if call:
        yield call
