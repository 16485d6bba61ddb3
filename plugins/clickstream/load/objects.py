"""What a load needs of S3 and Glue, as its steps call it: clickstream.aws.load_objects has the calls."""

from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

from clickstream.load.archive import ArchivedObject
from clickstream.load.manifest import Manifest
from clickstream.staging.keys import StagedObject
from clickstream.window import Window


class NotReadableError(Exception):
    """S3 does not return the bytes of an object: it is gone, forbidden, or its key of KMS is."""


class LoadObjects(Protocol):
    """The objects that loads read, and the manifests that say which.

    What reads the bytes of one object raises NotReadableError.
    """

    def staged(self) -> tuple[list[StagedObject], list[str]]:
        """Return the objects of the staging folder, and the keys that are not in its grammar."""

    def archived(self, windows: Collection[Window]) -> tuple[list[ArchivedObject], list[str]]:
        """Return the objects of the archive that may hold messages received in the windows, and keys of no layout."""

    def first_bytes(self, path: str) -> bytes:
        """Return the first MAGIC_BYTES bytes of an object that is not empty, or all of fewer."""

    def chunks(self, path: str) -> Iterator[bytes]:
        """Return the bytes of an object, some at a time."""

    def keep_copy(self, path: str, key: str) -> str:
        """Copy an object to this key of the lake bucket; return the copy's address."""

    def open_folders(self, archived: Iterable[ArchivedObject]) -> int:
        """Make the objects' folders partitions of the table over the archive; return how many were none."""

    def read_manifest(self, run_id: str) -> Manifest | None:
        """Return the manifest of a run; None when it has none."""

    def write_manifest(self, taken: Manifest) -> str:
        """Keep a manifest for the tasks after this one; return its address."""
