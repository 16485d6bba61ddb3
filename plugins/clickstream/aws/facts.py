"""What AWS answers to the questions of clickstream.config_check. Nothing is changed but one small object of our own.

The object is put into, read from and deleted from the lake bucket, under `_clickstream_check/`, which nothing reads.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from clickstream.aws.glue import staging_columns
from clickstream.aws.s3 import newest_staged
from clickstream.config_check.finding import observe
from clickstream.settings import Settings

PROBE_FOLDER = "_clickstream_check/"

Client = Callable[[str], Any]


def aws_facts(client: Client, settings: Settings, probe: str) -> dict[str, Any]:
    """Return the facts that check_aws reads. `client` returns a boto3 client by service; `probe` is an object's name.

    Only `identity` when that is refused: without a network, every further question would be waited for.
    """
    identity = observe(lambda: client("sts").get_caller_identity()["Arn"])
    if isinstance(identity, dict):
        return {"identity": identity}
    s3, glue = client("s3"), client("glue")
    databases = (
        settings.staging_database, settings.lines_database, settings.lake_database, settings.work_database,
        settings.events_database, settings.segment_database,
    )  # fmt: skip
    return {
        "identity": identity,
        "buckets": _buckets(s3, settings, f"{PROBE_FOLDER}{probe}"),
        "lifecycle": observe(lambda: _lifecycle(s3, settings.staging_bucket)),
        "notification": observe(lambda: s3.get_bucket_notification_configuration(Bucket=settings.raw_bucket)),
        "databases": {name: observe(partial(glue.get_database, Name=name)) for name in databases},
        "crawler": observe(lambda: glue.get_crawler(Name=settings.crawler)["Crawler"]),
        "queue": observe(lambda: _queue(client("sqs"), settings.stage_queue)),
        "dead_letters": observe(lambda: _queue(client("sqs"), settings.stage_dead_letter_queue)),
        "stream": observe(lambda: bool(client("kinesis").describe_stream_summary(StreamName=settings.stream))),
    }


def staging_facts(client: Client, settings: Settings) -> dict[str, Any]:
    """Return what S3 and Glue have of staging and its table, for check_trino to compare; nothing when refused."""
    newest = observe(lambda: newest_staged(client("s3"), settings))
    columns = observe(lambda: staging_columns(client("glue"), settings))
    return {
        "newest": newest if isinstance(newest, list) else [],
        "glue_columns": columns if isinstance(columns, list) else [],
    }


def _buckets(s3: Any, settings: Settings, key: str) -> dict[str, dict[str, Any]]:
    prefixes = {
        "raw": "raw/",
        "staging": settings.staging_prefix,
        "lake": PROBE_FOLDER,
        "archive": settings.archive_root,
    }
    found: dict[str, dict[str, Any]] = {}
    for name, prefix in prefixes.items():
        bucket = getattr(settings, f"{name}_bucket")
        if bucket:
            found[name] = {"list": observe(partial(_list, s3, bucket, prefix))}
    lake = settings.lake_bucket
    found["lake"]["write"] = observe(lambda: bool(s3.put_object(Bucket=lake, Key=key, Body=b"probe")))
    found["lake"]["read"] = observe(lambda: bool(s3.get_object(Bucket=lake, Key=key)["Body"].read()))
    found["lake"]["delete"] = observe(lambda: bool(s3.delete_object(Bucket=lake, Key=key)))
    return found


def _list(s3: Any, bucket: str, prefix: str) -> bool:
    return bool(s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1))


def _lifecycle(s3: Any, bucket: str) -> list[dict[str, Any]]:
    try:
        rules: list[dict[str, Any]] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchLifecycleConfiguration":
            return []
        raise
    return rules


def _queue(sqs: Any, name: str) -> dict[str, str]:
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    attributes: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return attributes
