"""The folders of objects in which a person's messages lie as they were sent, and what was done to each."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import IO, Protocol

from clickstream.settings import Settings
from clickstream.staging.reconcile import RAW_PREFIX
from clickstream.staging.redrive import FAILED_PREFIX, REFUSED_PREFIX, redriven_key
from clickstream.status.look import KEY as STATUS_KEY

QUARANTINE_PREFIX = "quarantine/"
ARCHIVE_FAILED_PREFIX = "archive-failed/"
"""Where Firehose keeps what it could not write to the archive, with ArchiveBy=Firehose: see lambdas/template.yaml."""


@dataclass(frozen=True)
class Place:
    """A folder of objects. `is_failed`: its lines hold records in base64."""

    name: str
    bucket: str
    prefix: str
    is_failed: bool = False


def places(settings: Settings) -> list[Place]:
    """Return the folders, in the order in which objects move on: what moves meanwhile is met where it comes to."""
    of_raw = [Place(RAW_PREFIX, settings.raw_bucket, RAW_PREFIX)] + [
        Place(one, settings.raw_bucket, one, is_failed=True)
        for prefix in (FAILED_PREFIX, REFUSED_PREFIX)
        for one in (prefix, redriven_key(prefix))
    ]
    of_archive = [
        Place(settings.archive_root, settings.archive_bucket, settings.archive_root),
        Place(settings.archive_hours_prefix, settings.archive_bucket, settings.archive_hours_prefix),
        Place(ARCHIVE_FAILED_PREFIX, settings.archive_bucket, ARCHIVE_FAILED_PREFIX, is_failed=True),
    ]
    return [
        *(of_raw if settings.raw_bucket else []),
        Place(settings.staging_prefix, settings.staging_bucket, settings.staging_prefix),
        *(of_archive if settings.archive_bucket else []),
        Place(QUARANTINE_PREFIX, settings.lake_bucket, QUARANTINE_PREFIX),
    ]


def status_place(settings: Settings) -> Place:
    """Return the folder of the status page's document, which is deleted and not gone through by lines."""
    return Place(STATUS_KEY, settings.lake_bucket, STATUS_KEY)


@dataclass(frozen=True)
class Version:
    """One version of an object, the latest or an older one that versioning has kept."""

    key: str
    version_id: str
    is_latest: bool
    etag: str


class EraseObjects(Protocol):
    """What an erasure needs of S3: clickstream.aws.erase_objects has the calls."""

    def versions(self, place: Place, after: str) -> Iterator[Version]:
        """Yield all versions of the objects of a folder, in the order of their keys; those after a key."""

    def opened(self, place: Place, version: Version) -> AbstractContextManager[IO[bytes]]:
        """Open the bytes of a version. Raises NotReadableError."""

    def replace(self, place: Place, version: Version, body: IO[bytes]) -> bool:
        """Write an object anew, if it still is this version, and let the version go; False when it is gone.

        Raises NotReadableError where S3 refuses.
        """

    def delete(self, place: Place, version: Version) -> None:
        """Delete an older version. Raises NotReadableError where S3 refuses."""

    def read_text(self, key: str) -> str | None:
        """Return the text of an object of the lake bucket; None when there is none."""

    def write_text(self, key: str, text: str) -> str:
        """Write an object of the lake bucket; return its address."""

    def delete_text(self, key: str) -> None:
        """Delete an object of the lake bucket."""


@dataclass
class Counts:
    """What was done in one place: a folder or a table. `unreadable_keys`: the first few of them."""

    found: int = 0
    removed: int = 0
    left_over: int = 0
    mentions: int = 0
    objects_rewritten: int = 0
    versions_deleted: int = 0
    unreadable: int = 0
    old_states: int = 0
    gone_by_text: str | None = None
    unreadable_keys: list[str] = field(default_factory=list)

    def there_are(self, more: int) -> None:
        """Note how much there is now, beside what was taken away before. A retry notes the same again."""
        self.found = max(self.found, self.removed + more)

    def cannot_read(self, key: str, count: int = 1) -> None:
        """Note that something of an object cannot be read."""
        self.unreadable += count
        if len(self.unreadable_keys) < 20 and key not in self.unreadable_keys:
            self.unreadable_keys.append(key)
