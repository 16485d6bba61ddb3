"""What the collector adds to a message and takes from it, so that it is as Segment would have sent it on.

docs/collector.md has the rules as a table; tests/collector/cases has a file for each.
"""

import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from clickstream_collector.body import Spoiled
from clickstream_collector.clock import corrected, read_instant, write_instant
from clickstream_collector.plan import Violation, opened
from clickstream_collector.privacy import anonymise, bot_rule, coarsen, consents, signals_refusal
from clickstream_collector.sources import Source
from clickstream_stream.records import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_RECORD_BYTES,
    RejectedRecordError,
    check_json_object,
    nesting_exceeds,
)

MAX_MESSAGE_BYTES = MAX_RECORD_BYTES - 256
"""Longest line of a message: with its partition key it must fit in a Kinesis record."""

_MERGED = ("context", "integrations")
_TOO_MANY_DIGITS = re.compile(rb"[0-9]{%d}" % (MAX_DIGITS + 1))
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))
_KEEPER = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))


class RefusedError(Exception):
    """A message that is not taken: `reason` is one word for counting, `kept` what is kept of it, None for nothing."""

    def __init__(self, reason: str, kept: bytes | None = None) -> None:
        super().__init__(reason)
        self.reason, self.kept = reason, kept


@dataclass(frozen=True)
class Arrival:
    """What holds for all messages of a request. `shared`: the batch's own members; `type`: what the path says.

    `judge` returns what of the tracking plan a message breaks; None where that is not judged.
    """

    source: Source
    received_at: datetime
    shared: Mapping[str, Any] = field(default_factory=dict)
    type: str = ""
    viewer_address: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    judge: Callable[[Mapping[str, Any]], Sequence[Violation]] | None = None

    @property
    def retry(self) -> int:
        """How often the SDK had sent it before."""
        count = self.headers.get("x-retry-count", "")
        return int(count) if re.fullmatch("[0-9]{1,6}", count) else 0


@dataclass(frozen=True)
class Stamped:
    """A message as it goes on: its line without a newline, its id, whether it names its user, and what it breaks.

    `anonymous_id`: as sent, empty if there is none, or its user did not agree.
    """

    line: bytes
    message_id: str
    is_identified: bool
    violations: Sequence[Violation] = ()
    anonymous_id: str = ""


def stamp(item: object, index: int, arrival: Arrival) -> Stamped:
    """Return the message `item`, the `index`th of its batch, stamped. Raises RefusedError."""
    if isinstance(item, Spoiled):
        raise RefusedError("not_readable", item.text.encode("utf-8", "surrogateescape"))
    if not isinstance(item, dict):
        raise RefusedError("not_an_object", _kept(item))
    message = {name: value for name, value in item.items() if name != "writeKey"}
    notes: dict[str, Any] = {"retry": arrival.retry} if arrival.retry else {}
    _share(message, arrival.shared)
    _set_type(message, arrival.type, notes)
    _set_ids(message, index, arrival)
    _set_times(message, arrival)
    _set_origin(message, arrival.source)
    is_identified = "userId" in message or "anonymousId" in message
    _set_context(message, arrival, notes)
    if not message["type"]:
        raise RefusedError("no_type", _kept(message))
    if arrival.source.strict and not is_identified:
        raise RefusedError("no_identity", _kept(message))
    violations = _note_violations(message, arrival)
    line = _line(message)
    if violations and arrival.source.plan == "refuse":
        raise RefusedError("plan_violation", line)
    own_id = "" if "consent" in notes else message.get("anonymousId")
    return Stamped(line, message["messageId"], is_identified, violations, own_id if isinstance(own_id, str) else "")


def _share(message: dict[str, Any], shared: Mapping[str, Any]) -> None:
    """Put the batch's context and integrations under the message's own."""
    for name in _MERGED:
        under = shared.get(name)
        if isinstance(under, dict) and under:
            own = opened(message.get(name))
            if own is None or isinstance(own, dict):
                message[name] = {**under, **(own or {})}


def _set_type(message: dict[str, Any], of_path: str, notes: dict[str, Any]) -> None:
    """Set the path's type; note another one that it replaces."""
    sent = message.get("type")
    sent = sent.strip().lower() if isinstance(sent, str) else ""
    if of_path and sent and sent != of_path:
        notes["type"] = sent
    message["type"] = of_path or sent


def _set_ids(message: dict[str, Any], index: int, arrival: Arrival) -> None:
    for name in ("userId", "anonymousId"):
        value = _number_as_text(message.get(name))
        if value is None or value == "":
            message.pop(name, None)
        else:
            message[name] = value
    header = arrival.headers.get("anonymousid")
    if header and "userId" not in message and "anonymousId" not in message:
        message["anonymousId"] = header
    sent = _number_as_text(message.get("messageId"))
    message["messageId"] = sent if isinstance(sent, str) and sent.strip() else _new_id(index, arrival)


