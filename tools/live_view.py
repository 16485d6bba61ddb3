"""What arrives, as `make live` shows it: read from records, chosen, masked, written as a line. Knows no AWS."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from clickstream.plan.event import Event
from clickstream.plan.file import TrackingPlan
from clickstream.plan.names import slug
from clickstream_stream.records import MAX_DEPTH, nesting_exceeds

HIDDEN = "***"
"""The mask of a value that identifies a person."""

# Beside what the plan marks, at any depth: names without case, underscores and dashes.
_PERSONAL = frozenset((
    "userid", "anonymousid", "previousid", "groupid", "traits", "ip", "requestip", "email", "phone", "phonenumber",
    "password", "firstname", "lastname", "fullname", "birthday", "address", "location", "advertisingid",
    "deviceid", "token",
))  # fmt: skip
# Both take time in proportion to a text: anybody may send a long one.
_ADDRESS_OF_MAIL = re.compile(r"(?<![^@\s])[^@\s]++@[^@\s]+\.[^@\s]+")
_QUERY = re.compile(r"((?:https?://|/)[^?#]*+)[?#].+|\?.+", re.DOTALL)


@dataclass(frozen=True)
class Arrived:
    """One message. `source`: its projectId, or the name of its source; `reason`: why it was refused, empty if not.

    `message`: the JSON value, or the bytes if they are no JSON or nested so deep that the transform refuses them.
    """

    at: datetime
    source: str
    message: Any
    reason: str = ""


def accepted(record: bytes, arrived_at: datetime) -> Iterator[Arrived]:
    """Yield the messages of a record of the stream, one a line; a record that is no lines of JSON as one."""
    values = [_read(line) for line in record.split(b"\n") if line.strip()]
    if any(isinstance(value, bytes) for value in values):
        values = [_read(record)]
    for value in values:
        source = value.get("projectId") if isinstance(value, dict) else ""
        yield Arrived(arrived_at, str(source or ""), value)


def refused(body: bytes) -> Iterator[Arrived]:
    """Yield the messages of an object of `refused/`. Lines of another shape are left out."""
    for line in body.split(b"\n"):
        entry = _read(line)
        try:
            at = datetime.fromtimestamp(entry["arrivalTimestamp"] / 1000, UTC)
            kept = base64.b64decode(entry["rawData"], validate=True)
            yield Arrived(at, str(entry.get("source", "")), _read(kept), str(entry["errorCode"]))
        except (TypeError, KeyError, ValueError, OverflowError, binascii.Error):
            continue


def _read(text: bytes) -> Any:
    try:
        return text if nesting_exceeds(text, MAX_DEPTH) else json.loads(text)
    except (ValueError, RecursionError):
        return text


@dataclass(frozen=True)
class Wanted:
    """Which messages are shown: of one source (any if it is empty), and with all of `match`.

    `match`: a text that the message's JSON holds, in any case; or an object whose members the message has, too.
    """

    source: str = ""
    match: str | Mapping[str, Any] = ""

    def holds(self, arrived: Arrived) -> bool:
        """Return whether this one is shown."""
        if self.source and arrived.source != self.source:
            return False
        if isinstance(self.match, str):
            return self.match.lower() in _text(arrived.message).lower()
        return _has(arrived.message, self.match)


def read_wanted(source: str, match: str) -> Wanted:
    """Parse the filters: a source, and a text or a JSON object. Raises ValueError."""
    if not match.startswith("{"):
        return Wanted(source, match)
    try:
        return Wanted(source, json.loads(match))
    except ValueError:
        raise ValueError(f'MATCH={match}: write a text, or JSON as {{"event": "Order Completed"}}') from None


def _has(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(value, dict) and all(name in value and _has(value[name], one) for name, one in wanted.items())
    return bool(value == wanted)


def _text(message: Any) -> str:
    return message.decode(errors="replace") if isinstance(message, bytes) else json.dumps(message, ensure_ascii=False)


def masked(message: Any, plan: TrackingPlan) -> Any:
    """Return the message without personal data: what the plan marks, ids, traits, addresses, queries of URLs.

    What no rule knows stays: an undeclared property of a harmless name. Bytes that are no JSON are not shown.
    """
    if isinstance(message, bytes):
        return f"({len(message)} bytes that are no JSON)"
    if isinstance(message, dict) and (event := _event_of(message, plan)):
        message = {**message, "properties": _mark(message.get("properties"), event.schema)}
    return _without_personal(message)


def _event_of(message: Mapping[str, Any], plan: TrackingPlan) -> Event | None:
    name = message.get("event")
    known = slug(name) if isinstance(name, str) else ""
    return next((event for event in plan.events if known and known in event.slugs), None)


def _mark(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return the value with what its schema marks hidden."""
    if schema.get("pii"):
        return _hidden(value)
    if isinstance(value, dict):
        members = schema.get("properties", {})
        return {name: _mark(one, members[name]) if name in members else one for name, one in value.items()}
    if isinstance(value, list):
        return [_mark(one, schema.get("items", {})) for one in value]
    return value


def _without_personal(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _hidden(one) if _is_personal(name) else _without_personal(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_without_personal(one) for one in value]
    return _without_addresses(value) if isinstance(value, str) else value


def _without_addresses(text: str) -> str:
    """Return the text without what follows a URL's path, and without addresses of e-mail."""
    if found := _QUERY.fullmatch(text):
        text = f"{found[1] or ''}?{HIDDEN}"
    return _ADDRESS_OF_MAIL.sub(HIDDEN, text)


def _is_personal(name: str) -> bool:
    return re.sub("[^a-z]", "", name.lower()) in _PERSONAL


def _hidden(value: Any) -> Any:
    """Return the value with each text and number hidden; its shape stays, since that is what one looks for."""
    if isinstance(value, dict):
        return {name: _hidden(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_hidden(one) for one in value]
    return value if value is None or isinstance(value, bool) else HIDDEN


def line(arrived: Arrived, message: Any, *, is_full: bool = False) -> str:
    """Return how one message, masked or not, is shown: a line of its time, source, type, name, user and properties.

    `is_full`: the whole message below it. Nothing in it can move the cursor or colour the terminal.
    """
    fields = message if isinstance(message, dict) else {}
    about = fields.get("properties") or fields.get("traits") if not arrived.reason else message
    parts = [
        f"{arrived.at:%Y-%m-%d %H:%M:%S}.{arrived.at.microsecond // 1000:03d}",
        arrived.source or "-",
        f"REFUSED {arrived.reason}" if arrived.reason else str(fields.get("type", "-")),
        *(str(fields[name]) for name in ("event", "name") if fields.get(name)),
        *(str(fields[name]) for name in ("userId", "anonymousId") if fields.get(name)),
    ]
    shown = [_json(message)] if not fields and not arrived.reason else [_json(about)] if about and not is_full else []
    whole = json.dumps(message, ensure_ascii=False, indent=2).split("\n") if is_full else []
    return "\n".join(map(_printable, ["  ".join(parts + shown), *whole]))


def _json(value: Any) -> str:
    return value if isinstance(value, str) else _text(value)


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)
