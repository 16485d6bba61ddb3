"""What a run of rebuild_typed_events is asked for, and what keeps it from a table that is to be altered."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from clickstream.form import FormError
from clickstream.plan.file import TrackingPlan, parse_plan
from clickstream.plan.rebuild import PendingChangesError, RebuildRequest, chosen, read_rebuild_request, require_current
from clickstream.settings import Settings
from clickstream.window import Window, days

START, END = datetime(2026, 11, 23, 5, tzinfo=UTC), datetime(2026, 11, 25, 6, tzinfo=UTC)
FORM: dict[str, Any] = {"from": START.isoformat(), "to": END.isoformat(), "event": None}
SETTINGS = Settings(staging_bucket="a", lake_bucket="b", crawler="c")
ABOUT = "description: a, owner: b, sources: [c]"
PLAN = f"""
version: 1
events:
  Order Completed: {{{ABOUT}, status: live, properties: {{total: {{type: number}}}}}}
  Parcel Sent: {{{ABOUT}, status: live, table: parcels}}
  Not Yet: {{{ABOUT}, status: proposed}}
  No More: {{{ABOUT}, status: deprecated}}
"""


def plan() -> TrackingPlan:
    return parse_plan(PLAN, "plan.yaml")


def test_a_time_and_an_event_are_asked_for() -> None:
    assert read_rebuild_request(FORM) == RebuildRequest(Window(START, END))
    assert read_rebuild_request({**FORM, "event": "Parcel Sent"}) == RebuildRequest(Window(START, END), "Parcel Sent")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"from": None}, "give both"),
        ({"to": ""}, "give both"),
        ({"from": END.isoformat(), "to": START.isoformat()}, "must be before"),
        ({"from": "2025-01-01T00:00:00Z"}, "at most 366"),
        ({"event": ["a"]}, "event="),
    ],
)
def test_what_is_no_request(params: dict[str, Any], message: str) -> None:
    with pytest.raises(FormError, match=message):
        read_rebuild_request({**FORM, **params})


@pytest.mark.parametrize(
    ("event", "tables"),
    [("", ["order_completed", "parcels"]), ("Parcel Sent", ["parcels"]), ("parcels", ["parcels"])],
)
def test_live_events_are_chosen_by_name_or_table(event: str, tables: list[str]) -> None:
    assert [one.table for one in chosen(plan(), event).events] == tables


@pytest.mark.parametrize("event", ["Not Yet", "No More", "parcel_sent", "'; drop table x"])
def test_an_event_without_a_table_to_fill_is_refused(event: str) -> None:
    with pytest.raises(FormError, match="no live event"):
        chosen(plan(), event)


def tables(*left_out: str) -> Any:
    """Runs the question for columns: those of all live events, as the plan has them, but these."""
    rows = [
        {
            "table_schema": "clickstream_events",
            "table_name": event.table,
            "column_name": column.name,
            "data_type": column.type,
            "column_comment": "old" if f"{event.table}.{column.name} comment" in left_out else column.comment,
        }
        for event in plan().live
        for column in event.shape
        if not {event.table, f"{event.table}.{column.name}"} & set(left_out)
    ]
    return lambda _, **__: SimpleNamespace(rows=rows)


@pytest.mark.parametrize(
    ("left_out", "pending"),
    [
        ("parcels", "create clickstream_events.parcels"),
        ("order_completed.total", "add_column clickstream_events.order_completed.total"),
        ("order_completed.total comment", "comment_column clickstream_events.order_completed.total"),
    ],
)
def test_no_table_is_written_that_a_load_would_alter(left_out: str, pending: str) -> None:
    require_current(tables(), plan(), SETTINGS)

    with pytest.raises(PendingChangesError) as refused:
        require_current(tables(left_out), plan(), SETTINGS)

    assert str(refused.value).splitlines()[0] == pending


def test_a_time_is_cut_at_midnight_utc() -> None:
    seoul = Window(datetime.fromisoformat("2026-11-24T07:00:00+09:00"), END - timedelta(hours=6))

    assert [str(day) for day in days(seoul)] == [
        "2026-11-23T22:00:00Z to 2026-11-24T00:00:00Z",
        "2026-11-24T00:00:00Z to 2026-11-25T00:00:00Z",
    ]
