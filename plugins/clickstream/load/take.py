"""Which objects one run of load_events reads."""

import logging
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from clickstream.engine.evolution import Run
from clickstream.load import manifest
from clickstream.load.archive import ArchivedObject, divide, hours_wanted
from clickstream.load.manifest import Manifest
from clickstream.load.objects import LoadObjects
from clickstream.load.request import LoadRequest
from clickstream.settings import Settings
from clickstream.staging.keys import StagedObject
from clickstream.window import Window

logger = logging.getLogger(__name__)


class TakeError(RuntimeError):
    """The request cannot be loaded; the message says what to do. A retry would fail the same way."""


def loaded_paths(run: Run, staged: Collection[StagedObject]) -> frozenset[str]:
    """Return which of the staged objects a run has loaded or set aside, among other paths."""
    return frozenset(_loaded(run, staged))


def kept_paths(run: Run, staged: Collection[StagedObject]) -> frozenset[str]:
    """Return the same without those set aside of which no copy is kept: they must not expire."""
    return frozenset(path for path, is_kept in _loaded(run, staged).items() if is_kept)


def _loaded(run: Run, staged: Collection[StagedObject]) -> dict[str, bool]:
    if not staged:
        return {}
    oldest = min(item.staged_at for item in staged)
    found = run("lake/load_ledger/loaded_paths.sql", staged_since=oldest).rows
    return {row["source_path"]: row["is_kept"] for row in found}


def take(
    run: Run, objects: LoadObjects, run_id: str, request: LoadRequest, settings: Settings, now: datetime
) -> Manifest:
    """Return the list of the objects that a new run reads; it may be empty. Raises TakeError."""
    staged = list_staged(objects)
    if request.window is None:
        taken = manifest.take_unloaded(run_id, staged, loaded_paths(run, staged), settings.load_max_objects)
    else:
        taken = _take_window(objects, run_id, request, request.window, staged, settings, now)
    return replace(taken, rebuild=request.rebuild, dry_run=request.dry_run)


def list_staged(objects: LoadObjects) -> list[StagedObject]:
    """Return the staged objects; warn of keys that are none."""
    staged, strays = objects.staged()
    if strays:
        logger.warning("%d keys are not staged objects and are not loaded, first %s", len(strays), strays[0])
    return staged


def _take_window(
    objects: LoadObjects,
    run_id: str,
    request: LoadRequest,
    window: Window,
    staged: list[StagedObject],
    settings: Settings,
    now: datetime,
) -> Manifest:
    kept_since = now - timedelta(hours=settings.staging_retention_hours)
    wanted = hours_wanted(request.source, window, staged, kept_since, bool(settings.archive_bucket))
    archived = _list_archive(objects, wanted, settings)
    staging, received = divide(window, wanted, archived)
    if request.source == "archive":
        staging = ()
    for name, windows in (("staging, by time staged", staging), ("the archive, by time received", received)):
        for part in windows:
            logger.info("%s from %s", part, name)
    taken = manifest.take_windows(run_id, staged, staging, archived, received)
    if len(taken.objects) > settings.backfill_max_objects:
        raise TakeError(
            f"{len(taken.objects)} objects, at most {settings.backfill_max_objects} in one run "
            "(CLICKSTREAM_LOAD_MAX_OBJECTS): load a shorter range at a time"
        )
    return taken


def _list_archive(objects: LoadObjects, wanted: Collection[Window], settings: Settings) -> list[ArchivedObject]:
    if not wanted:
        return []
    if not settings.archive_bucket:
        raise TakeError("source is archive, but CLICKSTREAM_ARCHIVE_BUCKET is not set")
    archived, strays = objects.archived(wanted)
    if strays:
        logger.warning("%d keys of the archive are in neither of its layouts, first %s", len(strays), strays[0])
    return archived
