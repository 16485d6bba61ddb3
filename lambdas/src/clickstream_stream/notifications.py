"""Pure reading of S3 event notifications that arrive as SQS message bodies.

Shape: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from clickstream_stream.environment import Environment

FAILED_PREFIX = "processing-failed/"
"""Where Firehose puts records that it could not transform; they are replayed from there, never staged."""

SPILLED = "collector-"
"""How names begin of what the collector puts into the raw bucket, since the stream did not take it."""


@dataclass(frozen=True)
class Notification:
    """One S3 event. `key` is decoded; `version_id` is set only for buckets with versioning."""

    name: str
    time: str
    bucket: str
    key: str
    version_id: str | None = None


class NotificationError(ValueError):
    """A message body that is not an S3 notification; the message says what is missing, never what it held."""


def _notification(record: dict[str, Any]) -> Notification:
    try:
        s3 = record["s3"]
        return Notification(
            name=record["eventName"],
            time=record["eventTime"],
            bucket=s3["bucket"]["name"],
            # S3 form-encodes keys in events; a second decoding would turn the legal key "a%2Bb" into another one.
            key=unquote_plus(s3["object"]["key"], errors="strict"),
            version_id=s3["object"].get("versionId"),
        )
    except KeyError as missing:
        raise NotificationError(f"S3 notification without {missing}") from None
    except (TypeError, AttributeError, UnicodeDecodeError):
        raise NotificationError("S3 notification of an unknown shape") from None


def read_notifications(body: str) -> list[Notification]:
    """Return the S3 events in one message body; none for the `s3:TestEvent` that S3 sends on set-up.

    Raises NotificationError for anything else.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        raise NotificationError("message body is not JSON") from None
    if isinstance(message, dict) and message.get("Event") == "s3:TestEvent":
        return []
    if not isinstance(message, dict) or not isinstance(message.get("Records"), list):
        raise NotificationError("message body has no list of Records")
    return [_notification(record) for record in message["Records"]]


def ignore_reason(notification: Notification, environment: Environment) -> str | None:
    """Return why this event must not be staged, as one word for the log; None if it must be."""
    key = notification.key
    if not notification.name.startswith("ObjectCreated:"):
        return "not_created"
    if notification.bucket == environment.staging_bucket and key.startswith(environment.staging_prefix):
        return "own_output"
    if notification.bucket != environment.raw_bucket:
        return "other_bucket"
    if key.startswith(FAILED_PREFIX):
        return "processing_failed"
    if not key.startswith(environment.raw_prefix):
        return "outside_raw_prefix"
    return None


def is_archived(notification: Notification, environment: Environment) -> bool:
    """Return whether `stage_object` archives this object: each, or where Firehose does, those that it never sees."""
    is_spilled = notification.key.rpartition("/")[2].startswith(SPILLED)
    return environment.archive_by == "Copy" or (environment.archive_by == "Firehose" and is_spilled)
