"""How a load is cut into parts: nothing is left out, nothing is in two parts, and every part is bounded."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from clickstream.load.manifest import Manifest, from_json
from clickstream.load.parts import (
    DAYS_A_STATEMENT,
    HOURS_A_STATEMENT,
    PATHS_A_STATEMENT,
    by_days,
    by_hours,
    by_objects,
    takes_parts,
)
from clickstream.staging.keys import StagedObject
from clickstream.window import Received

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LOOKBACK = timedelta(days=30)
YEARS = [datetime.fromisoformat(text) for text in ("0002-01-01", "9998-12-31", "2026-01-01", "2026-12-31")]
INSTANTS = st.datetimes(*YEARS[:2], timezones=st.just(UTC)) | st.datetimes(*YEARS[2:], timezones=st.just(UTC))


def unpacked(instants: list[datetime]) -> Manifest:
    """A manifest as unpack leaves it: the hours are known where one statement cannot write them all."""
    batch = Received(min(instants), max(instants))
    hours = sorted({at.replace(minute=0, second=0, microsecond=0) for at in instants})
    return Manifest("run", (), batch=batch, hours=tuple(hours) if takes_parts(batch) else ())


@given(st.lists(INSTANTS, min_size=1, max_size=200))
def test_every_message_is_in_one_part_and_a_part_has_few_partitions(instants: list[datetime]) -> None:
    for parts, shape, most in (
        (by_hours(unpacked(instants), LOOKBACK), "%Y %j %H", HOURS_A_STATEMENT),
        (by_days(unpacked(instants), LOOKBACK), "%Y %j", DAYS_A_STATEMENT),
    ):
        windows = [part["window"] for part in parts]
        for at in instants:
            assert sum(window.earliest <= at <= window.latest for window in windows) == 1
        for window in windows:
            assert len({at.strftime(shape) for at in instants if window.earliest <= at <= window.latest}) <= most
        for part in parts:
            assert part["bounds"].earliest <= part["window"].earliest <= part["window"].latest <= part["bounds"].latest


def test_a_load_of_two_days_is_one_part_with_its_own_bounds() -> None:
    first, last = NOON, NOON + timedelta(hours=46, minutes=59)

    (part,) = by_hours(unpacked([first, last]), LOOKBACK)

    assert part == {"window": Received(first, last), "bounds": Received(first - LOOKBACK, last + LOOKBACK)}


def test_a_batch_without_messages_is_one_part_without_bounds() -> None:
    nothing = Manifest("run", (), batch=Received(None, None))

    assert (
        by_hours(nothing, LOOKBACK)
        == by_days(nothing, LOOKBACK)
        == [{"window": Received(None, None), "bounds": Received(None, None)}]
    )


@given(st.lists(st.tuples(INSTANTS, st.integers(1, 60_000)), max_size=30))
def test_every_object_is_in_one_part_and_a_part_can_be_named(items: list[tuple[datetime, int]]) -> None:
    objects = tuple(StagedObject(f"{n}".ljust(size, "x"), 1, at) for n, (at, size) in enumerate(items))

    parts = by_objects(Manifest("run", objects))

    assert sorted(path for part in parts for path in part["manifest"].paths) == sorted(item.path for item in objects)
    for part in parts:
        ends = [item.staged_at for item in part["manifest"].objects]
        assert part["staged"] == Received(min(ends), max(ends))
        assert max(ends) - min(ends) < timedelta(days=DAYS_A_STATEMENT)
        assert len(ends) == 1 or sum(map(len, part["manifest"].paths)) <= PATHS_A_STATEMENT


def test_the_hours_are_kept_for_the_tasks_that_follow() -> None:
    taken = unpacked([NOON, NOON + timedelta(days=400)])

    assert from_json(taken.to_json()) == taken
