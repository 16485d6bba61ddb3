"""Folders are gone through: every version of every object, from where an earlier try came to."""

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest

from clickstream.erase import sweep
from clickstream.erase.lines import contained
from clickstream.erase.places import Counts, Place, Version, places
from clickstream.erase.proof import Search
from clickstream.load.objects import NotReadableError
from clickstream.settings import Settings

KIM = contained(["kim"])
PLACE = Place("archive/", "bucket", "archive/")
OWN, OTHER = b'{"userId":"kim"}\n', b'{"userId":"lee"}\n'


class Objects:
    """Objects in memory: a list of bodies by key, the latest first. `gone`, `refused`: keys that cannot be written."""

    def __init__(self, bodies: dict[str, list[bytes]]) -> None:
        self.bodies = bodies
        self.gone: set[str] = set()
        self.refused: set[str] = set()
        self.opened_keys: list[str] = []

    def versions(self, place: Place, after: str) -> Iterator[Version]:
        for key in sorted(self.bodies):
            if key > after:
                for number, _ in enumerate(self.bodies[key]):
                    yield Version(key, str(number), number == 0, "etag")

    @contextmanager
    def opened(self, place: Place, version: Version) -> Iterator[IO[bytes]]:
        self.opened_keys.append(version.key)
        if version.key in self.refused:
            raise NotReadableError(version.key)
        yield io.BytesIO(self.bodies[version.key][int(version.version_id)])

    def replace(self, place: Place, version: Version, body: IO[bytes]) -> bool:
        if version.key in self.gone:
            return False
        self.bodies[version.key][0] = body.read()
        return True

    def delete(self, place: Place, version: Version) -> None:
        self.bodies[version.key][int(version.version_id)] = b""


def clean(objects: Objects, counts: Counts, after: str = "", dry_run: bool = False) -> list[str]:
    saved: list[str] = []
    sweep.clean(objects, PLACE, KIM, counts, after, saved.append, dry_run)
    return saved


def test_lines_go_from_every_version_and_all_else_stays() -> None:
    packed = gzip.compress(OTHER + OWN)
    objects = Objects({"a": [OWN + OTHER, OWN, OTHER], "b": [OTHER], "c": [packed], "d": [gzip.compress(OWN)]})
    counts = Counts()

    assert clean(objects, counts) == ["d"]

    assert objects.bodies["a"] == [OTHER, b"", OTHER]
    assert objects.bodies["b"] == [OTHER]
    assert gzip.decompress(objects.bodies["c"][0]) == OTHER
    assert gzip.decompress(objects.bodies["d"][0]) == b""
    assert (counts.found, counts.removed, counts.objects_rewritten, counts.versions_deleted) == (4, 4, 3, 1)
    again = Counts()
    clean(objects, again)
    assert again == Counts()


def test_a_dry_run_only_counts() -> None:
    objects, counts = Objects({"a": [OWN, OWN + OTHER]}), Counts()

    clean(objects, counts, dry_run=True)

    assert objects.bodies == {"a": [OWN, OWN + OTHER]}
    assert (counts.found, counts.removed) == (2, 0)


def test_a_retry_goes_on_behind_the_key_that_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "KEYS_AT_ONCE", 2)
    objects, counts = Objects({key: [OWN] for key in "abcde"}), Counts()

    assert clean(objects, counts, after="b") == ["d", "e"]
    assert objects.opened_keys == ["c", "d", "e"]


def test_what_is_gone_meanwhile_is_not_counted_as_taken_and_what_is_refused_is_named() -> None:
    objects, counts = Objects({"a": [OWN], "b": [OWN], "c": [gzip.compress(OWN * 99)[:-9]], "d": [OWN]}), Counts()
    objects.gone, objects.refused = {"a"}, {"b"}

    clean(objects, counts)

    assert (counts.found, counts.removed, counts.unreadable, counts.unreadable_keys) == (2, 1, 2, ["b", "c"])


def test_a_search_looks_at_every_version() -> None:
    mention = b'{"userId":"lee","a":"kim"}'
    objects = Objects({"a": [OWN, OTHER + mention], "b": [gzip.compress(OWN)], "c": [gzip.compress(OWN * 99)[:-9]]})
    counts = Counts(left_over=7, unreadable=7)

    sweep.look(objects, PLACE, Search(KIM), counts)

    assert (counts.left_over, counts.mentions, counts.unreadable, counts.unreadable_keys) == (2, 1, 1, ["c"])


@pytest.mark.parametrize("name", ["a.zst", "a.bz2", "a.snappy"])
def test_what_is_packed_in_another_way_cannot_be_searched(name: str) -> None:
    counts = Counts()

    sweep.look(Objects({name: [b"\x28\xb5\x2f\xfd"]}), PLACE, Search(KIM), counts)

    assert (counts.unreadable, counts.unreadable_keys) == (1, [name])


def test_folders_are_in_the_order_in_which_objects_move_on() -> None:
    settings = Settings(
        staging_bucket="s", lake_bucket="l", crawler="c", raw_bucket="r", archive_bucket="a", archive_prefix="prod/"
    )

    assert [(place.bucket, place.prefix, place.is_failed) for place in places(settings)] == [
        ("r", "raw/", False),
        ("r", "processing-failed/", True),
        ("r", "processing-failed-redriven/", True),
        ("r", "refused/", True),
        ("r", "refused-redriven/", True),
        ("s", "staging/", False),
        ("a", "prod/segment-logs/", False),
        ("a", "archive/", False),
        ("a", "archive-failed/", True),
        ("l", "quarantine/", False),
    ]
    assert [place.bucket for place in places(Settings(staging_bucket="s", lake_bucket="l", crawler="c"))] == ["s", "l"]
