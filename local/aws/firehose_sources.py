"""Where a delivery stream's records come from: a Kinesis stream, or the PutRecord calls themselves.

Both hand out records after a position per shard, and learn which position is safely in S3. Only that position
is kept on disk, so what was read but not delivered when the process ends is read again: at least once, as on AWS.
"""

import base64
import contextlib
import json
import threading
import uuid
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from local.aws.atomic_files import append_whole, cut_off_tail, write_atomically
from local.aws.firehose_transform import SourceRecord


class Source(Protocol):
    """A reader that remembers, across restarts, what was delivered."""

    def read(self) -> list[SourceRecord]:
        """Return records not handed out before, in order within each shard; empty when there are none now."""

    def checkpoint(self, positions: Mapping[str, str]) -> None:
        """Everything up to these sequence numbers (shard id -> sequence number) is delivered."""


class KinesisSource:
    """Read every shard with GetRecords, as Firehose does.

    Starts at the time the delivery stream was made (AWS: LATEST). Each read gets a new iterator after the
    last sequence number: ministack's iterators are places in a list that shift when old records expire.
    """

    def __init__(self, client: Any, stream_arn: str, created_at: float, path: Path) -> None:
        self._client = client
        self._arn = stream_arn
        self._stream = stream_arn.rsplit("/", 1)[-1]
        self._created_at = created_at
        self._path = path
        self._delivered = self._load()
        self._read = dict(self._delivered)

    def read(self) -> list[SourceRecord]:
        records: list[SourceRecord] = []
        for shard in self._client.list_shards(StreamName=self._stream)["Shards"]:
            records += self._read_shard(shard["ShardId"])
        return records

    def _read_shard(self, shard_id: str) -> list[SourceRecord]:
        iterator = self._client.get_shard_iterator(
            StreamName=self._stream, ShardId=shard_id, **self._position(shard_id)
        )["ShardIterator"]
        # With its ARN, because ministack does not know an iterator's stream when it checks permissions.
        found = self._client.get_records(ShardIterator=iterator, StreamARN=self._arn, Limit=10_000)["Records"]
        if found:
            self._read[shard_id] = found[-1]["SequenceNumber"]
        return [
            SourceRecord(
                data=record["Data"],
                sequence=record["SequenceNumber"],
                arrival_ms=round(record["ApproximateArrivalTimestamp"].timestamp() * 1000),
                shard_id=shard_id,
                partition_key=record["PartitionKey"],
            )
            for record in found
        ]

    def _position(self, shard_id: str) -> dict[str, Any]:
        sequence = self._read.get(shard_id)
        if sequence is None:
            when = datetime.fromtimestamp(self._created_at, UTC)
            return {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": when}
        return {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": sequence}

    def checkpoint(self, positions: Mapping[str, str]) -> None:
        self._delivered.update(positions)
        write_atomically(self._path, json.dumps({"created_at": self._created_at, "positions": self._delivered}))

    def _load(self) -> dict[str, str]:
        with contextlib.suppress(FileNotFoundError):
            saved = json.loads(self._path.read_text())
            # A recreated delivery stream starts afresh.
            if saved["created_at"] == self._created_at:
                return dict(saved["positions"])
        return {}


class DirectPutSource:
    """Records of PutRecord and PutRecordBatch, kept in a file of one JSON a line until they are delivered."""

    SHARD = "direct-put"

    def __init__(self, path: Path, created_at: float) -> None:
        self._path = path
        self._created_at = created_at
        self._lock = threading.Lock()
        self._waiting: deque[SourceRecord] = deque()
        self._undelivered: deque[SourceRecord] = deque(self._load())
        self._waiting.extend(self._undelivered)

    def append(self, payloads: list[bytes], now: float) -> list[str]:
        """Store records before they are answered; returns their record ids. `now` is Unix seconds.

        Raises OSError, having stored none, when the disk refuses.
        """
        arrival = round(now * 1000)
        records = [
            SourceRecord(data, f"{arrival:020d}{uuid.uuid4().hex[:12]}{index:04d}", arrival, self.SHARD)
            for index, data in enumerate(payloads)
        ]
        with self._lock:
            append_whole(self._path, "".join(self._line(record) for record in records))
            self._undelivered += records
            self._waiting += records
        return [record.record_id for record in records]

    def read(self) -> list[SourceRecord]:
        with self._lock:
            records = list(self._waiting)
            self._waiting.clear()
        return records

    def checkpoint(self, positions: Mapping[str, str]) -> None:
        done = positions.get(self.SHARD)
        with self._lock:
            while done is not None and self._undelivered:
                if self._undelivered.popleft().sequence == done:
                    break
            write_atomically(self._path, "".join(self._line(record) for record in self._undelivered))

    def _line(self, record: SourceRecord) -> str:
        data = base64.b64encode(record.data).decode()
        return json.dumps([self._created_at, record.sequence, record.arrival_ms, data]) + "\n"

    def _load(self) -> list[SourceRecord]:
        records = []
        # It is cut short if the process was killed while writing it: it was not answered.
        cut_off_tail(self._path)
        with contextlib.suppress(FileNotFoundError):
            for line in self._path.read_text().splitlines():
                created_at, sequence, arrival, data = json.loads(line)
                if created_at == self._created_at:
                    records.append(SourceRecord(base64.b64decode(data), sequence, arrival, self.SHARD))
        return records
