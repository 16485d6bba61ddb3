"""Which objects one run of load_events reads: an explicit list, decided once and kept for its retries."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from clickstream.load.archive import ArchivedObject
from clickstream.staging.keys import StagedObject
from clickstream.window import NO_TIME, Bounds, Window, covering

MOST_WINDOWS = 200
"""Windows that one statement names."""


@dataclass(frozen=True)
class Manifest:
    """The objects of one run, oldest first, and how they are loaded.

    `left_behind` counts those left to the next run. Of archived objects, which hold whole days, only messages
    received in `received` are loaded. `rebuild`: rows that are there are updated. `dry_run`: nothing is written.
    `batch`: when the messages that were read from them were received; None before they are unpacked. `hours`: in which
    hours, where these are more than one statement can write. `tables_failed`: the reason of each event's table that
    could not be filled. `failing`: the reason of each line with which unpacking fails, by its digest in hexadecimal.
    `idle`: the tables for which the batch has nothing. `expired`: when those were staged that have expired since they
    were taken: an earlier try may have loaded them, and the run's report is about them too.
    """

    run_id: str
    objects: tuple[StagedObject, ...]
    left_behind: int = 0
    received: tuple[Window, ...] = ()
    rebuild: bool = False
    dry_run: bool = False
    batch: Bounds | None = None
    hours: tuple[datetime, ...] = ()
    tables_failed: Mapping[str, str] = field(default_factory=dict)
    failing: Mapping[str, str] = field(default_factory=dict)
    idle: tuple[str, ...] = ()
    expired: Bounds = NO_TIME

    @property
    def paths(self) -> list[str]:
        """The s3:// address of each object."""
        return [item.path for item in self.objects]

    @property
    def bytes(self) -> list[int]:
        """The size of each object, in the order of `paths`."""
        return [item.bytes for item in self.objects]

    @property
    def objects_json(self) -> str:
        """Path, bytes and time staged of each object, as JSON text."""
        return json.dumps([_to_list(item)[:3] for item in self.objects], ensure_ascii=False)

    @property
    def failing_json(self) -> str:
        """The failing lines as JSON text."""
        return json.dumps(dict(self.failing))

    @property
    def staged(self) -> list[StagedObject]:
        """Those in the staging folder."""
        return [item for item in self.objects if not isinstance(item, ArchivedObject)]

    @property
    def archived(self) -> list[ArchivedObject]:
        """Those in the archive."""
        return [item for item in self.objects if isinstance(item, ArchivedObject)]

    @property
    def folders(self) -> list[str]:
        """The archive folders of the archived objects."""
        return sorted({item.folder for item in self.archived})

    def only(self, wanted: Callable[[StagedObject], bool]) -> "Manifest":
        """Return the manifest without the other objects."""
        return replace(self, objects=tuple(item for item in self.objects if wanted(item)))

    def still_there(self, staged: Iterable[StagedObject]) -> "Manifest":
        """Return the manifest without objects that have expired from staging since."""
        present = frozenset(item.path for item in staged)
        return self.without_expired({item.path for item in self.staged if item.path not in present})

    def without_expired(self, paths: Collection[str]) -> "Manifest":
        """Return the manifest without these objects, which have expired; when they were staged stays in it."""
        times = [item.staged_at for item in self.objects if item.path in paths]
        return replace(self.without(paths), expired=self.expired | Bounds.of(times))

    def without(self, paths: Collection[str]) -> "Manifest":
        """Return the manifest without these objects."""
        return self.only(lambda item: item.path not in paths)

    def gone(self, folder: str, paths: Iterable[str]) -> list[StagedObject]:
        """Return the objects in `folder`, an address that ends with a slash, whose path is not in `paths`."""
        present = frozenset(paths)
        return [item for item in self.objects if item.path.startswith(folder) and item.path not in present]

    def to_json(self) -> str:
        """Return the manifest as JSON text, for from_json."""
        stored = {
            "run_id": self.run_id,
            "left_behind": self.left_behind,
            "received": [[window.start.isoformat(), window.end.isoformat()] for window in self.received],
            "rebuild": self.rebuild,
            "dry_run": self.dry_run,
            "batch": self.batch and _to_pair(self.batch),
            "hours": [hour.isoformat() for hour in self.hours],
            "tables_failed": dict(self.tables_failed),
            "failing": dict(self.failing),
            "idle": list(self.idle),
            "expired": _to_pair(self.expired),
            "objects": [_to_list(item) for item in self.objects],
        }
        return json.dumps(stored, indent=0)


