"""How a load is cut into parts: nothing is left out, nothing is in two parts, and every part is bounded."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from clickstream.engine.query import Result
from clickstream.load.manifest import Manifest, from_json
from clickstream.load.parts import (
    DAYS_A_STATEMENT,
    HOURS_A_STATEMENT,
    PATHS_A_STATEMENT,
    SPANS_A_STATEMENT,
    by_days,
    by_hours,
    by_objects,
    takes_parts,
    values_of,
    with_received,
)
from clickstream.staging.keys import StagedObject
from clickstream.window import Bounds, Span

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LOOKBACK = timedelta(days=30)
YEARS = [datetime.fromisoformat(text) for text in ("0002-01-01", "9998-12-31", "2026-01-01", "2026-12-31")]
INSTANTS = st.datetimes(*YEARS[:2], timezones=st.just(UTC)) | st.datetimes(*YEARS[2:], timezones=st.just(UTC))


def unpacked(instants: list[datetime]) -> Manifest:
    """A manifest as unpack leaves it: the hours are known where one statement cannot write them all."""
    batch = Bounds(min(instants), max(instants))
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


@given(st.lists(INSTANTS, min_size=1, max_size=200))
def test_what_is_read_around_a_part_are_the_times_in_which_there_are_messages(instants: list[datetime]) -> None:
    taken = unpacked(instants)
    for part in [values_of(taken, LOOKBACK), *by_hours(taken, LOOKBACK), *by_days(taken, LOOKBACK)]:
        window, spans = part["window"], part["window"].spans
        own = sorted(at for at in instants if window.earliest <= at <= window.latest)
        of_span = [[at for at in own if span.start <= at <= span.end] for span in spans]
        assert sorted(at for some in of_span for at in some) == own
        assert len(spans) <= SPANS_A_STATEMENT
        if 1 < len(spans) < SPANS_A_STATEMENT:  # a day's part begins at midnight
            assert all(b - a <= timedelta(days=3) for some in of_span for a, b in pairwise(some))
        read = part["bounds"].spans
        assert all(any(wide.start <= span.start <= span.end <= wide.end for wide in read) for span in spans)
        assert all(one.end < other.start for one, other in pairwise(read))


def test_one_message_of_1970_costs_what_lies_around_it() -> None:
    (part,) = by_hours(unpacked([datetime(1970, 1, 1, tzinfo=UTC), NOON]), LOOKBACK)

    hour = timedelta(hours=1, microseconds=-1)
    assert part["bounds"].spans == (
        Span(datetime(1969, 12, 2, tzinfo=UTC), datetime(1970, 1, 31, tzinfo=UTC) + hour),
        Span(NOON - LOOKBACK, NOON + hour + LOOKBACK),
    )


def test_of_more_times_than_a_statement_names_the_nearest_are_read_as_one() -> None:
    apart = [NOON + timedelta(days=100 * n + 50 * (n > 30)) for n in range(SPANS_A_STATEMENT + 5)]

    spans = values_of(unpacked(apart), LOOKBACK)["window"].spans

    assert len(spans) == SPANS_A_STATEMENT
    # The longest gap, after the thirty-first, is none that is read.
    assert any(one.end < other.start == apart[31] for one, other in pairwise(spans))


def test_a_part_of_any_kind_is_less_than_trino_s_writer_takes() -> None:
    """https://trino.io/docs/current/connector/iceberg.html: iceberg.max-partitions-per-writer, 100."""
    assert max(HOURS_A_STATEMENT, DAYS_A_STATEMENT) <= 100


def test_a_load_of_two_days_is_one_part_with_its_own_bounds() -> None:
    first, last = NOON, NOON + timedelta(hours=46, minutes=59)

    (part,) = by_hours(unpacked([first, last]), LOOKBACK)

    assert part == {"window": Bounds(first, last), "bounds": Bounds(first - LOOKBACK, last + LOOKBACK)}


def test_a_batch_without_messages_is_one_part_without_bounds() -> None:
    nothing = Manifest("run", (), batch=Bounds(None, None))

    assert (
        by_hours(nothing, LOOKBACK)
        == by_days(nothing, LOOKBACK)
        == [{"window": Bounds(None, None), "bounds": Bounds(None, None)}]
    )


@given(st.lists(st.tuples(INSTANTS, st.integers(1, 60_000)), max_size=30))
def test_every_object_is_in_one_part_and_a_part_can_be_named(items: list[tuple[datetime, int]]) -> None:
    objects = tuple(StagedObject(f"{n}".ljust(size, "x"), 1, at) for n, (at, size) in enumerate(items))

    parts = by_objects(Manifest("run", objects))

    assert sorted(path for part in parts for path in part["manifest"].paths) == sorted(item.path for item in objects)
    for part in parts:
        ends = [item.staged_at for item in part["manifest"].objects]
        assert part["staged"] == Bounds(min(ends), max(ends))
        assert max(ends) - min(ends) < timedelta(days=DAYS_A_STATEMENT)
        assert len(ends) == 1 or sum(map(len, part["manifest"].paths)) <= PATHS_A_STATEMENT


@given(st.lists(INSTANTS, min_size=1, max_size=60), st.lists(INSTANTS, min_size=1, max_size=60))
def test_what_an_earlier_try_read_is_still_looked_for_when_its_objects_have_expired(
    gone: list[datetime], left: list[datetime]
) -> None:
    hours = {at.replace(minute=0, second=0, microsecond=0).timestamp() for at in left}
    rows = {
        "work/batch/received.sql": {
            "earliest": min(left), "latest": max(left), "rejected": 0, "discarding": 0, "objects_read": 1,
        },
        "work/batch/hours.sql": {"hours": json.dumps(sorted(hours))},
    }  # fmt: skip
    before = replace(unpacked([*gone, *left]), expired=Bounds(NOON, NOON))

    taken, _ = with_received(lambda path, **_: Result([rows[path]], "", 0, 0, 0), before, "run")

    spans = values_of(taken, LOOKBACK)["window"].spans
    assert all(any(span.start <= at <= span.end for span in spans) for at in (*gone, *left))


def test_the_hours_are_kept_for_the_tasks_that_follow() -> None:
    taken = unpacked([NOON, NOON + timedelta(days=400)])

    assert from_json(taken.to_json()) == taken
