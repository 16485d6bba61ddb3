"""Move one S3 object so that a crash at any point loses nothing and a retry ends in the same state.

Copy, verify, delete, in this order; the target keys are functions of the event. So the source goes away only when each
target is whole, and a repeated move either copies the same bytes again or finds the work done.
"""

from typing import Any, Literal

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from clickstream_stream.notifications import Notification

Outcome = Literal["moved", "already_moved", "gone"]

_MIB = 1024 * 1024
# One CopyObject below 1 GiB (Firehose buffers at most 128 MiB), which keeps the ETag comparable; parts of 128 MiB
# above it. The transfer manager makes the parts larger where 10,000 of them would not do.
COPY_CONFIG = TransferConfig(multipart_threshold=1024 * _MIB, multipart_chunksize=128 * _MIB, max_concurrency=10)


class CopyIncompleteError(Exception):
    """The target is not the source, so the source was not deleted."""


class SourceUnreadableError(Exception):
    """S3 answered 403 for the source and the target is not there either."""


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _head(s3: Any, bucket: str, key: str, version_id: str | None = None) -> dict[str, Any] | None:
    """Return the object's headers, or None if there is no such object."""
    version = {"VersionId": version_id} if version_id else {}
    try:
        return dict(s3.head_object(Bucket=bucket, Key=key, **version))
    except ClientError as error:
        if _status(error) == 404:
            return None
        raise


def _etag_is_md5(head: dict[str, Any]) -> bool:
    """Return an ETag says something about the bytes only for single uploads without KMS or customer keys.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
    """
    plain = head.get("ServerSideEncryption") in (None, "AES256") and "SSECustomerAlgorithm" not in head
    return plain and "-" not in head["ETag"]


def _verify(source: dict[str, Any], target: dict[str, Any] | None, key: str) -> None:
    if target is None:
        raise CopyIncompleteError(f"{key} is not there after the copy")
    if target["ContentLength"] != source["ContentLength"]:
        raise CopyIncompleteError(f"{key} has {target['ContentLength']} bytes of {source['ContentLength']}")
    if _etag_is_md5(source) and _etag_is_md5(target) and source["ETag"] != target["ETag"]:
        raise CopyIncompleteError(f"{key} has another ETag than its source")


def _delete(s3: Any, notification: Notification, etag: str) -> None:
    """Delete the bytes that were copied and no others: by version, else only if the object is still the same one."""
    place = {"Bucket": notification.bucket, "Key": notification.key}
    try:
        if notification.version_id:
            s3.delete_object(**place, VersionId=notification.version_id)
        else:
            s3.delete_object(**place, IfMatch=etag)
    except ClientError as error:
        if _status(error) != 404:  # someone else deleted it between the copy and now
            raise


def _source_head(s3: Any, source: Notification, bucket: str, key: str) -> dict[str, Any] | Outcome:
    """Return the source's headers, or the outcome if there is nothing left to move.

    Without s3:ListBucket, S3 answers 403 for a missing key (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html),
    so a 403 means "done" only when the target is there.
    """
    try:
        head = _head(s3, source.bucket, source.key, source.version_id)
    except ClientError as error:
        if _status(error) != 403:
            raise
        if _head(s3, bucket, key) is None:
            raise SourceUnreadableError(f"access denied to {source.key}, and {key} is not there") from error
        return "already_moved"
    if head is not None:
        return head
    return "gone" if _head(s3, bucket, key) is None else "already_moved"


def move(s3: Any, source: Notification, bucket: str, key: str, archive: tuple[str, str] | None = None) -> Outcome:
    """Move the event's object to `bucket`/`key`, after a copy to the bucket and key `archive`, if one is wanted.

    `already_moved`: the source is gone and the target is there. `gone`: neither is there, someone else took it.
    Raises ClientError, CopyIncompleteError or SourceUnreadableError; the source is then still there.
    """
    head = _source_head(s3, source, bucket, key)
    if isinstance(head, str):
        return head
    # The archive first: what a load may see can be loaded again.
    for place in filter(None, (archive, (bucket, key))):
        _copy(s3, source, head, *place)
    _delete(s3, source, head["ETag"])
    return "moved"


def _copy(s3: Any, source: Notification, head: dict[str, Any], bucket: str, key: str) -> None:
    version = {"VersionId": source.version_id} if source.version_id else {}
    s3.copy(
        {"Bucket": source.bucket, "Key": source.key, **version},
        bucket,
        key,
        ExtraArgs={"CopySourceIfMatch": head["ETag"]},
        Config=COPY_CONFIG,
    )
    _verify(head, _head(s3, bucket, key), key)
