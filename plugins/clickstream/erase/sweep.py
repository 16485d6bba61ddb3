"""Go through every version of every object of a folder: take a person's lines out, or look whether any are left."""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import IO

from clickstream.erase.lines import Ids, UnreadableError, cleaner, count, refuse_other_packing, rewrite
from clickstream.erase.places import Counts, EraseObjects, Place, Version
from clickstream.erase.proof import BROKEN, Found, Search
from clickstream.load.objects import NotReadableError

THREADS = 8
KEYS_AT_ONCE = 200
IN_MEMORY = 16 * 2**20
"""Bytes of a rewritten object that are kept in memory; a larger one is kept on disk."""


@dataclass
class _OfKey:
    """What was done to the versions of one key."""

    key: str
    found: int = 0
    removed: int = 0
    objects_rewritten: int = 0
    versions_deleted: int = 0
    unreadable: int = 0
    searched: list[Found] = field(default_factory=list)


def clean(
    objects: EraseObjects,
    place: Place,
    ids: Ids,
    counts: Counts,
    after: str,
    save: Callable[[str], None],
    dry_run: bool = False,
) -> None:
    """Take a person's lines out of every object of a folder, and add to `counts`; in a dry run only count.

    `after`: the key up to which an earlier try came; `save` is called with such a key now and then, and at the end.
    A version that is not the latest is deleted, when it has such lines. What cannot be read is counted.
    """

    def work(key: str, versions: list[Version]) -> _OfKey:
        done = _OfKey(key)
        for version in versions:
            try:
                _clean_version(objects, place, version, ids, dry_run, done)
            except (UnreadableError, NotReadableError):
                done.unreadable += 1
        return done

    for chunk, last in _each(objects, place, after, work):
        for one in chunk:
            counts.found += one.found
            counts.removed += one.removed
            counts.objects_rewritten += one.objects_rewritten
            counts.versions_deleted += one.versions_deleted
            if one.unreadable:
                counts.cannot_read(one.key, one.unreadable)
        save(last)


def _clean_version(
    objects: EraseObjects, place: Place, version: Version, ids: Ids, dry_run: bool, done: _OfKey
) -> None:
    with objects.opened(place, version) as body:
        counted = count(version.key, body, ids, cleaner(place.is_failed))
        done.found += counted.found
        done.unreadable += counted.unreadable
        if dry_run or not counted.found:
            return
        if not version.is_latest:
            objects.delete(place, version)
            done.versions_deleted += 1
        elif _replace(objects, place, version, body, ids):
            done.objects_rewritten += 1
        else:
            return  # it is gone: it has moved on, to a folder that is gone through later, or expired
        done.removed += counted.found


def _replace(objects: EraseObjects, place: Place, version: Version, body: IO[bytes], ids: Ids) -> bool:
    body.seek(0)
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as target:
        rewrite(version.key, body, target, ids, cleaner(place.is_failed))
        target.seek(0)
        return objects.replace(place, version, target)


def look(objects: EraseObjects, place: Place, search: Search, counts: Counts) -> None:
    """Search every version of every object of a folder anew; set `left_over` and `mentions`."""

    def work(key: str, versions: list[Version]) -> _OfKey:
        done = _OfKey(key)
        for version in versions:
            try:
                with objects.opened(place, version) as body:
                    refuse_other_packing(version.key, body.read(2))
                    body.seek(0)
                    done.searched.append(search.in_object(body, place.is_failed))
            except (*BROKEN, UnreadableError, NotReadableError):
                done.unreadable += 1
        return done

    counts.left_over = counts.mentions = counts.unreadable = 0
    for chunk, _ in _each(objects, place, "", work):
        for one in chunk:
            counts.left_over += sum(found.own for found in one.searched)
            counts.mentions += sum(found.mentions for found in one.searched)
            unreadable = one.unreadable + sum(found.unreadable for found in one.searched)
            if unreadable:
                counts.cannot_read(one.key, unreadable)


def _each(
    objects: EraseObjects, place: Place, after: str, work: Callable[[str, list[Version]], _OfKey]
) -> Iterator[tuple[list[_OfKey], str]]:
    """Yield what `work` returns for the keys of a folder, many at once, and the last key of these."""
    keys = ((key, list(versions)) for key, versions in groupby(objects.versions(place, after), lambda one: one.key))
    with ThreadPoolExecutor(THREADS) as threads:
        while chunk := list(islice(keys, KEYS_AT_ONCE)):
            yield list(threads.map(lambda item: work(*item), chunk)), chunk[-1][0]
