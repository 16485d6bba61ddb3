"""The few calls to S3."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from clickstream.settings import Settings
from clickstream.staging_keys import StagedObject, staged_at

# https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
DELETE_LIMIT = 1_000


class DeletionError(RuntimeError):
    """S3 refused to delete some objects; the message names the first of them."""


def list_staged(client: Any, settings: Settings) -> tuple[list[StagedObject], list[str]]:
    """What lies in the staging folder: the objects that a load can read, and the keys that are not in the grammar."""
    staged, strays = [], []
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=settings.staging_bucket, Prefix=settings.staging_prefix
    )
    for page in pages:
        for item in page.get("Contents", []):
            name = item["Key"].removeprefix(settings.staging_prefix)
            instant = staged_at(name)
            # Trino reads the folder itself only: in a sub-folder, an object would be loaded as nothing and then expire.
            if instant is None or "/" in name:
                strays.append(item["Key"])
            else:
                path = f"s3://{settings.staging_bucket}/{item['Key']}"
                staged.append(StagedObject(path, item["Size"], instant))
    return staged, strays


def last_landing(client: Any, settings: Settings) -> datetime | None:
    """When the newest object landed in the staging folder, by S3's clock; None when it is empty.

    Its name may tell an earlier time: it has that of its event, which may have waited in the queue.
    """
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=settings.staging_bucket, Prefix=settings.staging_prefix
    )
    return max((item["LastModified"] for page in pages for item in page.get("Contents", [])), default=None)


def delete_staged(client: Any, settings: Settings, objects: Sequence[StagedObject]) -> int:
    """Deletes exactly these objects; gives how many.

    Raises ValueError for a path outside the staging folder, before anything is deleted, and DeletionError when S3
    refuses one.
    """
    foreign = [item.path for item in objects if not item.path.startswith(settings.staging_location)]
    if foreign:
        raise ValueError(f"not in {settings.staging_location}: {foreign[0]}; nothing was deleted")
    keys = [item.path.removeprefix(f"s3://{settings.staging_bucket}/") for item in objects]
    for first in range(0, len(keys), DELETE_LIMIT):
        chunk = keys[first : first + DELETE_LIMIT]
        answer = client.delete_objects(
            Bucket=settings.staging_bucket, Delete={"Objects": [{"Key": key} for key in chunk], "Quiet": True}
        )
        for error in answer.get("Errors", []):
            raise DeletionError(f"{error['Key']}: {error['Code']}: {error['Message']}")
    return len(keys)


def read_text(client: Any, bucket: str, key: str) -> str | None:
    """The text of an object; None when there is none."""
    try:
        body: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except client.exceptions.NoSuchKey:
        return None
    return body.decode()


def write_text(client: Any, bucket: str, key: str, text: str) -> str:
    """Writes an object; gives its s3:// address."""
    client.put_object(Bucket=bucket, Key=key, Body=text.encode())
    return f"s3://{bucket}/{key}"


def first_bytes(client: Any, path: str, count: int = 2) -> bytes:
    """The first bytes of an object at an s3:// address, which must not be empty."""
    bucket, _, key = path.removeprefix("s3://").partition("/")
    body: bytes = client.get_object(Bucket=bucket, Key=key, Range=f"bytes=0-{count - 1}")["Body"].read()
    return body


def keep_copy(client: Any, path: str, bucket: str, key: str) -> str:
    """Copies the object at an s3:// address, of any size; gives the copy's address."""
    source_bucket, _, source_key = path.removeprefix("s3://").partition("/")
    client.copy({"Bucket": source_bucket, "Key": source_key}, bucket, key)
    return f"s3://{bucket}/{key}"
