"""A Firehose that buffers: Kinesis or direct puts -> transform function -> buffer -> objects in S3.

Delivery streams are made, described and deleted through ministack (API or CloudFormation); this reads their
settings and does the delivery, which ministack does at once and one object a record.

As on AWS: one GetRecords per shard, the transform's batch by size or interval, retries of a failed invocation and
then the whole batch to `processing-failed/`, buffering by size or interval whichever comes first, object names,
prefixes, GZIP, and at-least-once delivery (a position moves only after the objects are in S3).

What AWS does and this does not: dynamic partitioning, format conversion, backup of source records, other
destinations than S3, KPL de-aggregation, CloudWatch metrics and logs, encryption, retrying a failing S3 for up to
24 h (here: as long as the process runs, then again after a restart), a growing buffer when delivery falls behind.
Failed records are written without compression. Retries of the transform wait 0.2 s and twice that each time.
"""

import gzip
import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.aws.firehose_buffer import DeliveryBuffer, TransformBuffer
from local.aws.firehose_invoke import TransformInvoker
from local.aws.firehose_keys import delivery_prefix, error_prefix, object_name
from local.aws.firehose_settings import DeliverySettings, UnsupportedDeliveryError, read_settings
from local.aws.firehose_sources import DirectPutSource, KinesisSource, Source
from local.aws.firehose_transform import FailedRecord, Outcome, SourceRecord, error_line

logger = logging.getLogger("local.aws.firehose")

POLL_SECONDS = 0.25
IDLE_SECONDS = 10.0


@dataclass
class Counters:
    """What one delivery stream has done since the process started (records, except the last two: objects)."""

    records_read: int = 0
    records_delivered: int = 0
    records_dropped: int = 0
    records_failed: int = 0
    objects: int = 0
    failed_objects: int = 0


