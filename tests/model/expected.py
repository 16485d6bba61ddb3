"""What `events` and `rejects` must hold when given files have been staged and loaded."""

import gzip
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.model.json_text import LongNumberError, TooDeepError, objects_in_a_row, read_json
from tests.model.values import WHITE_SPACE, boolean, double, instant, json_text, lower, opened, slug, text

Row = dict[str, Any]

MAX_RECORD_BYTES = 1024 * 1024

# Column -> top-level key, as text.
TEXT_KEYS = {
    "message_id": "messageId", "event_text": "event", "user_id": "userId", "anonymous_id": "anonymousId",
    "group_id": "groupId", "previous_id": "previousId", "name": "name", "category": "category",
    "channel": "channel", "version": "version", "project_id": "projectId",
}  # fmt: skip
TIME_KEYS = {"original_timestamp": "originalTimestamp", "sent_at": "sentAt"}
JSON_KEYS = ("context", "properties", "traits", "integrations")
MAPPED_KEYS = {*TEXT_KEYS.values(), *TIME_KEYS.values(), *JSON_KEYS, "type", "receivedAt", "timestamp"}

# Paths below `context`; the column is `context_` and the path in snake case.
# fmt: off
CONTEXT_TEXT = (
    "app.name", "app.version", "app.build", "app.namespace",
    "campaign.name", "campaign.source", "campaign.medium", "campaign.term", "campaign.content",
    "channel",
    "device.id", "device.advertisingId", "device.manufacturer", "device.model", "device.name", "device.type",
    "device.token", "device.version",
    "groupId", "ip", "library.name", "library.version", "locale", "network.carrier", "os.name", "os.version",
    "page.path", "page.referrer", "page.search", "page.title", "page.url",
    "referrer.id", "referrer.type", "referrer.name", "referrer.url", "referrer.link",
    "timezone", "userAgent", "userAgentData.platform",
)
CONTEXT_BOOLEAN = (
    "active", "device.adTrackingEnabled", "network.bluetooth", "network.cellular", "network.wifi",
    "userAgentData.mobile",
)
# fmt: on
CONTEXT_DOUBLE = ("screen.width", "screen.height", "screen.density")
CONTEXT_JSON = ("traits", "userAgentData.brands")


@dataclass(frozen=True)
class StagedFile:
    """One staged object: its full path, when it was staged (UTC), and its lines without their line ends."""

    path: str
    staged_at: datetime
    lines: list[bytes]


@dataclass(frozen=True)
class Expected:
    """Rows of `events` (one a distinct message id), of `rejects` (one a rejected line), and what the lines add up to.

    `line_count` = len(events) + `duplicate_count` + len(rejects).
    """

    events: list[Row]
    rejects: list[Row]
    line_count: int
    duplicate_count: int


def expected_transform(record: bytes) -> bytes | None:
    """The lines that the transform makes of one stream record, or None when it keeps the record out.

    Let through is one JSON object in UTF-8 of at most 200 levels, or one a line, 1 MiB in all. Their bytes stay, line
    ends after the last are dropped, a line end between the tokens of an object becomes a space, and one newline ends
    each.
    """
    whole = record.rstrip(b"\r\n")
    lines = whole.split(b"\n")
    if len(record) > MAX_RECORD_BYTES:
        return None
    if not all(_is_object(line) for line in lines):
        if not _is_object(whole):
            return None
        lines = [whole]
    return b"".join(re.sub(rb"[\r\n]", b" ", line) + b"\n" for line in lines)


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(read_json(text.decode("utf-8")), dict)
    except ValueError:
        return False


def staged_file(path: str, body: bytes) -> StagedFile:
    """A staged object from its path and its plain or gzip body; the time comes from the name.

    A line ends at LF, CR or CR LF, as Trino's text reader has it. Raises ValueError when the name has no time.
    """
    name = path.rsplit("/", 1)[-1]
    match = re.match(r"(\d{8}T\d{6})(\d{3})Z-", name)
    if match is None:
        raise ValueError(f"{path} does not begin with the time it was staged at")
    staged_at = datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(microsecond=int(match[2]) * 1000, tzinfo=UTC)
    content = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
    lines = re.split(rb"\r\n|\r|\n", content)
    return StagedFile(path, staged_at, lines[:-1] if lines[-1] == b"" else lines)


