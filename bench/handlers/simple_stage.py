"""The simplest move: copy, delete. It does not look whether the copy is whole, nor whether it was there before."""

import json
import os

import boto3

s3 = boto3.client("s3")


def lambda_handler(event, context):
    """Do as stage_object does, with no failure of a single message."""
    for message in event["Records"]:
        for record in json.loads(message["body"])["Records"]:
            bucket, key = record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]
            target = os.environ["CLICKSTREAM_STAGING_PREFIX"] + key.replace("/", "-")
            source = {"Bucket": bucket, "Key": key}
            s3.copy_object(Bucket=os.environ["CLICKSTREAM_STAGING_BUCKET"], Key=target, CopySource=source)
            s3.delete_object(Bucket=bucket, Key=key)
    return {"batchItemFailures": []}
