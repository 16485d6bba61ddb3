"""Write records to the long-term archive the way Segment's S3 destination does.

`segment-logs/<source id>/<received day as Unix milliseconds>/<name>.gz`, one message a line, and a dummy object from
when the destination was set up. https://segment.com/docs/connections/storage/catalog/aws-s3/
"""

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

ROOT = "segment-logs/"
DUMMY = f"{ROOT}dummy-object.txt"
SOURCE = "source"


def write(records: Iterable[bytes], bucket: str, client: Any, in_seconds: bool = False) -> dict[str, int]:
    """Write valid messages, one object a source and received day; return the number of messages by object key.

    The same records make the same keys and bytes. A record that is no message with an id is left out: Segment refuses
    it. `in_seconds` names the days in seconds, as some archives do.
    """
    lines: dict[str, list[bytes]] = defaultdict(list)
    for record in records:
        message = _message(record)
        if message:
            lines[_folder(message, in_seconds)].append(record.strip())
    client.put_object(Bucket=bucket, Key=DUMMY, Body=b"")
    written = {}
    for folder, found in lines.items():
        body = b"\n".join(found) + b"\n"
        key = f"{folder}{hashlib.sha256(body).hexdigest()[:16]}.gz"
        client.put_object(
            Bucket=bucket, Key=key, Body=gzip.compress(body, mtime=0), ContentType="text/plain", ContentEncoding="gzip"
        )
        written[key] = len(found)
    return written


def _message(record: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(record)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and message.get("messageId") and b"\n" not in record.strip() else None


def _folder(message: dict[str, Any], in_seconds: bool) -> str:
    received = datetime.fromisoformat(message["receivedAt"]) if "receivedAt" in message else datetime.now(UTC)
    midnight = received.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day = int(midnight.timestamp()) * (1 if in_seconds else 1000)
    return f"{ROOT}{message.get('projectId') or SOURCE}/{day}/"
