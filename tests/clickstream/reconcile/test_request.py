"""What a run of reconcile_archive compares and heals."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.form import FormError
from clickstream.load.request import read_load_request
from clickstream.reconcile.request import (
    MOST_AGAIN,
    MOST_HOURS,
    ReconcileRequest,
    plan_healing,
    reach,
    read_reconcile_request,
    windows,
)
from clickstream.watch.alarms import ReconciledHour
from clickstream.window import DAY, HOUR, Window, hours

MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
AT = MIDNIGHT + timedelta(hours=6)
FORM: dict[str, Any] = {"from": None, "to": None, "dry_run": True, "most_hours": MOST_HOURS, "large": False}
EMPTY = ReconcileRequest(None, dry_run=True, most_hours=24, large=False)


def hour(number: int, missing: int = 1, of: int = 100, **more: int) -> ReconciledHour:
    """An hour before MIDNIGHT."""
    return ReconciledHour(MIDNIGHT - number * HOUR, of - missing, of, missing, **more)


def test_an_empty_form_is_the_day_before_and_a_dry_run() -> None:
    assert read_reconcile_request(FORM) == EMPTY
    assert read_reconcile_request({"most_hours": 24}) == EMPTY
    assert windows(EMPTY, AT, []) == (Window(MIDNIGHT - DAY, MIDNIGHT),)
    assert windows(EMPTY, AT + 17 * HOUR, []) == windows(EMPTY, MIDNIGHT, []) == windows(EMPTY, AT, [])


def test_a_range_is_its_full_hours() -> None:
    asked = FORM | {"from": "2026-11-20T10:59:00+09:00", "to": "2026-11-20T03:00:00.000001Z", "dry_run": False}

    request = read_reconcile_request(asked)

    expected = Window(datetime(2026, 11, 20, 1, tzinfo=UTC), datetime(2026, 11, 20, 4, tzinfo=UTC))
    assert (request.window, request.dry_run) == (expected, False)
    assert windows(request, AT, [hour(99)]) == (expected,)
    assert reach(request, AT) == expected


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"from": "2026-11-20T10:00:00Z"}, "to is empty"),
        ({"from": "2026-09-01T00:00:00Z", "to": "2026-10-03T00:00:00Z"}, "at most 31 days"),
        ({"dry_run": "no"}, "dry_run='no'"),
        ({"most_hours": 0}, "most_hours=0"),
        ({"most_hours": "7; drop table x"}, "most_hours='7; drop"),
        ({"large": 1}, "large=1"),
    ],
)
@pytest.mark.promise("P8")
def test_a_form_that_cannot_be_used_says_why(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(FormError, match=message):
        read_reconcile_request(FORM | wrong)


def test_hours_that_may_be_healed_by_now_are_compared_again() -> None:
    before = [hour(30), hour(40, missing=0, late=2), hour(50, missing=0, missing_there=3), hour(3)]

    assert windows(EMPTY, AT, before) == (
        Window(MIDNIGHT - 50 * HOUR, MIDNIGHT - 49 * HOUR),
        Window(MIDNIGHT - 40 * HOUR, MIDNIGHT - 39 * HOUR),
        Window(MIDNIGHT - 30 * HOUR, MIDNIGHT - 29 * HOUR),
        Window(MIDNIGHT - DAY, MIDNIGHT),
    )
    many = [hour(number) for number in range(25, 160)]
    latest = windows(EMPTY, AT, many)
    assert latest == (Window(MIDNIGHT - DAY - HOUR * MOST_AGAIN, MIDNIGHT),)
    # Hours with late messages alone, which may never end, come after those in which something is missing.
    late = [hour(number, missing=0, late=1) for number in range(25, 100)]
    assert Window(MIDNIGHT - 150 * HOUR, MIDNIGHT - 149 * HOUR) in windows(EMPTY, AT, [hour(150), *late])
    assert reach(EMPTY, AT) == Window(MIDNIGHT - 7 * DAY, MIDNIGHT)


def test_the_form_of_the_load_is_a_backfill_from_the_archive() -> None:
    healing = plan_healing([hour(5), hour(4, missing=0, late=3)], EMPTY)

    request = read_load_request("manual", (None, None), healing.conf(dry_run=True))

    assert request.window == healing.window == Window(MIDNIGHT - 5 * HOUR, MIDNIGHT - 4 * HOUR)
    assert (request.source, request.dry_run, request.rebuild) == ("archive", True, False)
    assert healing.conf(dry_run=False)["dry_run"] is False


def test_an_hour_that_misses_much_is_left_to_a_person() -> None:
    differ = [hour(9, missing=10), hour(8, missing=11), hour(7, missing=1)]

    cautious, told = plan_healing(differ, EMPTY), plan_healing(differ, ReconcileRequest(None, False, 24, large=True))

    assert cautious.window == Window(MIDNIGHT - 9 * HOUR, MIDNIGHT - 8 * HOUR)
    assert (cautious.left, cautious.large) == ((MIDNIGHT - 7 * HOUR,), (MIDNIGHT - 8 * HOUR,))
    assert told.window == Window(MIDNIGHT - 9 * HOUR, MIDNIGHT - 6 * HOUR)
    only = plan_healing([hour(8, missing=100)], EMPTY)
    assert (only.window, only.large) == (None, (MIDNIGHT - 8 * HOUR,))
    assert plan_healing([], EMPTY).window is None


@given(
    st.dictionaries(st.integers(1, 60), st.integers(0, 100)).map(
        lambda found: [hour(number, missing) for number, missing in found.items()]
    ),
    st.integers(1, 30),
    st.booleans(),
)
def test_a_range_is_bounded_and_has_no_hour_that_is_too_large(
    differ: list[ReconciledHour], most_hours: int, large: bool
) -> None:
    healing = plan_healing(differ, ReconcileRequest(None, False, most_hours, large))

    missing = {one.received_hour for one in differ if one.missing_here}
    assert {*healing.hours, *healing.left, *healing.large} == missing
    assert len(healing.hours) + len(healing.left) + len(healing.large) == len(missing)
    if healing.window is None:
        assert missing == {*healing.large}
        return
    read = {part.start for part in hours(healing.window)}
    assert len(read) <= most_hours
    assert not read & {*healing.large}
    assert read & missing == {*healing.hours}
    assert healing.window.start == min(healing.hours)


def test_yesterday_is_that_of_utc() -> None:
    seoul = AT.astimezone(datetime.strptime("+0900", "%z").tzinfo)

    assert windows(EMPTY, seoul, []) == windows(EMPTY, AT, [])
