"""Writes one object for each message it was given, and reports the keys with `poison` in them as failed."""

import json
import os
import time

import boto3


def handler(event, context):
    s3 = boto3.client("s3")
    failed = []
    for message in event["Records"]:
        body = json.loads(message["body"])
        if body.get("Event") == "s3:TestEvent":
            continue
        key = body["Records"][0]["s3"]["object"]["key"]
        attempt = message["attributes"]["ApproximateReceiveCount"]
        proof = {"pid": os.getpid(), "at": time.time(), "batch": len(event["Records"])}
        s3.put_object(Bucket=os.environ["PROOF_BUCKET"], Key=f"{key}#{attempt}", Body=json.dumps(proof).encode())
        if "poison" in key:
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}
