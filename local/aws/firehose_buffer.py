"""The two buffers of a delivery stream: one before the transform, one before S3 (pure, the caller passes the time)."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from local.aws.firehose_transform import FailedRecord, SourceRecord


class TransformBuffer:
    """Records that wait for the transform. Due when `max_bytes` are in, or the first waited `max_seconds`."""

    def __init__(self) -> None:
        self._records: deque[SourceRecord] = deque()
        self._bytes = 0
        self._opened_at: float | None = None

    def __len__(self) -> int:
        return len(self._records)

    def add(self, records: Iterable[SourceRecord], now: float) -> None:
        for record in records:
            self._records.append(record)
            self._bytes += len(record.data)
        if self._records and self._opened_at is None:
            self._opened_at = now

    def due_at(self, max_bytes: int, max_seconds: float) -> float | None:
        """Time at which the next batch must go, 0 for at once, None when nothing waits."""
        if self._opened_at is None:
            return None
        return 0.0 if self._bytes >= max_bytes else self._opened_at + max_seconds

    def take(self, max_bytes: int, now: float) -> list[SourceRecord]:
        """Return the next batch in arrival order: it ends with the record that reaches `max_bytes`."""
        batch: list[SourceRecord] = []
        size = 0
        while self._records and size < max_bytes:
            batch.append(self._records.popleft())
            size += len(batch[-1].data)
        self._bytes -= size
        self._opened_at = now if self._records else None
        return batch


@dataclass
class DeliveryBuffer:
    """What waits for S3: bytes, failures, and how far each shard is done once this is written."""

    chunks: list[bytes] = field(default_factory=list)
    failures: list[FailedRecord] = field(default_factory=list)
    positions: dict[str, str] = field(default_factory=dict)
    size: int = 0
    oldest_ms: int | None = None
    opened_at: float | None = None

    def add(self, batch: list[SourceRecord], delivered: list[bytes], failures: list[FailedRecord], now: float) -> None:
        """Add the outcome of one batch of records."""
        self.chunks += delivered
        self.failures += failures
        self.size += sum(map(len, delivered)) + sum(len(f.record.data) for f in failures)
        for record in batch:
            self.positions[record.shard_id] = record.sequence
        arrivals = [record.arrival_ms for record in batch]
        self.oldest_ms = min(arrivals if self.oldest_ms is None else [self.oldest_ms, *arrivals])
        if self.opened_at is None:
            self.opened_at = now

    def due_at(self, max_bytes: int, max_seconds: float) -> float | None:
        """Time at which this must be written, 0 for at once, None when it is empty."""
        if self.opened_at is None:
            return None
        return 0.0 if self.size >= max_bytes else self.opened_at + max_seconds

    @property
    def body(self) -> bytes:
        """The records exactly as the transform returned them, joined with nothing between."""
        return b"".join(self.chunks)
