"""What is refused, in the lines that Firehose writes of records it could not transform, so that one DAG redrives both.

https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-failure-handling.html
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clickstream_stream.records import MAX_RECORD_BYTES

REASONS = {
    "not_readable": "the message is too deep, or has a number of too many digits",
    "not_an_object": "the message is no JSON object",
    "no_type": "the message has no type",
    "no_identity": "the message has neither userId nor anonymousId, and its source is strict",
    "not_utf8": "the message has half of a surrogate pair, or bytes that are no UTF-8",
    "not_finite": "the message has a number that no double holds, NaN or Infinity",
    "too_deep": "the message is nested too deep",
    "too_large": "the message is over 1 MiB with what the collector adds",
    "number_too_long": "the message has a number of too many digits",
    "no_consent": "the message's user did not agree; nothing of it is kept",
    "plan_violation": "the message breaks a rule of the tracking plan: see its context.violations",
    "invalid_json": "the body is no JSON of the form that its path takes",
    "invalid_gzip": "the body's gzip data is damaged",
}
"""What each reason means."""

REDRIVEN_BYTES = MAX_RECORD_BYTES - 1
"""Longest message that can be put on the stream again, with a partition key of one character."""


@dataclass(frozen=True)
class Refusal:
    """A message, or a body, that was refused: the reason, and what is kept of it."""

    reason: str
    kept: bytes

    @property
    def can_be_redriven(self) -> bool:
        """Whether a record can hold it. One that none can hold would keep the others of its object from the stream."""
        return len(self.kept) <= REDRIVEN_BYTES


def error_lines(refusals: Sequence[Refusal], source: str, at: datetime) -> bytes:
    """Return the lines of an object that keeps the refusals."""
    return b"".join(_line(refusal, source, int(at.timestamp() * 1000)) for refusal in refusals)


def _line(refusal: Refusal, source: str, milliseconds: int) -> bytes:
    line = {
        "attemptsMade": 1,
        "arrivalTimestamp": milliseconds,
        "errorCode": refusal.reason,
        "errorMessage": REASONS.get(refusal.reason, refusal.reason),
        "attemptEndingTimestamp": milliseconds,
        "rawData": base64.b64encode(refusal.kept).decode(),
        "source": source,
    }
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"
