"""The few calls to S3."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import IO, Any

from botocore.exceptions import ClientError

from clickstream.load.archive import DUMMY, ArchivedObject, arrival_hour, arrivals, days, hour_folder, received_day
from clickstream.settings import Settings
from clickstream.staging.keys import StagedObject, staged_at
from clickstream.staging.reconcile import RAW_PREFIX, RawObject
from clickstream.staging.redrive import redriven_key
from clickstream.window import Window

# https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
DELETE_LIMIT = 1_000


class DeletionError(RuntimeError):
    """S3 refused to delete some objects; the message names the first of them."""


class MoveError(RuntimeError):
    """A copy is not its original, so the original was kept."""


def list_staged(client: Any, settings: Settings) -> tuple[list[StagedObject], list[str]]:
    """Return the contents of the staging folder: objects that a load can read, and keys outside the grammar."""
    staged, strays, _ = look_at_staging(client, settings)
    return staged, strays


def look_at_staging(client: Any, settings: Settings) -> tuple[list[StagedObject], list[str], datetime | None]:
    """Return what list_staged returns, and when the newest object landed there, by S3's clock; None when it is empty.

    Its name may hold an earlier time: that of its event, which may have waited in the queue.
    """
    staged, strays = [], []
    newest: datetime | None = None
    for item in _objects(client, settings.staging_bucket, settings.staging_prefix):
        newest = max(newest or item["LastModified"], item["LastModified"])
        name = item["Key"].removeprefix(settings.staging_prefix)
        instant = staged_at(name)
        # Trino reads the folder itself only: in a sub-folder, an object would be loaded as nothing and then expire.
        if instant is None or "/" in name:
            strays.append(item["Key"])
        else:
            path = f"s3://{settings.staging_bucket}/{item['Key']}"
            staged.append(StagedObject(path, item["Size"], instant))
    return staged, strays, newest


def list_archive(
    client: Any, settings: Settings, windows: Collection[Window]
) -> tuple[list[ArchivedObject], list[str]]:
    """Return what of both layouts may hold messages received in the windows, and keys there that are in neither.

    Only folders of those days and hours are listed, so the cost does not grow with the archive.
    """
    archived, strays = _archived_by_day(client, settings, windows)
    by_hour, more = _archived_by_hour(client, settings, windows)
    return archived + by_hour, strays + more


def has_archive(client: Any, settings: Settings) -> bool:
    """Return whether anything was ever written to the archive, in either layout."""
    roots = (settings.archive_hours_prefix, settings.archive_root)
    return any(next(_objects(client, settings.archive_bucket, root), None) is not None for root in roots)


def _archived_by_day(
    client: Any, settings: Settings, windows: Collection[Window]
) -> tuple[list[ArchivedObject], list[str]]:
    archived: list[ArchivedObject] = []
    strays: list[str] = []
    wanted = days(windows)
    for folder, day in _archive_folders(client, settings):
        if day not in wanted:
            continue
        at, prefix = datetime.combine(day, time(), UTC), f"{settings.archive_root}{folder}/"
        for item in _objects(client, settings.archive_bucket, prefix):
            name = item["Key"].removeprefix(prefix)
            if "/" not in name and name.endswith(".gz"):
                path = f"s3://{settings.archive_bucket}/{item['Key']}"
                archived.append(ArchivedObject(path, item["Size"], at, folder))
            elif name != DUMMY:
                strays.append(item["Key"])
    return archived, strays


def _archived_by_hour(
    client: Any, settings: Settings, windows: Collection[Window]
) -> tuple[list[ArchivedObject], list[str]]:
    """List a span of hours as one: a call for a thousand objects, however many folders these are in."""
    archived: list[ArchivedObject] = []
    strays: list[str] = []
    root = settings.archive_hours_prefix
    for span in arrivals(windows):
        first, end = (f"{root}{hour_folder(at)}" for at in (span.start, span.end))
        for item in _objects(client, settings.archive_bucket, root, first):
            if item["Key"] >= end:
                break
            folder, _, name = item["Key"].removeprefix(root).rpartition("/")
            at = arrival_hour(folder)
            if at is None or not name:
                strays.append(item["Key"])
                continue
            path = f"s3://{settings.archive_bucket}/{item['Key']}"
            archived.append(ArchivedObject(path, item["Size"], at, folder))
    return archived, strays


def _archive_folders(client: Any, settings: Settings) -> Iterator[tuple[str, date]]:
    """Yield its folders, as <source id>/<received day>, each with that day."""
    for source in _folders(client, settings.archive_bucket, settings.archive_root):
        for folder in _folders(client, settings.archive_bucket, source):
            day = received_day(folder.removeprefix(source).removesuffix("/"))
            if day is not None:
                yield folder.removeprefix(settings.archive_root).removesuffix("/"), day


def _folders(client: Any, bucket: str, prefix: str) -> list[str]:
    """Return the folders right below a prefix, each with its slash at the end."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
    return [found["Prefix"] for page in pages for found in page.get("CommonPrefixes", [])]


