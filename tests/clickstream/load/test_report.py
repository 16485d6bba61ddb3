"""The report of a run: the numbers add up, or it says so."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.engine.spent import Spent
from clickstream.load.report import RunReport, report_from_row

COUNTS = st.integers(0, 10**9)
ROW: dict[str, Any] = {
    "objects": 3,
    "bytes": 1_234_567,
    "rows_read": 60,
    "rows_loaded": 50,
    "rows_duplicate": 7,
    "rows_rejected": 3,
    "rejected_by_reason": '{"not_json": 2, "blank": 1}',
    "first_received_at": datetime(2026, 11, 24, 5, 0, 1, tzinfo=UTC),
    "last_received_at": datetime(2026, 11, 24, 5, 59, 59, tzinfo=UTC),
}


def test_text_of_a_run() -> None:
    assert report_from_row("manual__1", ROW).text().splitlines() == [
        "run         manual__1",
        "objects     3 (1,234,567 bytes)",
        "rows read   60",
        "= loaded    50",
        "+ duplicate 7",
        "+ rejected  3 (blank 1, not_json 2)",
        "received    2026-11-24 05:00:01 to 2026-11-24 05:59:59 UTC",
    ]


def test_text_says_what_it_cost_and_how_far_the_forecast_was_off() -> None:
    spent = Spent(42, 12.34, 5_000_000, 700, 10_000_000, 13)
    report = replace(report_from_row("manual__1", ROW), spent=spent, dollars=0.006, forecast_dollars=0.004)

    assert report.text().splitlines()[-2:] == [
        "cost        $0.006 at list prices: 42 queries, 12.3 s of CPU, 5,000,000 bytes read, 700 written, "
        "13 tries of tasks",
        "forecast    $0.004 by the runs before it; it cost +50%",
    ]


def test_text_says_which_day_the_last_message_was_received() -> None:
    over_midnight = {**ROW, "last_received_at": datetime(2026, 11, 26, 0, 10, tzinfo=UTC)}

    text = report_from_row("manual__1", over_midnight).text()

    assert "2026-11-24 05:00:01" in text
    assert "2026-11-26 00:10:00" in text


def test_text_says_which_events_break_rules_the_highest_rate_first() -> None:
    broken = {"a": (3, 1), "c": (2, 1), "b": (4, 2)}
    given = {event: {"messages": of, "violating": count} for event, (of, count) in broken.items()}

    assert report_from_row("manual__1", ROW, None, json.dumps(given)).text().splitlines()[-3:] == [
        "violations  b: 2 of 4 messages (50.0%)",
        "violations  c: 1 of 2 messages (50.0%)",
        "violations  a: 1 of 3 messages (33.3%)",
    ]


@pytest.mark.parametrize(("loaded", "missing"), [(49, 1), (0, 50), (51, -1)])
def test_what_does_not_add_up_is_said(loaded: int, missing: int) -> None:
    report = report_from_row("manual__1", {**ROW, "rows_loaded": loaded})

    assert report.unaccounted == missing
    assert "DOES NOT ADD UP" in report.text()
    assert str(missing) in report.text().splitlines()[-1]


def test_a_run_of_nothing_adds_up() -> None:
    nothing = dict.fromkeys(ROW, 0) | dict.fromkeys(["rejected_by_reason", "first_received_at", "last_received_at"])

    report = report_from_row("r", nothing)

    assert report == RunReport("r")
    assert report.unaccounted == 0
    assert "received" not in report.text()


@pytest.mark.promise("P1")
@given(COUNTS, COUNTS, COUNTS, st.integers(-5, 5))
def test_it_adds_up_exactly_when_every_row_is_somewhere(loaded: int, duplicate: int, rejected: int, off: int) -> None:
    report = RunReport("r", 1, 1, loaded + duplicate + rejected + off, loaded, duplicate, rejected)

    assert report.unaccounted == off
    assert ("DOES NOT ADD UP" in report.text()) == (off != 0)
    assert report.adds_up == (off == 0)


def test_as_plain_values() -> None:
    plain = report_from_row("manual__1", ROW).to_dict()

    assert json.loads(json.dumps(plain)) == plain
    assert plain == {
        **ROW,
        "run_id": "manual__1",
        "rejected_by_reason": {"not_json": 2, "blank": 1},
        "first_received_at": "2026-11-24T05:00:01+00:00",
        "last_received_at": "2026-11-24T05:59:59+00:00",
        "objects_unread": 0,
        "values_discarded": 0,
        "rows_updated": 0,
        "rows_by_delay": {},
        "violations_by_event": {},
        "tables_failed": {},
        "spent": Spent().to_dict(),
        "dollars": 0.0,
        "forecast_dollars": None,
        "seconds": None,
    }
    assert RunReport("r").to_dict()["first_received_at"] is None
