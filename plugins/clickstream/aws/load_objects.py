"""The calls to S3 and Glue behind clickstream.load.objects.LoadObjects."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from clickstream.aws import s3 as calls
from clickstream.aws.glue import add_partitions
from clickstream.engine.sql import ARCHIVE_LINES
from clickstream.load import manifest
from clickstream.load.archive import ArchivedObject
from clickstream.load.manifest import Manifest
from clickstream.load.objects import NotReadableError
from clickstream.load.unreadable import MAGIC_BYTES
from clickstream.settings import Settings
from clickstream.staging.keys import StagedObject
from clickstream.window import Window

# Of GET and, as numbers, of HEAD: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html.
_NOT_READABLE = frozenset({"NoSuchKey", "AccessDenied", "InvalidObjectState", "403", "404"})


class AwsLoadObjects:
    """The objects of one installation. `client` returns the boto3 client of a service, such as "s3"."""

    def __init__(self, client: Any, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def staged(self) -> tuple[list[StagedObject], list[str]]:
        return calls.list_staged(self._client("s3"), self._settings)

    def archived(self, windows: Collection[Window]) -> tuple[list[ArchivedObject], list[str]]:
        return calls.list_archive(self._client("s3"), self._settings, windows)

    def first_bytes(self, path: str) -> bytes:
        with bytes_of(path):
            return calls.first_bytes(self._client("s3"), path, MAGIC_BYTES)

    def chunks(self, path: str) -> Iterator[bytes]:
        with bytes_of(path):
            return calls.chunks_of(self._client("s3"), path)

    def keep_copy(self, path: str, key: str) -> str:
        with bytes_of(path):
            return calls.keep_copy(self._client("s3"), path, self._settings.lake_bucket, key)

    def open_folders(self, archived: Iterable[ArchivedObject]) -> int:
        locations = {item.folder: item.location for item in archived}
        return add_partitions(self._client("glue"), self._settings.lines_database, ARCHIVE_LINES, locations)

    def read_manifest(self, run_id: str) -> Manifest | None:
        text = calls.read_text(self._client("s3"), self._settings.lake_bucket, manifest.key(run_id))
        return None if text is None else manifest.from_json(text)

    def write_manifest(self, taken: Manifest) -> str:
        key = manifest.key(taken.run_id)
        return calls.write_text(self._client("s3"), self._settings.lake_bucket, key, taken.to_json())


@contextmanager
def bytes_of(path: str) -> Iterator[None]:
    """Raise NotReadableError where S3 does not let the bytes of an object be read, or written."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _NOT_READABLE or code.startswith("KMS."):
            raise NotReadableError(f"{path}: {code}") from error
        raise
