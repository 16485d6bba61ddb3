"""Read the objects of a load into its batch table, and set aside those that cannot be read."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from trino.exceptions import TrinoQueryError

from clickstream.engine.among import Among
from clickstream.engine.evolution import Run, create_lines
from clickstream.engine.failures import MOST_LEFT_OUT, describe, failure_of, find_failing, may_be_of_data
from clickstream.engine.sql import ARCHIVE_LINES
from clickstream.load.manifest import Manifest
from clickstream.load.objects import LoadObjects, NotReadableError
from clickstream.load.parts import object_parts, with_received
from clickstream.load.take import loaded_paths
from clickstream.load.unreadable import (
    MOST_ASIDE,
    READ_ERRORS,
    Unreadable,
    copy_key,
    damage_of,
    find_culprit,
    holds_nothing,
    misnaming_of,
)
from clickstream.settings import Settings
from clickstream.staging.keys import StagedObject

logger = logging.getLogger(__name__)


class TooManySetAsideError(RuntimeError):
    """A try has set aside as many objects as it may; the message says what to look at."""


@dataclass(frozen=True)
class Unpacked:
    """The manifest of what was read, which knows when its messages were received; the paths that were set aside."""

    manifest: Manifest
    aside: list[str]


def unpack(run: Run, objects: LoadObjects, taken: Manifest, values: Mapping[str, Any], settings: Settings) -> Unpacked:
    """Read the objects into the batch table; set aside what cannot be read, and go on.

    Lines with which unpacking fails are in the batch as rejected ones; see clickstream.engine.failures.
    An object set aside is copied to quarantine/ in the lake bucket, unless S3 refuses, written to the table
    `quarantine` (neither in a dry run) and taken off the manifest, so that the steps after this one know nothing of it.
    So is one that expires meanwhile, having been loaded before. Folders of the archive are first made partitions of the
    table over it. The manifest that is returned has been written; it may have no objects.
    """
    return _Unpacking(run, objects, taken, values, settings).unpack()


class _Unpacking:
    """One try: `taken` and `aside` change as objects are set aside."""

    def __init__(
        self, run: Run, objects: LoadObjects, taken: Manifest, values: Mapping[str, Any], settings: Settings
    ) -> None:
        self._run = run
        self._objects = objects
        self._taken = taken
        self._values = values
        self._settings = settings
        self._aside: list[str] = []
        self._with_failing_lines: list[str] = []

    def unpack(self) -> Unpacked:
        self._open_archive()
        self._set_misnamed_aside()
        while self._taken.objects:
            failure = self._read()
            if self._take_off_expired():
                continue
            if failure is None:
                self._keep(self._as_read())
                break
            culprit, reason = self._culprit(failure)
            if len(self._aside) + len(self._with_failing_lines) >= MOST_ASIDE:
                raise TooManySetAsideError(
                    f"{len(self._aside)} objects were set aside, {len(self._with_failing_lines)} have lines that were, "
                    f"and {culprit.path} would be the next ({reason}). Look at the tables quarantine and rejects; if "
                    "they are damaged, clear this task: each try sets some aside"
                )
            if not self._set_lines_aside(culprit, failure):
                self._set_aside(culprit, reason)
        return Unpacked(self._taken, self._aside)

    def _open_archive(self) -> None:
        if not self._taken.archived:
            return
        create_lines(self._run, ARCHIVE_LINES, self._settings)
        added = self._objects.open_folders(self._taken.archived)
        logger.info("%d folders of the archive, %d read for the first time", len(self._taken.folders), added)

    def _set_misnamed_aside(self) -> None:
        for item in self._taken.objects:
            # Damage under the usual name is found when Trino meets it: that saves a call for each object.
            may_be = item.bytes and not item.path.endswith(".gz")
            if may_be and (reason := misnaming_of(item.path, self._first_bytes(item))):
                self._set_aside(item, reason)

    def _first_bytes(self, item: StagedObject) -> bytes:
        try:
            return self._objects.first_bytes(item.path)
        except NotReadableError:
            return b""

    def _read(self) -> TrinoQueryError | None:
        try:
            for number, part in enumerate(object_parts(self._taken)):
                self._run(f"work/batch/{'add' if number else 'load'}.sql", **self._values, manifest=part)
            for part in object_parts(self._taken) if self._taken.failing else ():
                self._run("work/batch/add_set_aside.sql", **self._values, manifest=part)
        except TrinoQueryError as error:
            return error
        return None

    def _as_read(self) -> Manifest:
        """Return the manifest with when its messages were received, and 0 bytes for objects of compressed nothing."""
        taken, objects_read = with_received(self._run, self._taken, self._values["run_id"])
        if objects_read >= len(taken.objects):
            return taken
        read = {row["source_path"] for row in self._run("work/batch/paths.sql", **self._values).rows}
        empty = {item.path for item in taken.staged if item.path not in read and self._holds_nothing(item)}
        return replace(
            taken, objects=tuple(replace(item, bytes=0) if item.path in empty else item for item in taken.objects)
        )

    def _holds_nothing(self, item: StagedObject) -> bool:
        try:
            return holds_nothing(item.path, self._objects.chunks(item.path))
        except NotReadableError:
            return False

    def _take_off_expired(self) -> bool:
        """Take off the manifest what expired meanwhile: it was loaded before, but read now it would count as empty.

        What is gone and was never loaded stays on it, and the report will say that it has content and no lines.
        """
        staged, _ = self._objects.staged()
        gone = self._taken.gone(self._settings.staging_location, (item.path for item in staged))
        if not gone:
            return False
        expired = {item.path for item in gone} & loaded_paths(self._run, gone)
        logger.warning("%d of %d objects expired while they were read", len(expired), len(gone))
        self._keep(self._taken.without_expired(expired))
        return bool(expired)

    def _culprit(self, error: TrinoQueryError) -> tuple[StagedObject, str]:
        """Return the object that is the reason of the error, and what is wrong with it. Raises the error if none is.

        Of a read error, the object in which we find damage ourselves, or that alone cannot be read, twice, while
        another can: an outage is of all. Of another error, the object with which the statement fails again, and without
        any it does not.
        """
        if error.error_name in READ_ERRORS:
            can_read = self._trial("read")
            found = find_culprit(str(error.message), self._taken.objects, can_read)
            if found:
                damage = self._damage_of(found)
                if damage or self._is_refused_alone(found, can_read):
                    return found, damage or describe(error)
        elif may_be_of_data(str(error.error_name), str(error.error_type)):
            can_take = self._trial("load")
            found = find_culprit("", self._taken.objects, can_take)
            nothing = StagedObject(f"{self._settings.staging_location}no-such-object", 0, self._values["now"])
            if found and can_take([nothing]):
                return found, describe(error)
        raise error

    def _damage_of(self, item: StagedObject) -> str:
        try:
            return damage_of(item.path, self._objects.chunks(item.path))
        except NotReadableError:
            return ""

    def _is_refused_alone(self, item: StagedObject, can_read: Callable[[Sequence[StagedObject]], bool]) -> bool:
        others = [other for other in self._taken.objects if other != item]
        # As many as can be set aside, and one.
        return any(can_read([other]) for other in others[: MOST_ASIDE + 1]) and not can_read([item])

    def _trial(self, file: str) -> Callable[[Sequence[StagedObject]], bool]:
        """Return what says of some objects whether that file of work/batch runs with them."""

        def can_run(some: Sequence[StagedObject]) -> bool:
            try:
                for part in object_parts(replace(self._taken, objects=tuple(some))):
                    self._run(f"work/batch/{file}.sql", **self._values, manifest=part)
            except TrinoQueryError as failure:
                is_expected = (
                    failure.error_name in READ_ERRORS
                    if file == "read"
                    else may_be_of_data(str(failure.error_name), str(failure.error_type))
                )
                if not is_expected:
                    raise
                return False
            return True

        return can_run

    def _set_lines_aside(self, item: StagedObject, error: TrinoQueryError) -> bool:
        """Find the lines of the object with which unpacking fails, and note them; False if they are not a few of it."""
        if error.error_name in READ_ERRORS:
            return False
        one = replace(self._taken, objects=(item,))

        def attempt(among: Among) -> TrinoQueryError | None:
            return failure_of(lambda: self._run("work/batch/load.sql", **self._values, manifest=one, among=among))

        def cut(among: Among) -> Among | None:
            return among.cut(**self._run("work/batch/line_span.sql", manifest=one, among=among).rows[0])

        try:
            found = find_failing(attempt, cut, Among("unpack"), error)
        except TrinoQueryError as failure:
            if failure is not error:
                raise
            return False
        if len(found) > MOST_LEFT_OUT:
            return False
        failing = dict(self._taken.failing)
        for line in found:
            reason = describe(line.error)
            for row in self._run("work/batch/line_digests.sql", manifest=one, among=line.among).rows:
                failing[row["line_digest"]] = reason
            logger.error("a line of %s is set aside as load_failed: %s", item.path, reason)
        self._with_failing_lines.append(item.path)
        self._keep(replace(self._taken, failing=failing))
        return True

    def _set_aside(self, item: StagedObject, reason: str) -> None:
        copy = None
        if not self._taken.dry_run:
            with suppress(NotReadableError):
                copy = self._objects.keep_copy(item.path, copy_key(item.path))
            unreadable = Unreadable(item.path, copy, item.bytes, reason, item.staged_at)
            self._run("lake/quarantine/load.sql", **self._values, unreadable=unreadable)
        self._keep(self._taken.without([item.path]))
        self._aside.append(item.path)
        logger.error("set aside, %s: %s: %s", f"kept at {copy}" if copy else "no copy", item.path, reason)

    def _keep(self, taken: Manifest) -> None:
        self._taken = taken
        self._objects.write_manifest(taken)
