"""What the transform function is sent, and what its answer means (pure).

Shapes: "Amazon Data Firehose data transformation", its status model and its failure handling, in the Firehose
developer guide; the event is the one of the type definitions for `aws-lambda` (kinesis-firehose-transformation).
"""

import base64
import binascii
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# "The Lambda synchronous invocation mode has a payload size limit of 6 MB for both the request and the response."
MAX_RESPONSE_BYTES = 6_291_556


@dataclass(frozen=True)
class SourceRecord:
    """One record as it arrived. `sequence` orders the records of a shard; `arrival_ms` is Unix milliseconds."""

    data: bytes
    sequence: str
    arrival_ms: int
    shard_id: str
    partition_key: str | None = None

    @property
    def record_id(self) -> str:
        return f"{self.sequence}000000"


@dataclass(frozen=True)
class FailedRecord:
    """A record that the transform did not accept, with the reason as Firehose words it."""

    record: SourceRecord
    code: str
    message: str
    attempts: int = 1


@dataclass
class Outcome:
    """Result of one batch: bytes to deliver in the order of the answer, number dropped, and what failed."""

    delivered: list[bytes] = field(default_factory=list)
    dropped: int = 0
    failed: list[FailedRecord] = field(default_factory=list)


def transform_event(
    batch: Sequence[SourceRecord], *, invocation_id: str, stream_arn: str, kinesis_arn: str | None, region: str
) -> dict[str, Any]:
    """Return the event for one invocation: records in arrival order, data in base64, times in Unix milliseconds."""
    event: dict[str, Any] = {"invocationId": invocation_id, "deliveryStreamArn": stream_arn, "region": region}
    if kinesis_arn:
        event["sourceKinesisStreamArn"] = kinesis_arn
    event["records"] = [_event_record(record) for record in batch]
    return event


def _event_record(record: SourceRecord) -> dict[str, Any]:
    shaped: dict[str, Any] = {
        "recordId": record.record_id,
        "approximateArrivalTimestamp": record.arrival_ms,
        "data": base64.b64encode(record.data).decode(),
    }
    if record.partition_key is not None:
        shaped["kinesisRecordMetadata"] = {
            "sequenceNumber": record.sequence,
            "subsequenceNumber": 0,
            "partitionKey": record.partition_key,
            "shardId": record.shard_id,
            "approximateArrivalTimestamp": record.arrival_ms,
        }
    return shaped


def read_answer(batch: Sequence[SourceRecord], answer: object) -> Outcome:
    """Sort a function's answer into delivered, dropped and failed.

    Every record of the batch ends in exactly one of the three. A record whose id is missing from the answer,
    appears twice, or whose entry lacks a field, has failed; ids that were not sent are ignored.
    """
    entries = answer.get("records") if isinstance(answer, Mapping) else None
    if not isinstance(entries, list):
        return _all_failed(batch, "Lambda.JsonProcessingException", "The function returned no list of records")
    waiting = {record.record_id: record for record in batch}
    outcome = Outcome()
    named = [entry for entry in entries if isinstance(entry, Mapping) and isinstance(entry.get("recordId"), str)]
    times = Counter(entry["recordId"] for entry in named)
    for entry in named:
        record = waiting.pop(entry["recordId"], None)
        if record is None:
            continue
        if times[entry["recordId"]] > 1:
            outcome.failed.append(FailedRecord(record, "Lambda.DuplicatedRecordId", "The record id came back twice"))
        else:
            _sort_record(record, entry, outcome)
    for record in waiting.values():
        outcome.failed.append(FailedRecord(record, "Lambda.MissingRecordId", "The record id is not in the answer"))
    return outcome


def _all_failed(batch: Sequence[SourceRecord], code: str, message: str) -> Outcome:
    return Outcome(failed=[FailedRecord(record, code, message) for record in batch])


def _sort_record(record: SourceRecord, entry: Mapping[str, Any], outcome: Outcome) -> None:
    result = entry.get("result")
    if result == "Dropped":
        outcome.dropped += 1
    elif result == "Ok":
        try:
            outcome.delivered.append(base64.b64decode(entry["data"], validate=True))
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            message = f"The data of the record is missing or not base64: {error}"
            outcome.failed.append(FailedRecord(record, "Lambda.JsonProcessingException", message))
    elif result == "ProcessingFailed":
        message = "ProcessingFailed status set for record"
        outcome.failed.append(FailedRecord(record, "Lambda.ProcessingFailedStatus", message))
    else:
        message = f"The result is {result!r}, not Ok, Dropped or ProcessingFailed"
        outcome.failed.append(FailedRecord(record, "Lambda.JsonProcessingException", message))


def batch_failed(batch: Sequence[SourceRecord], code: str, message: str, attempts: int) -> Outcome:
    """Return the outcome when the function could not be run at all: every record has failed."""
    return Outcome(failed=[FailedRecord(record, code, message, attempts) for record in batch])


def error_line(failure: FailedRecord, *, function_arn: str, ended_ms: int) -> bytes:
    """Return one line of a processing-failed object: JSON, newline at the end, the record as it arrived in base64."""
    line = {
        "attemptsMade": failure.attempts,
        "arrivalTimestamp": failure.record.arrival_ms,
        "errorCode": failure.code,
        "errorMessage": failure.message,
        "attemptEndingTimestamp": ended_ms,
        "rawData": base64.b64encode(failure.record.data).decode(),
        "lambdaArn": function_arn,
    }
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"