def _number_as_text(value: object) -> object:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return json.dumps(value) if is_number else value


def _new_id(index: int, arrival: Arrival) -> str:
    """Return an id that a second try of the same request gets again, if its sender says that it is one."""
    key = arrival.headers.get("idempotency-key")
    return f"api-{uuid.uuid5(uuid.NAMESPACE_OID, f'{arrival.source.id} {key} {index}') if key else uuid.uuid4()}"


def _set_times(message: dict[str, Any], arrival: Arrival) -> None:
    received_at = write_instant(arrival.received_at)
    sent = message.get("sentAt") or arrival.shared.get("sentAt") or arrival.headers.get("sentat")
    if sent:
        message["sentAt"] = sent
    else:
        message.pop("sentAt", None)
    original = message.get("originalTimestamp") or message.get("timestamp") or received_at
    message["originalTimestamp"], message["receivedAt"] = original, received_at
    happened = read_instant(original)
    if happened is None:  # the table says so, and takes the time of receipt
        message["timestamp"] = received_at
        return
    source = arrival.source
    at = corrected(arrival.received_at, read_instant(sent), happened, source.clock, is_mobile=source.kind == "mobile")
    message["timestamp"] = write_instant(at)


def _set_origin(message: dict[str, Any], source: Source) -> None:
    message["projectId"] = source.id
    if message.get("version") is None:
        message["version"] = 2
    if message.get("channel") is None:
        message["channel"] = "client" if source.is_client else "server"


def _set_context(message: dict[str, Any], arrival: Arrival, notes: dict[str, Any]) -> None:
    sent = opened(message.get("context"))
    if sent is not None and not isinstance(sent, dict):
        sent = {"value": sent}  # kept, where the rules below can still be followed
    context = dict(sent or {})
    source, headers = arrival.source, arrival.headers
    if not context.get("ip") and (source.is_client or context.get("direct") is True) and arrival.viewer_address:
        context["ip"] = arrival.viewer_address
    if source.kind in ("web", "pixel") and not context.get("userAgent") and headers.get("user-agent"):
        context["userAgent"] = headers["user-agent"]
    coarsen(message, context, source.ip)
    if source.kind == "web" and source.bots == "flag" and (rule := bot_rule(context.get("userAgent"))):
        notes["bot"] = rule
    _follow_consent(message, context, arrival, notes)
    if notes:
        context["collector"] = notes
    if context or "context" in message:
        message["context"] = context


def _note_violations(message: dict[str, Any], arrival: Arrival) -> Sequence[Violation]:
    """Return what the message breaks of the plan, noted where Segment notes it."""
    violations = arrival.judge(message) if arrival.judge else ()
    if violations:
        message.setdefault("context", {})["violations"] = [one.to_dict() for one in violations]
    return violations


def _follow_consent(message: dict[str, Any], context: dict[str, Any], arrival: Arrival, notes: dict[str, Any]) -> None:
    consent = arrival.source.consent
    refused = consent.honour_gpc and signals_refusal(arrival.headers)
    if (not refused and consents(context, consent.need)) or consent.otherwise == "keep":
        return
    if consent.otherwise == "drop":
        raise RefusedError("no_consent")  # nothing of it may be kept
    anonymise(message, context)
    notes["consent"] = "anonymised"


def _line(message: dict[str, Any]) -> bytes:
    """Return the line of a message that the transform takes. Raises RefusedError."""
    try:
        line = _ENCODER.encode(message).encode("utf-8")
    except RecursionError:
        raise RefusedError("too_deep", _kept(message)) from None
    except UnicodeEncodeError:  # half of a surrogate pair, or bytes that were no UTF-8
        raise RefusedError("not_utf8", _kept(message)) from None
    except ValueError:
        raise RefusedError("not_finite", _kept(message)) from None
    if len(line) > MAX_MESSAGE_BYTES:
        raise RefusedError("too_large", line)
    if nesting_exceeds(line, MAX_DEPTH):
        raise RefusedError("too_deep", line)
    if len(line) > MAX_DIGITS and _TOO_MANY_DIGITS.search(line):
        try:
            check_json_object(line)
        except RejectedRecordError as rejected:
            raise RefusedError(rejected.reason, line) from None
    return line


def _kept(value: object) -> bytes:
    """Return what is kept of a message that makes no line: near to how it came."""
    try:
        return _KEEPER.encode(value).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return json.dumps(value).encode()
    except RecursionError:
        return b"{}"  # it was parsed with a few calls less on the stack: too near to the limit to be written again
