"""Which hours are read from the archive, and what its layout is."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.load.archive import (
    AROUND,
    ArchivedObject,
    arrival_hour,
    arrivals,
    days,
    divide,
    hour_folder,
    hours_wanted,
    no_data,
    received_day,
)
from clickstream.window import Window, hours, joined
from tests.clickstream.staged_objects import NOW, staged_object

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def archived(day: date, source: str = "source") -> ArchivedObject:
    folder = f"{source}/{int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000}"
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return ArchivedObject(f"s3://archive/segment-logs/{folder}/a.gz", 10, at, folder)


def archived_hour(hour: datetime) -> ArchivedObject:
    return ArchivedObject(f"s3://archive/archive/{hour_folder(hour)}/a.gz", 10, hour, hour_folder(hour))


@pytest.mark.parametrize(
    ("name", "day"),
    [
        # `date -u -d 2026-11-24 +%s` prints 1795478400.
        ("1795478400000", date(2026, 11, 24)),
        ("1795478400", date(2026, 11, 24)),
        ("1795564799999", date(2026, 11, 24)),
        ("1795564800000", date(2026, 11, 25)),
        ("179547840000", None),
        ("17954784000000", None),
        ("2026-11-24", None),
        ("", None),
        ("1795478400000\n", None),
        ("dummy-object.txt", None),
    ],
)
def test_a_received_day_is_unix_milliseconds_or_seconds(name: str, day: date | None) -> None:
    assert received_day(name) == day


@pytest.mark.parametrize(
    ("name", "hour"),
    [
        ("2026/11/24/05", datetime(2026, 11, 24, 5, tzinfo=UTC)),
        ("0001/01/01/00", datetime(1, 1, 1, tzinfo=UTC)),
        ("2026/11/24/24", None),
        ("2026/02/30/05", None),
        ("0000/01/01/00", None),
        ("2026/11/24", None),
        ("2026/11/24/05/", None),
        ("2026/11/24/05/deeper", None),
        ("2026/11/24/05\n", None),
        ("x/2026/11/24/05", None),
        ("source/1795478400000", None),
        ("", None),
    ],
)
def test_an_hour_is_named_by_its_four_folders(name: str, hour: datetime | None) -> None:
    assert arrival_hour(name) == hour
    assert hour is None or hour_folder(hour) == name


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_hour_folders_are_in_the_order_of_their_hours(one: datetime, other: datetime) -> None:
    first, second = (hour_folder(at) for at in sorted([one, other]))

    assert first <= second
    assert arrival_hour(first) == min(one, other).replace(minute=0, second=0, microsecond=0)


def test_an_hour_reads_its_folder_and_those_beside_it() -> None:
    assert arrivals([Window(NOW, NOW + HOUR)]) == (Window(NOW - HOUR, NOW + 2 * HOUR),)
    assert arrivals([Window(NOW, NOW + DAY)]) == (Window(NOW - HOUR, NOW + DAY + HOUR),)
    apart = [Window(NOW, NOW + HOUR), Window(NOW + 9 * HOUR, NOW + 10 * HOUR)]
    assert len(arrivals(apart)) == 2
    assert arrivals([]) == ()


def test_days_are_those_that_a_window_touches() -> None:
    midnight = datetime(2026, 11, 24, tzinfo=UTC)

    assert days([Window(midnight - HOUR, midnight)]) == {date(2026, 11, 23)}
    assert days([Window(midnight - HOUR, midnight + HOUR)]) == {date(2026, 11, 23), date(2026, 11, 24)}
    assert days([Window(midnight, midnight + 2 * DAY), Window(midnight - 9 * DAY, midnight - 8 * DAY)]) == {
        date(2026, 11, 24),
        date(2026, 11, 25),
        date(2026, 11, 15),
    }
    assert days([]) == frozenset()


def test_auto_reads_from_the_archive_what_staging_may_no_longer_hold_whole() -> None:
    window = Window(NOW - 4 * HOUR, NOW)
    staged = [staged_object("a", NOW - timedelta(minutes=minutes)) for minutes in (10, 70, 190)]

    wanted = hours_wanted("auto", window, staged, NOW - 2 * HOUR, True)

    # The hours that began 4 and 3 hours ago are too old, though one has an object left; the last two are there.
    assert wanted == [Window(NOW - 4 * HOUR, NOW - 3 * HOUR), Window(NOW - 3 * HOUR, NOW - 2 * HOUR)]
    assert hours_wanted("auto", window, staged[1:], NOW - 2 * HOUR, True)[-1] == Window(NOW - HOUR, NOW)


@pytest.mark.parametrize(
    ("source", "has_archive", "count"),
    [("auto", True, 3), ("auto", False, 0), ("staging", True, 0), ("archive", True, 3), ("archive", False, 3)],
)
def test_the_source_that_is_asked_for_is_read(source: str, has_archive: bool, count: int) -> None:
    assert len(hours_wanted(source, Window(NOW, NOW + 3 * HOUR), [], NOW, has_archive)) == count


def test_hours_of_a_day_that_the_archive_lacks_are_looked_for_in_staging() -> None:
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    window = Window(midnight - 2 * HOUR, midnight + 2 * HOUR)

    staging, archive = divide(window, list(hours(window)), [archived(date(2026, 11, 23))])

    assert archive == (Window(midnight - 2 * HOUR, midnight),)
    assert staging == (Window(midnight, midnight + 2 * HOUR),)


def test_hours_near_one_that_the_archive_has_are_read_from_it() -> None:
    """Events of an hour may be in an object that was begun in the hour before; further away there is none."""
    window = Window(NOW - 3 * HOUR, NOW + 4 * HOUR)

    staging, archive = divide(window, list(hours(window)), [archived_hour(NOW)])

    assert archive == (Window(NOW - HOUR, NOW + 2 * HOUR),)
    assert staging == (Window(NOW - 3 * HOUR, NOW - HOUR), Window(NOW + 2 * HOUR, NOW + 4 * HOUR))


def test_a_range_over_the_day_of_leaving_segment_is_read_from_both_layouts() -> None:
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    window = Window(midnight - 2 * HOUR, midnight + DAY + 3 * HOUR)
    there = [archived(date(2026, 11, 23)), archived(date(2026, 11, 24)), archived_hour(midnight + DAY + HOUR)]

    staging, archive = divide(window, list(hours(window)), there)

    assert (staging, archive) == ((), (window,))


MINUTES = st.integers(-5_000, 5_000).map(lambda minutes: NOW + timedelta(minutes=minutes))
WINDOWS = st.tuples(MINUTES, MINUTES).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: Window(*sorted(pair)))


@given(WINDOWS, MINUTES, st.timedeltas(timedelta(0), 30 * MINUTE), st.timedeltas(timedelta(0), 30 * MINUTE))
def test_a_message_is_in_a_folder_that_is_listed_for_its_time(
    window: Window, received: datetime, delay: timedelta, waited: timedelta
) -> None:
    """It comes `delay` after it was received, into an object whose oldest event had `waited` by then."""
    folder = (received + delay - waited).replace(minute=0, second=0, microsecond=0)
    listed = arrivals([window])

    assert any(span.holds(folder) for span in listed) or not window.holds(received)
    assert all(span.start >= window.start - AROUND - HOUR and span.end <= window.end + AROUND + HOUR for span in listed)


@given(
    WINDOWS, st.sets(st.integers(-4, 4)), st.sets(st.integers(-90, 90)), st.sets(st.integers(-90, 90)),
    st.integers(-90, 90),
)  # fmt: skip
def test_every_instant_of_the_window_is_read_from_exactly_one_place(
    window: Window, archive_days: set[int], archive_hours: set[int], staged_hours: set[int], kept_hours: int
) -> None:
    staged = [staged_object(str(number), NOW + number * HOUR) for number in staged_hours]
    of_hours = [archived_hour(NOW + number * HOUR) for number in archive_hours]
    present = [*(archived((NOW + number * DAY).date()) for number in archive_days), *of_hours]

    wanted = hours_wanted("auto", window, staged, NOW - kept_hours * HOUR, True)
    staging, archive = divide(window, wanted, present)

    both = sorted([*staging, *archive])
    assert joined(both) == (window,)
    assert sum(((part.end - part.start) for part in both), timedelta()) == window.end - window.start
    near = [Window(item.staged_at - HOUR, item.staged_at + 2 * HOUR) for item in of_hours]
    assert all(
        part.start.date() in {(NOW + number * DAY).date() for number in archive_days}
        or any(span.holds(part.start) for span in near)
        for whole in archive
        for part in hours(whole)
    )


@given(WINDOWS)
def test_hours_are_cut_at_full_hours_and_make_the_window(window: Window) -> None:
    parts = list(hours(window))

    assert joined(parts) == (window,)
    assert all(part.end - part.start <= HOUR for part in parts)
    assert all(part.start.minute == part.start.second == 0 for part in parts[1:])


def test_a_range_with_no_data_says_where_it_was_looked_for() -> None:
    window = Window(NOW, NOW + HOUR)
    staged = [staged_object("a", NOW - HOUR), staged_object("b", NOW - 2 * HOUR)]

    both = ("s3://archive/segment-logs/", "s3://archive/archive/")
    assert no_data(window, "auto", staged, both) == (
        "no data from 2026-11-24T12:00:00Z to 2026-11-24T13:00:00Z: staging holds what was staged "
        "2026-11-24T10:00:00Z to 2026-11-24T11:00:00Z; nothing of that time in s3://archive/segment-logs/ and "
        "s3://archive/archive/"
    )
    assert "CLICKSTREAM_ARCHIVE_BUCKET is not set" in no_data(window, "auto", [], ())
    assert "staging" not in no_data(window, "archive", staged, both)
    assert no_data(window, "staging", [], ()).endswith(": staging is empty")