class DeliveryStream:
    """One delivery stream and the thread that serves it."""

    def __init__(self, describe: Callable[[], dict[str, Any]], clients: Callable[[str], Any], folder: Path) -> None:
        self._describe = describe
        self.settings: DeliverySettings = read_settings(describe())
        self._clients = clients
        self._source: Source = self._make_source(folder)
        self._to_transform = TransformBuffer()
        self._to_deliver = DeliveryBuffer()
        self._counters = Counters()
        self._news = threading.Event()
        self._busy = True
        self._stopping = threading.Event()
        self._error = ""
        self._news.set()
        self._thread = threading.Thread(target=self._run, name=f"firehose-{self.settings.name}", daemon=True)
        self._thread.start()

    def _make_source(self, folder: Path) -> Source:
        settings = self.settings
        if settings.kinesis_arn:
            path = folder / f"{settings.name}.checkpoint.json"
            return KinesisSource(self._clients("kinesis"), settings.kinesis_arn, settings.created_at, path)
        return DirectPutSource(folder / f"{settings.name}.records.ndjson", settings.created_at)

    def wake(self) -> None:
        """Notify the thread that the source has new records; the health report says so from now on."""
        self._busy = True
        self._news.set()

    def put(self, payloads: list[bytes]) -> list[str]:
        """Accept put records; return their ids. Raises UnsupportedDeliveryError with a Kinesis source."""
        if not isinstance(self._source, DirectPutSource):
            raise UnsupportedDeliveryError(f"{self.settings.name} reads from Kinesis, so it accepts no direct puts")
        ids = self._source.append(payloads, time.time())
        self.wake()
        return ids

    def health(self) -> dict[str, Any]:
        """Return counters, what waits, whether all that was sent is delivered, and when the next object is written."""
        waiting = len(self._to_transform)
        due = self._next_due()
        return {
            **asdict(self._counters),
            "records_waiting_for_transform": waiting,
            "bytes_waiting_for_delivery": self._to_deliver.size,
            "all_delivered": not (
                self._busy or self._news.is_set() or waiting or self._to_deliver.opened_at is not None
            ),
            "next_flush_at": datetime.fromtimestamp(due, UTC).isoformat() if due is not None else None,
            "error": self._error,
        }

    def stop(self) -> None:
        """End the thread after its current step; records of open buffers are read again at the next start."""
        self._stopping.set()
        self._news.set()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def _run(self) -> None:
        pause = POLL_SECONDS
        while not self._stopping.is_set():
            try:
                self._step()
                self._error, pause = "", POLL_SECONDS
            except Exception as error:  # keeps serving: records stay where they are until this works again
                if self._stopping.is_set():
                    return
                self._error = f"{type(error).__name__}: {error}"
                logger.warning("delivery stream %s: %s", self.settings.name, self._error)
                pause = min(pause * 2, IDLE_SECONDS)
                self._stopping.wait(pause)
                continue
            self._wait()

    def _wait(self) -> None:
        due = self._next_due()
        if not self._busy:
            self._news.wait(IDLE_SECONDS if due is None else max(0.0, min(due - time.time(), IDLE_SECONDS)))
        # Not more than about four reads a second, however many puts there are (AWS allows five a shard).
        self._stopping.wait(POLL_SECONDS)

    def _next_due(self) -> float | None:
        settings = self.settings
        transform = settings.transform
        dues = [
            self._to_transform.due_at(transform.buffer_bytes, transform.buffer_seconds) if transform else None,
            self._to_deliver.due_at(settings.buffer_bytes, settings.buffer_seconds),
        ]
        return min((due for due in dues if due is not None), default=None)

    def _step(self) -> None:
        self.settings = read_settings(self._describe())
        # Busy before the news is cleared, so that "all delivered" is never said too early.
        self._busy = True
        self._news.clear()
        records = self._source.read()
        self._counters.records_read += len(records)
        if self.settings.transform:
            self._to_transform.add(records, time.time())
        elif records:
            self._accept(records, Outcome(delivered=[record.data for record in records]))
        self._transform_due()
        due = self._to_deliver.due_at(self.settings.buffer_bytes, self.settings.buffer_seconds)
        if due is not None and due <= time.time():
            self._flush()
        self._busy = bool(records) or self._news.is_set()

    def _transform_due(self) -> None:
        transform = self.settings.transform
        if transform is None:
            return
        invoker = TransformInvoker(self._clients("lambda"), self.settings, self._stopping)
        while not self._stopping.is_set():
            due = self._to_transform.due_at(transform.buffer_bytes, transform.buffer_seconds)
            if due is None or due > time.time():
                return
            batch = self._to_transform.take(transform.buffer_bytes, time.time())
            self._accept(batch, invoker.transform(batch))
            if self._to_deliver.due_at(self.settings.buffer_bytes, self.settings.buffer_seconds) == 0:
                self._flush()

    def _accept(self, batch: list[SourceRecord], outcome: Outcome) -> None:
        delivered = [data + self.settings.delimiter for data in outcome.delivered]
        self._to_deliver.add(batch, delivered, outcome.failed, time.time())
        self._counters.records_dropped += outcome.dropped

    def _flush(self) -> None:
        buffer, settings = self._to_deliver, self.settings
        when = datetime.fromtimestamp((buffer.oldest_ms or 0) / 1000, UTC)
        if buffer.chunks:
            body = gzip.compress(buffer.body, 6) if settings.gzip else buffer.body
            prefix = delivery_prefix(settings.prefix, when, settings.time_zone)
            self._write(prefix, when, settings.extension, body)
            # Forgotten once written, so that a failure of what follows does not write them again.
            self._counters.records_delivered += len(buffer.chunks)
            self._counters.objects += 1
            buffer.chunks = []
        if buffer.failures:
            prefix = error_prefix(settings.prefix, settings.error_prefix, when, settings.time_zone)
            self._write(prefix, when, "", self._error_body(buffer.failures))
            self._counters.records_failed += len(buffer.failures)
            self._counters.failed_objects += 1
            buffer.failures = []
        self._source.checkpoint(buffer.positions)
        self._to_deliver = DeliveryBuffer()

    def _error_body(self, failures: list[FailedRecord]) -> bytes:
        arn = self.settings.transform.function_arn if self.settings.transform else ""
        ended = round(time.time() * 1000)
        return b"".join(error_line(failure, function_arn=arn, ended_ms=ended) for failure in failures)

    def _write(self, prefix: str, when: datetime, extension: str, body: bytes) -> None:
        settings = self.settings
        name = object_name(
            settings.name, settings.version, when, str(uuid.uuid4()), extension, time_zone=settings.time_zone
        )
        self._clients("s3").put_object(Bucket=settings.bucket, Key=prefix + name, Body=body)
