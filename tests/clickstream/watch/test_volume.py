"""How an hour compares with the same hour of past weeks."""

from collections.abc import Sequence

import pytest

from clickstream.watch.volume import HOURS, Verdict, judge

DAY = range(HOURS)


@pytest.mark.parametrize(
    ("count", "low", "high", "verdict"),
    [
        (0, 1, 9, Verdict.SILENT),
        (1, 2, 9, Verdict.LOW),
        (2, 2, 9, Verdict.USUAL),
        (10, 2, 9, Verdict.HIGH),
        # Nothing is usual in some weeks: an hour of nothing says nothing.
        (0, 0, 5, Verdict.FEW),
        (1, 0, 5, Verdict.USUAL),
        (6, 0, 5, Verdict.HIGH),
    ],
)
def test_the_latest_hour_but_one_is_judged(count: int, low: int, high: int, verdict: Verdict) -> None:
    hours: Sequence[int] = [*[0] * (HOURS - 2), count, 0]

    assert judge(hours, [low for _ in DAY], [high for _ in DAY]) == verdict


def test_without_past_weeks_nothing_is_judged() -> None:
    assert judge([0 for _ in DAY], [], []) == Verdict.UNKNOWN
