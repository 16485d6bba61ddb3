"""The calls to S3 behind clickstream.erase.places.EraseObjects."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from clickstream.aws import s3 as calls
from clickstream.aws.load_objects import bytes_of
from clickstream.erase.places import Place, Version
from clickstream.settings import Settings

_IN_MEMORY = 16 * 2**20


class AwsEraseObjects:
    """The objects of one installation. `client` returns the boto3 client of a service, such as "s3"."""

    def __init__(self, client: Any, settings: Settings) -> None:
        self._s3 = client("s3")
        self._settings = settings

    def versions(self, place: Place, after: str) -> Iterator[Version]:
        for found in calls.list_versions(self._s3, place.bucket, place.prefix, after):
            yield Version(found["Key"], found["VersionId"], found["IsLatest"], found["ETag"])

    @contextmanager
    def opened(self, place: Place, version: Version) -> Iterator[IO[bytes]]:
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
            with bytes_of(f"s3://{place.bucket}/{version.key}"):
                for chunk in calls.chunks_of_version(
                    self._s3, place.bucket, version.key, version.version_id, version.is_latest
                ):
                    body.write(chunk)
            body.seek(0)
            yield body

    def replace(self, place: Place, version: Version, body: IO[bytes]) -> bool:
        with bytes_of(f"s3://{place.bucket}/{version.key}"):
            return calls.replace_version(self._s3, place.bucket, version.key, version.version_id, version.etag, body)

    def delete(self, place: Place, version: Version) -> None:
        with bytes_of(f"s3://{place.bucket}/{version.key}"):
            calls.delete_version(self._s3, place.bucket, version.key, version.version_id)

    def read_text(self, key: str) -> str | None:
        return calls.read_text(self._s3, self._settings.lake_bucket, key)

    def write_text(self, key: str, text: str) -> str:
        return calls.write_text(self._s3, self._settings.lake_bucket, key, text)

    def delete_text(self, key: str) -> None:
        calls.delete_object(self._s3, self._settings.lake_bucket, key)