def expected_tables(files: Sequence[StagedFile]) -> Expected:
    """The rows of both tables. Of the lines with one message id the first received is kept, then path, then SHA-256."""
    kept: dict[str, tuple[tuple[datetime, str, bytes], Row]] = {}
    rejects: list[Row] = []
    line_count = 0
    for file in files:
        for line in file.lines:
            line_count += 1
            message = read_line(line)
            if isinstance(message, str):
                shown = line.decode("utf-8", "replace")
                reject = {"reason": message, "line": shown, "source_path": file.path, "staged_at": file.staged_at}
                rejects.append(reject)
                continue
            row = event_row(message, file)
            rank = (row["received_at"], file.path, hashlib.sha256(line).digest())
            if row["message_id"] not in kept or rank < kept[row["message_id"]][0]:
                kept[str(row["message_id"])] = (rank, row)
    events = [row for _, row in kept.values()]
    return Expected(events, rejects, line_count, line_count - len(events) - len(rejects))


def read_line(line: bytes) -> Mapping[str, Any] | str:
    """The message of a line, or the reason why the line is rejected.

    blank: white space only. too_deep: more than 200 levels. number_too_long: more than 2,000 digits in a row.
    missing_newline: no JSON text, but two or more objects one after another. not_json: no JSON text for any other
    reason, UTF-8 included. not_object: JSON, but no object. no_message_id: messageId is missing, null, a boolean, an
    object, an array, or a string of white space only.
    """
    try:
        content = line.decode("utf-8")
    except UnicodeDecodeError:
        return "not_json"
    if not content.strip(WHITE_SPACE):
        return "blank"
    try:
        message = read_json(content)
    except TooDeepError:
        return "too_deep"
    except LongNumberError:
        return "number_too_long"
    except ValueError:
        return "missing_newline" if objects_in_a_row(content) > 1 else "not_json"
    if not isinstance(message, dict):
        return "not_object"
    message_id = message.get("messageId")
    has_id = not isinstance(message_id, bool) and (text(message_id) or "").strip(WHITE_SPACE)
    return message if has_id else "no_message_id"


def event_row(message: Mapping[str, Any], file: StagedFile) -> Row:
    """One row of `events`: every column but those that tell about the load itself."""
    row: Row = {column: text(message.get(key)) for column, key in TEXT_KEYS.items()}
    kind = text(message.get("type"))
    row["type"] = None if kind is None else lower(kind)
    row["event"] = slug(row["event_text"])
    row |= times(message, file.staged_at)
    values = {key: opened(message.get(key)) if key != "integrations" else message.get(key) for key in JSON_KEYS}
    row |= {key: json_text(value) for key, value in values.items()}
    row |= context_columns(values["context"])
    extras = {key: value for key, value in message.items() if key not in MAPPED_KEYS}
    row["extras"] = json_text(extras) if extras else None
    return row | {"source_path": file.path, "staged_at": file.staged_at}


def times(message: Mapping[str, Any], staged_at: datetime) -> Row:
    """The four times and the two flags that come of them.

    received_at falls back to the time of staging; timestamp to original_timestamp, sent_at, received_at, in this order.
    """
    row: Row = {column: instant(message.get(key)) for column, key in TIME_KEYS.items()}
    received_at = instant(message.get("receivedAt")) or staged_at
    happened_at = instant(message.get("timestamp")) or row["original_timestamp"] or row["sent_at"] or received_at
    return row | {
        "received_at": received_at,
        "timestamp": happened_at,
        "is_late": received_at - happened_at > timedelta(hours=24),
        "is_future": happened_at - received_at > timedelta(minutes=5),
    }


def context_columns(context: Any) -> Row:
    """The columns below `context`; keys are told apart by case, and whatever is no object has no members."""
    row: Row = {}
    for paths, rule in (
        (CONTEXT_TEXT, text),
        (CONTEXT_BOOLEAN, boolean),
        (CONTEXT_DOUBLE, double),
        (CONTEXT_JSON, json_text),
    ):
        for path in paths:
            value = context
            for key in path.split("."):
                value = value.get(key) if isinstance(value, dict) else None
            column = "context_" + re.sub("([A-Z])", r"_\1", path.replace(".", "_")).lower()
            row[column] = rule(value)
    return row
