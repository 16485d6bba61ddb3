"""What two tables of buckets come to. Expected: sets of ids, compared as sets."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.reconcile.states import (
    SETTLED_AFTER,
    STATES,
    Bucket,
    Cell,
    Compared,
    compared,
    differing,
    groups,
    hours_of,
    late_hours,
    read_side,
)
from clickstream.window import HOUR, Window

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BUCKETS = 4

CELLS = st.tuples(st.sampled_from([NOON, NOON + HOUR]), st.sampled_from(["", "web", "웹 🛒"]))
ROWS = st.dictionaries(st.tuples(CELLS, st.integers(0, 30)), st.integers(1, 3))
"""How often a side has an id in an hour and source."""


def side(rows: dict[tuple[tuple[datetime, str], int], int]) -> list[dict[str, Any]]:
    """The rows of a side as SQL counts them."""
    found: dict[tuple[Any, int], dict[int, int]] = defaultdict(dict)
    for (cell, number), lines in rows.items():
        found[cell, number % BUCKETS][number] = lines
    return [
        {"received_hour": hour, "source": source, "bucket": bucket, "ids": len(ids), "lines": sum(ids.values()),
         "digest": hashlib.sha256(repr(sorted(ids)).encode()).hexdigest()}
        for ((hour, source), bucket), ids in found.items()
    ]  # fmt: skip


def outcomes(ours: Iterable[Any], theirs: Iterable[Any], apart: dict[Cell, list[int]]) -> list[dict[str, Any]]:
    """What reconcile/ids.sql says of the buckets, without what is elsewhere."""
    here, there = set(ours), set(theirs)
    return [
        {"received_hour": cell[0], "source": cell[1], "ids": 1,
         "outcome": "in_both" if one in here & there else "missing_there" if one in here else "missing_here"}
        for one in here | there
        for cell, number in [one]
        if number % BUCKETS in apart.get(Cell(*cell), [])
    ]  # fmt: skip


@given(ROWS, ROWS)
def test_every_message_of_either_side_is_counted_once_whatever_differs(ours: Any, theirs: Any) -> None:
    ours = dict.fromkeys(ours, 1)  # `events` has each id once
    here, there = read_side(side(ours)), read_side(side(theirs))
    apart = differing(here, there)

    rows = compared(here, there, outcomes(ours, theirs, apart), {})

    assert [row.cell for row in rows] == sorted({Cell(*cell) for cell, _ in [*ours, *theirs]})
    for row in rows:
        mine, others = ({number for cell, number in of if Cell(*cell) == row.cell} for of in (ours, theirs))
        assert (row.in_both, row.missing_here, row.missing_there) == (
            len(mine & others), len(others - mine), len(mine - others),
        )  # fmt: skip
        assert (row.messages_here, row.messages_there) == (len(mine), len(others))
        lines = sum(lines for (cell, _), lines in theirs.items() if Cell(*cell) == row.cell)
        assert row.duplicates == lines - len(others)
        # Ids are asked for only where they differ.
        numbers = {number % BUCKETS for number in mine ^ others}
        assert set(apart.get(row.cell, [])) == numbers
        if not numbers and not row.duplicates:
            assert row.state == "equal"


def test_lines_without_an_id_are_refused_and_no_bucket() -> None:
    lines = {"received_hour": NOON, "source": "", "bucket": None, "ids": 0, "lines": 3, "digest": None}
    here, there = read_side([]), read_side([lines])

    (row,) = compared(here, there, [], {})

    assert differing(here, there) == {}
    assert (row.refused_here, row.messages_there, row.state) == (3, 0, "refused_here")


def test_what_may_still_come_is_late_and_not_missing() -> None:
    here, there = read_side([]), read_side(side({((NOON, "web"), 1): 1, ((NOON + HOUR, "web"), 2): 1}))
    found = outcomes([], [((NOON, "web"), 1), ((NOON + HOUR, "web"), 2)], differing(here, there))

    first, second = compared(here, there, found, {NOON: True, NOON + HOUR: False})

    assert (first.state, first.late, first.missing_here) == ("late", 1, 0)
    assert (second.state, second.late, second.missing_here) == ("missing_here", 0, 1)


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        ({}, "equal"),
        ({"in_both": 9}, "equal"),
        ({"duplicates": 1}, "duplicate"),
        ({"duplicates": 1, "refused_here": 1}, "refused_here"),
        ({"refused_here": 1, "late": 1}, "late"),
        ({"late": 1, "missing_there": 1}, "missing_there"),
        ({"missing_there": 9, "missing_here": 1}, "missing_here"),
    ],
)
def test_the_state_is_the_worst_that_there_is(counts: dict[str, int], state: str) -> None:
    row = Compared(Cell(NOON, ""), **counts)

    assert row.state == state
    assert state == "equal" or state in STATES


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("waiting", "now", "is_late"),
    [
        ([], NOON + HOUR + SETTLED_AFTER - MINUTE, True),
        ([], NOON + HOUR + SETTLED_AFTER, False),
        ([NOON - MINUTE], NOON + 99 * HOUR, False),  # staged before: it holds nothing of the hour
        ([NOON], NOON + 99 * HOUR, True),
        ([NOON + 2 * HOUR - MINUTE], NOON + 99 * HOUR, True),
        ([NOON + 2 * HOUR], NOON + 99 * HOUR, False),
    ],
)
def test_an_hour_is_late_until_it_is_settled_and_all_that_was_staged_then_is_loaded(
    waiting: list[datetime], now: datetime, is_late: bool
) -> None:
    assert late_hours([NOON], waiting, now) == {NOON: is_late}


@given(st.sets(st.builds(Cell, st.integers(0, 5).map(lambda number: NOON + number * HOUR), st.text(max_size=2))))
def test_groups_have_all_cells_once_in_whole_hours(cells: set[Cell]) -> None:
    found = list(groups(cells, 3))

    assert [cell for group in found for cell in group] == sorted(cells)
    hours = [{cell.hour for cell in group} for group in found]
    assert sum(map(len, hours)) == len({cell.hour for cell in cells})
    assert all(len(group) <= 3 or len(of) == 1 for group, of in zip(found, hours, strict=True))


def test_the_time_of_cells_is_from_the_first_hour_to_the_end_of_the_last() -> None:
    assert hours_of([Cell(NOON + 3 * HOUR, "a"), Cell(NOON, "b")]) == Window(NOON, NOON + 4 * HOUR)


def test_a_bucket_differs_when_its_count_or_its_ids_do() -> None:
    one = {"received_hour": NOON, "source": "a", "bucket": 1, "ids": 2, "lines": 2, "digest": "0A"}

    assert read_side([one]).buckets == {Cell(NOON, "a"): {1: Bucket(2, "0A")}}
    for other in ({"ids": 3}, {"digest": "0B"}, {"bucket": 2}, {"source": "b"}, {"received_hour": NOON + HOUR}):
        assert differing(read_side([one]), read_side([one | other]))
    assert not differing(read_side([one]), read_side([one | {"lines": 9}]))
