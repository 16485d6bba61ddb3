"""Staged names read, and what of the folder may expire."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.staging.keys import StagedObject, overdue, select_expired, staged_at
from tests.clickstream.staged_objects import NOW, objects_within, staged_object

DAY = timedelta(hours=24)
MILLISECOND = timedelta(milliseconds=1)
OBJECTS = objects_within(hours=60)


def aged(age: timedelta, name: str = "a.gz") -> StagedObject:
    return staged_object(name, NOW - age)


def paths(objects: list[StagedObject]) -> list[str]:
    return [item.path for item in objects]


@pytest.mark.parametrize(
    ("name", "instant"),
    [
        ("20261124T052800123Z-a.gz", datetime(2026, 11, 24, 5, 28, 0, 123_000, tzinfo=UTC)),
        ("20280229T235959999Z-x", datetime(2028, 2, 29, 23, 59, 59, 999_000, tzinfo=UTC)),
        ("s3://b/staging/20261124T052800000Z-a-b_c=2F.gz", datetime(2026, 11, 24, 5, 28, tzinfo=UTC)),
    ],
)
def test_time_is_read_from_names_and_paths(name: str, instant: datetime) -> None:
    assert staged_at(name) == instant


@pytest.mark.parametrize(
    "name",
    [
        "",
        "dummy-object.txt",
        "20261124T052800123Z",
        "20261124T052800123Z-",
        "20261124T052800123-a.gz",
        "20261124T0528001234Z-a.gz",
        "20261124T05280012Z-a.gz",
        "20261324T052800123Z-a.gz",
        "20260229T052800123Z-a.gz",
        "20261124T240000000Z-a.gz",
        "20261124T052860000Z-a.gz",
        "00001124T052800123Z-a.gz",
        "_20261124T052800123Z-a.gz",
        " 20261124T052800123Z-a.gz",
        "x20261124T052800123Z-a.gz",
        "20261124t052800123z-a.gz",
        "2026-11-24T05:28:00.123Z-a.gz",
        "staging/20261124T052800123Z-a.gz/",
    ],
)
def test_other_names_have_no_time(name: str) -> None:
    assert staged_at(name) is None


@pytest.mark.parametrize(
    "name", ["２０２６1124T052800123Z-a.gz", "20261124T052800１２３Z-a.gz", "2026112٤T052800123Z-a.gz"]
)
def test_digits_of_other_scripts_are_no_time(name: str) -> None:
    """SQL reads the same grammar with [0-9]: a name that only one side can read would be loaded without a time."""
    assert staged_at(name) is None


@given(
    st.datetimes(timezones=st.just(UTC)).filter(lambda instant: instant.year >= 1970), st.text("abc=_-.Z0", min_size=1)
)
def test_any_time_is_read_back_to_the_millisecond(instant: datetime, rest: str) -> None:
    read = staged_at(staged_object(rest, instant).path)

    assert read == instant - timedelta(microseconds=instant.microsecond % 1_000)


@pytest.mark.parametrize(
    ("age", "goes"),
    [
        (DAY - timedelta(seconds=1), False),
        (DAY - MILLISECOND, False),
        (DAY, False),
        (DAY + MILLISECOND, True),
        (timedelta(days=400), True),
        (-timedelta(hours=1), False),
    ],
)
def test_boundaries_of_the_retention(age: timedelta, goes: bool) -> None:
    item = aged(age)

    expired = select_expired([item], frozenset([item.path]), NOW, DAY, 10)
    late = overdue([item], frozenset(), NOW, DAY)

    assert expired == ([item] if goes else [])
    assert late == ([item] if goes else [])


def test_an_offset_changes_nothing() -> None:
    item = aged(DAY + MILLISECOND)
    elsewhere = datetime.fromisoformat("2026-11-24T17:00:00+05:00")

    assert select_expired([item], frozenset([item.path]), elsewhere, DAY, 10) == [item]
    assert select_expired([item], frozenset([item.path]), elsewhere - MILLISECOND, DAY, 10) == []


@pytest.mark.scenario("X15")
@pytest.mark.promise("P4")
def test_what_is_old_and_not_loaded_is_kept_and_reported() -> None:
    old, older = aged(timedelta(hours=30), "a"), aged(timedelta(hours=40), "b")

    assert select_expired([old, older], frozenset(), NOW, DAY, 10) == []
    assert overdue([old, older], frozenset(), NOW, DAY) == [older, old]


@given(OBJECTS, st.data(), st.integers(1, 72), st.integers(0, 8))
def test_only_loaded_objects_past_their_time_go_oldest_first(
    staged: list[StagedObject], data: st.DataObject, hours: int, max_objects: int
) -> None:
    loaded = frozenset(data.draw(st.sets(st.sampled_from(paths(staged) or [""]))))
    retention = timedelta(hours=hours)

    expired = select_expired(staged, loaded, NOW, retention, max_objects)

    assert set(paths(expired)) <= loaded & set(paths(staged))
    assert all(NOW - item.staged_at > retention for item in expired)
    assert len(expired) <= max_objects
    assert [item.staged_at for item in expired] == sorted(item.staged_at for item in expired)


@given(OBJECTS, st.data(), st.integers(1, 8))
def test_runs_one_after_another_delete_everything_that_may_go_and_nothing_twice(
    staged: list[StagedObject], data: st.DataObject, max_objects: int
) -> None:
    loaded = frozenset(data.draw(st.sets(st.sampled_from(paths(staged) or [""]))))
    wanted = select_expired(staged, loaded, NOW, DAY, 10_000)
    left, gone = list(staged), []

    while batch := select_expired(left, loaded, NOW, DAY, max_objects):
        gone += batch
        left = [item for item in left if item not in batch]

    assert gone == wanted
    assert paths(overdue(left, loaded, NOW, DAY)) == paths(overdue(staged, loaded, NOW, DAY))


@pytest.mark.scenario("X15")
@pytest.mark.promise("P4")
@given(OBJECTS, st.data())
def test_past_their_time_means_expired_or_overdue_and_never_both(
    staged: list[StagedObject], data: st.DataObject
) -> None:
    loaded = frozenset(data.draw(st.sets(st.sampled_from(paths(staged) or [""]))))

    expired = set(select_expired(staged, loaded, NOW, DAY, 10_000))
    late = set(overdue(staged, loaded, NOW, DAY))

    assert expired | late == {item for item in staged if NOW - item.staged_at > DAY}
    assert not expired & late
