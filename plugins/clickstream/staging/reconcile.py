"""Raw objects that were not staged, and the S3 event that would have staged them.

The function `stage_object` stays the only code that moves objects: what was missed is put on its queue again.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote_plus

RAW_PREFIX = "raw/"
"""Where Firehose delivers, and what the bucket's notification is filtered by: see lambdas/template.yaml."""

LONGEST_MINUTES = 366 * 24 * 60
"""The greatest age that a run can look for."""


@dataclass(frozen=True)
class RawObject:
    """One object under `raw/`. `written_at` is UTC, by S3's clock; `etag` is without quotes."""

    key: str
    bytes: int
    etag: str
    written_at: datetime


def overdue(objects: Iterable[RawObject], now: datetime, after: timedelta) -> list[RawObject]:
    """Return the objects written `after` ago or earlier, oldest first."""
    late = [item for item in objects if now - item.written_at >= after]
    return sorted(late, key=lambda item: (item.written_at, item.key))


def has_lost_events(object_count: int, message_count: int) -> bool:
    """Return whether an object lost its event: each object of `raw/` to be staged has a message in the queue.

    If so, sending for all that is overdue is harmless. If not, the queue is only slow, and more messages would make it
    slower still.
    """
    return object_count > message_count


def notification(bucket: str, item: RawObject) -> str:
    """Return the message that S3 sends when an object is created, as far as `stage_object` and its log read it.

    The time is the object's own, so that each of these messages names the same staged object. S3's own message has
    another time: docs/adr/0010-staging-keys.md. Shape:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    written_at = item.written_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record = {
        "eventVersion": "2.1",
        "eventSource": "clickstream:reconcile",
        "eventName": "ObjectCreated:Put",
        "eventTime": written_at,
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            # S3 form-encodes keys: a space is a plus.
            "object": {"key": quote_plus(item.key, safe="/"), "size": item.bytes, "eTag": item.etag},
        },
    }
    return json.dumps({"Records": [record]})
