"""What the collector accepted beside what was loaded: requests, and the verdict."""

from datetime import UTC, datetime, timedelta

import pytest

from clickstream.form import FormError
from clickstream.window import HOUR, Window
from tools.collector_check import Hour, compared, function_of, read_window

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        # The 24 hours that ended two hours ago.
        (None, None, ("2026-11-23T10:00:00+00:00", "2026-11-24T10:00:00+00:00")),
        ("2026-11-24T01:00:00Z", None, ("2026-11-24T01:00:00+00:00", "2026-11-24T10:00:00+00:00")),
        (
            "2026-11-20T09:00:00+09:00",
            "2026-11-20T01:00:00Z",
            ("2026-11-20T00:00:00+00:00", "2026-11-20T01:00:00+00:00"),
        ),
        ("2026-11-24T01:30:00Z", None, "from=.* must be a full hour"),
        (None, "2026-11-24T01:00:01Z", "to=.* must be a full hour"),
        ("2026-11-24T11:00:00Z", None, "from must be before to"),
        ("2020-01-01T00:00:00Z", None, "by a year at most"),
    ],
)
def test_a_range_is_of_full_hours(start: str | None, end: str | None, expected: tuple[str, str] | str) -> None:
    given = {"from": start, "to": end}
    if isinstance(expected, str):
        with pytest.raises(FormError, match=expected):
            read_window(given, NOON + timedelta(minutes=59))
    else:
        assert read_window(given, NOON + timedelta(minutes=59)) == Window(*map(datetime.fromisoformat, expected))


def test_the_function_is_named_where_it_is_not_the_only_one() -> None:
    assert function_of(["a"], "") == function_of(["a", "b"], "a") == "a"
    for names, wanted, said in (
        ([], "", "has the collector taken a request"), (["a", "b"], "", "must name the collector: a, b"),
        (["a"], "c", "no metrics of it; there are a"), ([], "c", "there are none"),
    ):  # fmt: skip
        with pytest.raises(FormError, match=said):
            function_of(names, wanted)


@pytest.mark.promise("P11")
@pytest.mark.parametrize(
    ("accepted", "loaded", "left", "missing"),
    [(10, 10, 0, 0), (10, 7, 3, 0), (10, 7, 2, 1), (10, 0, 0, 10), (0, 5, 9, 0)],
)
def test_what_is_neither_loaded_nor_may_be_left_over_is_missing(
    accepted: int, loaded: int, left: int, missing: int
) -> None:
    rows = [{"received_hour": NOON, "rows_loaded": loaded, "rows_left": left}]

    (hour,) = compared({NOON: accepted, NOON + HOUR: 99}, rows)

    assert hour == Hour(NOON, accepted, loaded, left)
    assert hour.missing == missing
