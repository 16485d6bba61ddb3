"""Which objects a run reads."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.load import manifest
from clickstream.load.archive import ArchivedObject
from clickstream.load.manifest import Manifest
from clickstream.staging.keys import StagedObject
from clickstream.window import Bounds, Window
from tests.clickstream.staged_objects import NOW, objects_within, staged_object

HOUR = timedelta(hours=1)
OBJECTS = objects_within(hours=5)
ARCHIVED = ArchivedObject(
    "s3://archive/segment-logs/source/1763942400000/a.gz", 5, NOW - 370 * 24 * HOUR, "source/1763942400000"
)
RUN = "scheduled__2026-11-24T12:00:00+00:00"


def test_without_a_window_all_that_is_not_loaded_is_taken_whenever_it_was_staged() -> None:
    ancient, old, new = (staged_object(name, NOW - age * HOUR) for name, age in [("a", 900), ("b", 30), ("c", 0)])

    taken = manifest.take_unloaded(RUN, [new, ancient, old], frozenset([old.path]), 10)

    assert taken == Manifest(RUN, (ancient, new), 0)


def test_with_a_window_all_of_it_is_taken_and_nothing_else() -> None:
    before, first, last, end = (
        staged_object("x", NOW + milliseconds * timedelta(milliseconds=1))
        for milliseconds in (-1, 0, 3_599_999, 3_600_000)
    )

    taken = manifest.take_windows(RUN, [end, last, before, first], [Window(NOW, NOW + HOUR)], [], [])

    assert taken == Manifest(RUN, (first, last), 0)


@pytest.mark.parametrize("count", [manifest.MOST_WINDOWS, manifest.MOST_WINDOWS + 1])
def test_more_windows_than_a_statement_names_are_read_as_one(count: int) -> None:
    windows = [Window(NOW + n * 2 * HOUR, NOW + (n * 2 + 1) * HOUR) for n in range(count)]

    received = manifest.take_windows(RUN, [], [], [ARCHIVED], windows).received

    assert received == (tuple(windows) if count == 200 else (Window(NOW, NOW + 401 * HOUR),))


def test_the_rest_is_left_to_the_next_run() -> None:
    staged = [staged_object(str(number), NOW - number * HOUR) for number in range(5)]

    taken = manifest.take_unloaded(RUN, staged, frozenset(), 2)

    assert taken == Manifest(RUN, (staged[4], staged[3]), 3)


def test_nothing_staged_gives_an_empty_manifest() -> None:
    assert manifest.take_unloaded(RUN, [], frozenset(), 10) == Manifest(RUN, ())
    assert manifest.take_windows(RUN, [], [Window(NOW, NOW + HOUR)], [], []) == Manifest(RUN, ())


def test_paths_and_sizes_are_in_one_order() -> None:
    taken = manifest.take_unloaded(
        RUN, [staged_object("b", NOW, 2), staged_object("a", NOW - HOUR, 1)], frozenset(), 10
    )

    assert taken.bytes == [1, 2]
    assert [path[-1] for path in taken.paths] == ["a", "b"]


@given(OBJECTS, st.integers(1, 10))
def test_windows_of_consecutive_hours_share_the_objects_out(staged: list[StagedObject], hours: int) -> None:
    start = NOW - 5 * HOUR
    windows = [Window(start + number * HOUR, start + (number + 1) * HOUR) for number in range(hours)]

    parts = [manifest.take_windows(RUN, staged, [window], [], []).objects for window in windows]

    together = [item for part in parts for item in part]
    span = Window(start, start + hours * HOUR)
    assert len(together) == len(set(together))
    assert set(together) == {item for item in staged if span.holds(item.staged_at)}
    assert together == sorted(together, key=lambda item: (item.staged_at, item.path))


@pytest.mark.promise("P1")
@given(OBJECTS, st.data(), st.integers(1, 7))
def test_runs_one_after_another_take_every_object_once(
    staged: list[StagedObject], data: st.DataObject, max_objects: int
) -> None:
    all_paths = [item.path for item in staged]
    loaded = frozenset(data.draw(st.sets(st.sampled_from(all_paths or [""]))))
    first_loaded, took = loaded, []

    while (taken := manifest.take_unloaded(RUN, staged, loaded, max_objects)).objects:
        assert len(taken.objects) <= max_objects
        assert taken.left_behind == len([item for item in staged if item.path not in loaded]) - len(taken.objects)
        took += taken.paths
        loaded |= set(taken.paths)

    assert len(took) == len(set(took))
    assert set(took) == set(all_paths) - first_loaded


@given(OBJECTS, st.randoms())
def test_the_order_of_the_listing_does_not_matter(staged: list[StagedObject], random: object) -> None:
    shuffled = list(staged)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert manifest.take_unloaded(RUN, shuffled, frozenset(), 5) == manifest.take_unloaded(RUN, staged, frozenset(), 5)


@given(st.text(), OBJECTS, st.integers(0, 10**9), st.booleans(), st.booleans())
def test_json_gives_the_same_manifest_back(
    run_id: str, staged: list[StagedObject], left_behind: int, rebuild: bool, dry_run: bool
) -> None:
    received = (Window(NOW, NOW + HOUR),)
    one = Manifest(
        run_id,
        (*staged, ARCHIVED),
        left_behind,
        received,
        rebuild,
        dry_run,
        idle=("rejects",),
        expired=Bounds(NOW, NOW),
    )

    assert manifest.from_json(one.to_json()) == one


def test_a_manifest_of_the_version_before_rebuild_was_named_so_is_read() -> None:
    one = Manifest(RUN, (ARCHIVED,), rebuild=True)

    assert manifest.from_json(one.to_json().replace('"rebuild"', '"rederive"')) == one


def test_staged_and_archived_objects_are_told_apart() -> None:
    staged = staged_object("a", NOW)

    taken = manifest.take_windows(RUN, [staged], [Window(NOW, NOW + HOUR)], [ARCHIVED], [Window(NOW - HOUR, NOW)])

    assert (taken.staged, taken.archived, taken.folders) == ([staged], [ARCHIVED], ["source/1763942400000"])
    assert taken.received == (Window(NOW - HOUR, NOW),)
    assert taken.paths == [ARCHIVED.path, staged.path]


def test_what_expired_from_staging_is_left_out_and_the_archive_stays() -> None:
    gone, there = staged_object("a", NOW), staged_object("b", NOW)
    one = Manifest(RUN, (ARCHIVED, gone, there), rebuild=True)

    left = one.still_there([there])

    assert left == Manifest(RUN, (ARCHIVED, there), rebuild=True, expired=Bounds(gone.staged_at, gone.staged_at))
    # Of a third try too.
    assert left.still_there([]).expired == Bounds(gone.staged_at, there.staged_at)


@given(st.text(), st.text())
def test_any_run_id_has_a_plain_key_of_its_own(one: str, other: str) -> None:
    assert re.fullmatch(r"manifests/load_events/[0-9a-f]{64}\.json", manifest.key(one))
    assert (manifest.key(one) == manifest.key(other)) == (one == other)


@given(OBJECTS, st.data())
def test_without_and_gone_split_the_objects(staged: list[StagedObject], data: st.DataObject) -> None:
    one = Manifest(RUN, tuple(staged), 3)
    some = data.draw(st.sets(st.sampled_from([*one.paths, "s3://other/x"])))

    assert one.without(some) == one.only(lambda item: item.path not in some)
    assert one.gone("s3://", some) == list(one.without(some).objects)
    assert one.gone("s3://elsewhere/", some) == []


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"run_id": "x", "left_behind": 0, "objects": [["s3://x"]]}'])
def test_a_broken_manifest_is_an_error_and_not_an_empty_one(text: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        manifest.from_json(text)
