"""Which staged objects one run of load_events reads: an explicit list, decided once and kept for its retries."""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from clickstream.staging_keys import StagedObject


@dataclass(frozen=True)
class Window:
    """A half-open span of staging time, UTC: start <= staged_at < end."""

    start: datetime
    end: datetime

    def holds(self, instant: datetime) -> bool:
        """Whether an instant lies in it."""
        return self.start <= instant < self.end


@dataclass(frozen=True)
class Manifest:
    """The staged objects of one run, oldest first. `left_behind` counts those that the next run takes."""

    run_id: str
    objects: tuple[StagedObject, ...]
    left_behind: int = 0

    @property
    def paths(self) -> list[str]:
        """The s3:// address of each object."""
        return [item.path for item in self.objects]

    @property
    def bytes(self) -> list[int]:
        """The size of each object, in the order of `paths`."""
        return [item.bytes for item in self.objects]

    def only(self, paths: Iterable[str]) -> "Manifest":
        """The manifest without objects whose path is not in `paths`."""
        present = frozenset(paths)
        return Manifest(self.run_id, tuple(item for item in self.objects if item.path in present), self.left_behind)

    def without(self, paths: Collection[str]) -> "Manifest":
        """The manifest without these objects."""
        return self.only(item.path for item in self.objects if item.path not in paths)

    def gone(self, folder: str, paths: Iterable[str]) -> list[StagedObject]:
        """The objects in `folder`, an address that ends with a slash, whose path is not in `paths`."""
        present = frozenset(paths)
        return [item for item in self.objects if item.path.startswith(folder) and item.path not in present]

    def to_json(self) -> str:
        """As JSON text, for from_json."""
        objects = [[item.path, item.bytes, item.staged_at.isoformat()] for item in self.objects]
        return json.dumps({"run_id": self.run_id, "left_behind": self.left_behind, "objects": objects}, indent=0)


def from_json(text: str) -> Manifest:
    """The manifest that to_json wrote."""
    stored = json.loads(text)
    objects = (StagedObject(path, size, datetime.fromisoformat(instant)) for path, size, instant in stored["objects"])
    return Manifest(stored["run_id"], tuple(objects), stored["left_behind"])


def key(run_id: str) -> str:
    """The S3 key of a run's manifest: a digest, so that any run id gives a plain key."""
    return f"manifests/load_events/{hashlib.sha256(run_id.encode()).hexdigest()}.json"


def take(
    run_id: str,
    staged: Iterable[StagedObject],
    loaded_paths: frozenset[str],
    window: Window | None,
    max_objects: int,
) -> Manifest:
    """The manifest of a new run.

    Without a window (a scheduled or a manual run): all that is staged and not yet loaded, whenever it was staged, at
    most `max_objects` of it. With one (a backfill): all that was staged in it, loaded or not.
    """
    if window is None:
        wanted = sorted((item for item in staged if item.path not in loaded_paths), key=_age)
        return Manifest(run_id, tuple(wanted[:max_objects]), max(0, len(wanted) - max_objects))
    return Manifest(run_id, tuple(sorted((item for item in staged if window.holds(item.staged_at)), key=_age)))


def _age(item: StagedObject) -> tuple[datetime, str]:
    return item.staged_at, item.path
