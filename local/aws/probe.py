"""`python -m local.aws.probe URL`: whether S3 and Glue of a local AWS answer a real call. Exit code 0 when they do."""

import sys
from typing import Any

import boto3
from botocore.config import Config


def main(url: str) -> None:
    """Raise what boto3 raises when there is no answer."""
    make: Any = boto3.client
    for service, call in (("s3", "list_buckets"), ("glue", "get_databases")):
        client = make(
            service, endpoint_url=url, region_name="us-east-1", aws_access_key_id="test",
            aws_secret_access_key="test", config=Config(read_timeout=5, retries={"total_max_attempts": 1}),
        )  # fmt: skip
        getattr(client, call)()


if __name__ == "__main__":
    main(sys.argv[1])
