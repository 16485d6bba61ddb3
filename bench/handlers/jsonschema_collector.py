"""A collector as many are written: jsonschema judges messages by the tracking plan, boto3 puts a record for each."""

import base64
import gzip
import json
import os
import uuid
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import boto3
from jsonschema import Draft202012Validator


@cache
def kinesis():
    """Return the client, made on the first call."""
    return boto3.client("kinesis")


@cache
def validators():
    """Return the validator of each event's properties."""
    schemas = json.loads(Path(os.environ["PLAN_FILE"]).read_text(encoding="utf-8"))
    return {name: Draft202012Validator(schema) for name, schema in schemas.items()}


def lambda_handler(event, context):
    """Answer as the collector does."""
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    batch = json.loads(gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body)["batch"]
    records = [{"Data": _stamped(message), "PartitionKey": message["messageId"]} for message in batch]
    for start in range(0, len(records), 500):
        kinesis().put_records(StreamName=os.environ["CLICKSTREAM_STREAM"], Records=records[start : start + 500])
    answer = {"success": True, "accepted": len(batch), "refused": 0}
    return {"statusCode": 200, "headers": {}, "body": json.dumps(answer), "isBase64Encoded": False}


def _stamped(message):
    validator = validators().get(message.get("event"))
    wrong = [str(error.json_path) for error in validator.iter_errors(message["properties"])] if validator else []
    stamp = {"receivedAt": datetime.now(UTC).isoformat(), "messageId": message.get("messageId") or str(uuid.uuid4())}
    return json.dumps({**message, **stamp, "violations": wrong}).encode()
