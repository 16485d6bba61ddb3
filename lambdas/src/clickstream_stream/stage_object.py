"""SQS consumer: moves every new raw object into the flat staging folder, and where the stack archives, keeps a copy.

Repeat-safe; one bad message fails alone.
"""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from clickstream_stream.environment import Environment, environment
from clickstream_stream.keys import archive_key, staging_key
from clickstream_stream.metrics import Metrics, metric_line
from clickstream_stream.moves import move
from clickstream_stream.notifications import ignore_reason, is_archived, read_notifications


@cache
def s3_client() -> Any:
    return boto3.client("s3", config=Config(retries={"mode": "standard", "max_attempts": 5}))


def stage_message(body: str, settings: Environment) -> list[float]:
    """Stage every object that one S3 notification names; return the age in seconds that each then had.

    Raises if one of them must be retried.
    """
    ages = []
    for event in read_notifications(body):
        ignored = ignore_reason(event, settings)
        target = None if ignored else staging_key(settings.staging_prefix, event.time, event.key)
        kept = archive_key(event.time, event.key) if target and is_archived(event, settings) else None
        archive = (settings.archive_bucket, kept) if kept else None
        outcome = move(s3_client(), event, settings.staging_bucket, target, archive) if target else ignored
        told = {"outcome": outcome, "source": event.key, "target": target, "archived": kept}
        print(json.dumps({"message": "staged object", **told}))
        if outcome == "moved":
            ages.append((datetime.now(UTC) - datetime.fromisoformat(event.time)).total_seconds())
    return ages


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Handle an SQS event; return `{"batchItemFailures": [{"itemIdentifier": message id}, ...]}`.

    Logs a JSON line an object or failed message, and one a call: the metrics StagedObjects, FailedMessages and
    SecondsToStage, from the S3 event on.
    """
    settings, failures = environment(), []
    ages: list[float] = []
    for message in event["Records"]:
        try:
            ages += stage_message(message["body"], settings)
        except Exception as error:  # whatever it is, it is this message's own: SQS retries it, then the DLQ keeps it
            print(json.dumps({"message": "message failed", "id": message["messageId"], "error": repr(error)}))
            failures.append({"itemIdentifier": message["messageId"]})
    metrics: Metrics = {
        "StagedObjects": ("Count", len(ages)),
        "FailedMessages": ("Count", len(failures)),
        "SecondsToStage": ("Seconds", ages),
    }
    print(metric_line(metrics, {"message": "staged batch"}))
    return {"batchItemFailures": failures}