def _objects(client: Any, bucket: str, prefix: str, after: str = "") -> Iterator[dict[str, Any]]:
    """Yield the objects below a prefix, in the order of their keys; only those of later keys than `after`."""
    start = {"StartAfter": after} if after else {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **start):
        yield from page.get("Contents", [])


def list_raw(client: Any, bucket: str) -> list[RawObject]:
    """Return what Firehose has delivered and is not staged yet."""
    return [
        RawObject(item["Key"], item["Size"], item["ETag"].strip('"'), item["LastModified"])
        for item in _objects(client, bucket, RAW_PREFIX)
    ]


def newest_staged(client: Any, settings: Settings, count: int = 5) -> list[str]:
    """Return the paths of the staged objects that landed last and hold something."""
    staged, _ = list_staged(client, settings)
    full = sorted((item.staged_at, item.path) for item in staged if item.bytes)
    return [path for _, path in full[-count:]]


def delete_staged(client: Any, settings: Settings, objects: Sequence[StagedObject]) -> int:
    """Delete exactly these objects; return how many.

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
    """Return the text of an object; None when there is none."""
    try:
        body: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except client.exceptions.NoSuchKey:
        return None
    return body.decode()


def write_text(client: Any, bucket: str, key: str, text: str) -> str:
    """Write an object; return its s3:// address."""
    client.put_object(Bucket=bucket, Key=key, Body=text.encode())
    return f"s3://{bucket}/{key}"


def first_bytes(client: Any, path: str, count: int) -> bytes:
    """Return the first bytes of an object at an s3:// address, which must not be empty."""
    bucket, _, key = path.removeprefix("s3://").partition("/")
    body: bytes = client.get_object(Bucket=bucket, Key=key, Range=f"bytes=0-{count - 1}")["Body"].read()
    return body


def chunks_of(client: Any, path: str) -> Iterator[bytes]:
    """Yield the bytes of an object at an s3:// address, a megabyte at a time."""
    bucket, _, key = path.removeprefix("s3://").partition("/")
    body = client.get_object(Bucket=bucket, Key=key)["Body"]
    return iter(lambda: bytes(body.read(1 << 20)), b"")


def keep_copy(client: Any, path: str, bucket: str, key: str) -> str:
    """Copy the object at an s3:// address, of any size; return the copy's address."""
    source_bucket, _, source_key = path.removeprefix("s3://").partition("/")
    client.copy({"Bucket": source_bucket, "Key": source_key}, bucket, key)
    return f"s3://{bucket}/{key}"


def list_failed(client: Any, bucket: str, prefix: str, since: datetime | None = None) -> list[tuple[str, datetime]]:
    """Key and time of every object of failed records below a prefix, oldest first.

    `since`: only those that Firehose named after that hour or a later one, so that the cost does not grow with what was
    left there before. A key outside its layout, <kind>/yyyy/MM/dd/HH/<name>, may be listed too.
    """
    listed = _objects(client, bucket, prefix) if since is None else _of_kinds_since(client, bucket, prefix, since)
    found = [(item["Key"], item["LastModified"]) for item in listed]
    return sorted(found, key=lambda item: (item[1], item[0]))


