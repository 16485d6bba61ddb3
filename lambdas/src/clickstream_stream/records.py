"""Pure core of the Firehose transform: a record holds one JSON object, or several, one a line; a line each comes out.

Limits and shapes are AWS's: https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html
(every answer carries recordId, result and data) and https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
(a synchronous answer holds at most 6 MB).
"""

import binascii
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

MAX_DEPTH = 200
"""Deepest nesting accepted; `{}` has depth 1. Trino fails a whole file at a few thousand levels."""

MAX_DIGITS = 2_000
"""Most digits in a row of a number. The time that Trino takes for a number grows with the square of them."""

MAX_RECORD_BYTES = 1_048_576
"""Largest payload accepted, in bytes before base64: the default record limit of a Kinesis stream (1 MiB, see
https://docs.aws.amazon.com/streams/latest/dev/large-records.html; up to 10 MiB if the stream is set so).
Firehose's own PutRecord stops earlier, at 1,000 KiB."""

MAX_RESPONSE_BYTES = 6_291_456
"""Largest JSON answer of a synchronous Lambda call, in bytes."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?', re.DOTALL)  # matches an unterminated string too, so it stays linear
_TOO_MANY_DIGITS = re.compile(rf"[0-9]{{{MAX_DIGITS + 1}}}")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_LINE_ENDS_TO_SPACES = bytes.maketrans(b"\r\n", b"  ")


class RejectedRecordError(Exception):
    """A record that must not reach a data file; `reason` is one word for counting, never payload text."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Batch:
    """The answer to one Firehose call, and how many records were rejected for each reason."""

    results: list[dict[str, Any]]
    failed: dict[str, int]

    @property
    def ok(self) -> int:
        return len(self.results) - sum(self.failed.values())


def _reject_constant(literal: str) -> None:
    raise RejectedRecordError("not_json")


def _check_digits(literal: str) -> None:
    if len(literal) > MAX_DIGITS and _TOO_MANY_DIGITS.search(literal):
        raise RejectedRecordError("number_too_long")


# Numbers are only checked, never built: that takes linear time, and int() refuses more than 4,300 digits. NaN and
# Infinity are Python's extension of JSON, so they are refused.
_DECODER = json.JSONDecoder(parse_int=_check_digits, parse_float=_check_digits, parse_constant=_reject_constant)


def nesting_exceeds(payload: bytes, limit: int) -> bool:
    """Return true if objects and arrays nest deeper than `limit`; brackets inside strings do not count."""
    if payload.count(b"{") + payload.count(b"[") <= limit:
        return False
    brackets = _STRING.sub(b"", payload).translate(None, _NOT_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > limit


def check_json_object(payload: bytes) -> None:
    """Raise RejectedRecordError unless `payload` is exactly one JSON object (RFC 8259, UTF-8, no byte order mark)."""
    if nesting_exceeds(payload, MAX_DEPTH):
        raise RejectedRecordError("too_deep")
    try:
        value = _DECODER.decode(payload.decode("utf-8"))
    except UnicodeDecodeError:
        raise RejectedRecordError("not_utf8") from None
    except ValueError:
        raise RejectedRecordError("not_json") from None
    if not isinstance(value, dict):
        raise RejectedRecordError("not_an_object")


def to_lines(payload: bytes) -> bytes:
    """Return the payload, byte for byte, as lines of one JSON object each, with exactly one newline at the end.

    Line ends after the last object are dropped. Inside a JSON object a raw CR or LF can only stand between tokens,
    where a space means the same, so each becomes a space; so does a CR at the end of a line. A payload whose first line
    is a whole object is read line by line, and one line that is none spoils all of it. Raises RejectedRecordError for
    that, and for anything else but one JSON object within the limits.
    """
    if len(payload) > MAX_RECORD_BYTES:
        raise RejectedRecordError("too_large")
    if not payload.strip():
        raise RejectedRecordError("empty")
    whole = payload.rstrip(b"\r\n")
    lines = whole.split(b"\n") if _is_packed(whole) else [whole]
    for line in lines:
        check_json_object(line)
    return b"".join(line.translate(_LINE_ENDS_TO_SPACES) + b"\n" for line in lines)


def _is_packed(payload: bytes) -> bool:
    """Return whether something follows a first line that is a whole object; in pretty-printed JSON it is not."""
    first, _, rest = payload.partition(b"\n")
    if not rest.strip():
        return False
    try:
        check_json_object(first)
    except RejectedRecordError:
        return False
    return True


def _decode_data(data: object) -> bytes:
    if not isinstance(data, str):
        raise RejectedRecordError("no_data")
    try:
        return binascii.a2b_base64(data, strict_mode=True)
    except ValueError:
        raise RejectedRecordError("not_base64") from None


def _as_received(data: object) -> str:
    """Return a failed record's own data. Text outside UTF-8 is no base64, but must not break the whole answer."""
    return data.encode("utf-8", "replace").decode("utf-8") if isinstance(data, str) else ""


def _transform(record: object) -> tuple[dict[str, Any], str | None]:
    fields: Mapping[str, Any] = record if isinstance(record, Mapping) else {}
    record_id, data = fields.get("recordId"), fields.get("data")
    try:
        line = to_lines(_decode_data(data))
    except RejectedRecordError as rejected:
        return {"recordId": record_id, "result": "ProcessingFailed", "data": _as_received(data)}, rejected.reason
    encoded = binascii.b2a_base64(line, newline=False).decode("ascii")
    return {"recordId": record_id, "result": "Ok", "data": encoded}, None


def _json_bytes(value: object) -> int:
    """Size of `value` as ASCII JSON, the longest form a Lambda runtime client writes."""
    return len(json.dumps(value))


def _fit(results: list[dict[str, Any]], reasons: list[str | None], limit: int) -> None:
    """Empty the `data` of as many records as needed to answer in `limit` bytes.

    Firehose files the record it sent, not the data it got back, under processing-failed/, so a ProcessingFailed answer
    with empty data loses nothing. Records that failed anyway give up their data first; then the last good ones fail.
    """
    stubs = [{**result, "result": "ProcessingFailed", "data": ""} for result in results]
    full = [_json_bytes(result) for result in results]
    least = [min(size, _json_bytes(stub)) for size, stub in zip(full, stubs, strict=True)]
    room = limit - _json_bytes({"records": []}) - sum(least) - len(", ") * len(results)
    for index in sorted(range(len(results)), key=lambda i: reasons[i] is not None):
        extra = full[index] - least[index]
        if extra <= max(room, 0):
            room -= extra
            continue
        results[index] = stubs[index]
        reasons[index] = reasons[index] or "response_full"


def transform_batch(records: Sequence[object], limit: int = MAX_RESPONSE_BYTES) -> Batch:
    """Answer every record of one Firehose call, in order: `Ok` with its lines, or `ProcessingFailed` with its own data.

    Never raises for what a record holds. The answer, as `{"records": results}`, is at most `limit` bytes of JSON.
    """
    answers = [_transform(record) for record in records]
    results = [result for result, _ in answers]
    reasons = [reason for _, reason in answers]
    if _json_bytes({"records": results}) > limit:
        _fit(results, reasons, limit)
    return Batch(results, dict(Counter(reason for reason in reasons if reason)))