def from_json(text: str) -> Manifest:
    """Return the manifest that to_json wrote, also before there were archives."""
    stored = json.loads(text)
    run_id, batch = stored["run_id"], stored.get("batch")
    return Manifest(
        run_id,
        tuple(_from_list(*item) for item in stored["objects"]),
        stored["left_behind"],
        tuple(Window(*map(datetime.fromisoformat, pair)) for pair in stored.get("received", [])),
        # "rederive": a run that an earlier version began.
        stored.get("rebuild", stored.get("rederive", False)),
        stored.get("dry_run", False),
        batch and _from_pair(batch),
        tuple(map(datetime.fromisoformat, stored.get("hours", []))),
        stored.get("tables_failed", {}),
        stored.get("failing", {}),
        tuple(stored.get("idle", [])),
        _from_pair(stored.get("expired") or (None, None)),
    )


def key(run_id: str) -> str:
    """Return the S3 key of a run's manifest: a digest, so that any run id makes a plain key."""
    return f"manifests/load_events/{hashlib.sha256(run_id.encode()).hexdigest()}.json"


def take_unloaded(
    run_id: str, staged: Iterable[StagedObject], loaded_paths: frozenset[str], max_objects: int
) -> Manifest:
    """Return all that is staged and not yet loaded, whenever it was staged, at most `max_objects` of it."""
    wanted = sorted((item for item in staged if item.path not in loaded_paths), key=_age)
    return Manifest(run_id, tuple(wanted[:max_objects]), max(0, len(wanted) - max_objects))


def take_windows(
    run_id: str,
    staged: Iterable[StagedObject],
    staging: Iterable[Window],
    archived: Iterable[ArchivedObject],
    received: Iterable[Window],
) -> Manifest:
    """Return all that was staged in the `staging` windows, loaded or not, and the archived objects.

    Of archived objects, messages `received` in those windows count; in all of the time between when the windows are
    more than MOST_WINDOWS.

    What is then read from both is loaded once.
    """
    windows, received = tuple(staging), tuple(received)
    if len(received) > MOST_WINDOWS:
        received = (covering(received),)
    chosen = [item for item in staged if any(window.holds(item.staged_at) for window in windows)]
    objects: list[StagedObject] = [*chosen, *(archived if received else ())]
    return Manifest(run_id, tuple(sorted(objects, key=_age)), received=received)


def _age(item: StagedObject) -> tuple[datetime, str]:
    return item.staged_at, item.path


def _to_pair(bounds: Bounds) -> list[str | None]:
    return [at.isoformat() if at else None for at in (bounds.earliest, bounds.latest)]


def _from_pair(pair: Iterable[str | None]) -> Bounds:
    earliest, latest = (datetime.fromisoformat(at) if at else None for at in pair)
    return Bounds(earliest, latest)


def _to_list(item: StagedObject) -> list[Any]:
    folder = [item.folder] if isinstance(item, ArchivedObject) else []
    return [item.path, item.bytes, item.staged_at.isoformat(), *folder]


def _from_list(path: str, size: int, instant: str, folder: str | None = None) -> StagedObject:
    at = datetime.fromisoformat(instant)
    return StagedObject(path, size, at) if folder is None else ArchivedObject(path, size, at, folder)