def _of_kinds_since(client: Any, bucket: str, prefix: str, since: datetime) -> Iterator[dict[str, Any]]:
    """Yield a call for the kinds, and one for each: the hours of a kind are in the order of their keys."""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/"):
        yield from page.get("Contents", [])
        for kind in page.get("CommonPrefixes", []):
            after = f"{kind['Prefix']}{since.astimezone(UTC):%Y/%m/%d/%H}"
            yield from _objects(client, bucket, kind["Prefix"], after)


def failed_since(client: Any, bucket: str, prefix: str, since: datetime, most: int) -> list[tuple[str, datetime]]:
    """Return key and time of objects in a prefix's hour folders (yyyy/MM/dd/HH, UTC), from the hour of `since` on.

    The first `most` of them, so that the cost does not grow with what is kept.
    """
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=prefix, StartAfter=f"{prefix}{since:%Y/%m/%d/%H}", PaginationConfig={"MaxItems": most}
    )
    return [(item["Key"], item["LastModified"]) for page in pages for item in page.get("Contents", [])]


def move_failed(client: Any, bucket: str, key: str, etag: str) -> None:
    """Move an object of failed records to where redriven ones are kept, if it still is the one with this ETag.

    Copy, verify, delete. Raises MoveError, and ClientError of S3; the object is then still where it was.
    """
    target = redriven_key(key)
    source = {"Bucket": bucket, "Key": key}
    client.copy_object(Bucket=bucket, Key=target, CopySource=source, CopySourceIfMatch=etag)
    original, copy = client.head_object(**source), client.head_object(Bucket=bucket, Key=target)
    if copy["ContentLength"] != original["ContentLength"]:
        raise MoveError(f"{target} has {copy['ContentLength']} bytes of {original['ContentLength']}")
    client.delete_object(**source, IfMatch=etag)


def list_versions(client: Any, bucket: str, prefix: str, after: str = "") -> Iterator[dict[str, Any]]:
    """Yield every version of the objects below a prefix, in the order of their keys, each key's latest first.

    Only those of later keys than `after`. Without versioning, an object is its one version, `null`.
    """
    start = {"KeyMarker": after} if after else {}
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix, **start):
        yield from page.get("Versions", [])


def chunks_of_version(client: Any, bucket: str, key: str, version_id: str, is_latest: bool) -> Iterator[bytes]:
    """Yield the bytes of a version of an object, a megabyte at a time."""
    body = client.get_object(Bucket=bucket, Key=key, **_version(version_id, is_latest))["Body"]
    return iter(lambda: bytes(body.read(1 << 20)), b"")


# What S3 answers when an object is not there any more, or another one is, as a condition found.
_GONE = frozenset({"NoSuchKey", "404"})

_KEPT = ("ContentType", "ContentEncoding", "CacheControl", "ContentDisposition", "Metadata", "StorageClass")
"""What an object that is written anew keeps of the one before."""


def replace_version(client: Any, bucket: str, key: str, version_id: str, etag: str, body: IO[bytes]) -> bool:
    """Write an object anew, with its metadata, if it still has this ETag; then delete the version that it had.

    False when the object is gone. Raises ClientError, also when it was written meanwhile: a retry reads it again.
    """
    try:
        found = client.head_object(Bucket=bucket, Key=key)
        kept = {name: found[name] for name in _KEPT if found.get(name)}
        written = client.put_object(Bucket=bucket, Key=key, Body=body, IfMatch=etag, **kept)
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            return False
        raise
    # Without versioning nothing is left of the one before, and its id is that of the new one.
    if written.get("VersionId", "null") != version_id:
        delete_version(client, bucket, key, version_id)
    return True


def delete_version(client: Any, bucket: str, key: str, version_id: str) -> None:
    """Delete one version of an object for good."""
    client.delete_object(Bucket=bucket, Key=key, VersionId=version_id)


def delete_object(client: Any, bucket: str, key: str) -> None:
    """Delete an object, if there is one."""
    client.delete_object(Bucket=bucket, Key=key)


def _version(version_id: str, is_latest: bool) -> dict[str, str]:
    """Return the argument that names a version; none where there is no versioning, which would need another right.

    An older `null` is of a time before versioning: without its id, S3 would answer with the latest version.
    """
    return {} if version_id == "null" and is_latest else {"VersionId": version_id}
