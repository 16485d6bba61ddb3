"""Writes its process id under the key of each S3 event it was given."""

import os

import boto3


def handler(event, context):
    for record in event["Records"]:
        key = record["s3"]["object"]["key"]
        boto3.client("s3").put_object(Bucket=os.environ["PROOF_BUCKET"], Key=key, Body=str(os.getpid()).encode())
