"""The views on real Trino: what is staged is there before it is loaded, and Segment's tools find their columns."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from clickstream.plan.file import TrackingPlan, read_plan
from local.lake.scratch import ScratchLake
from local.segment.events import generate_day

HOUR = timedelta(hours=1)

# What dbt-labs/segment (195d680, models/base/segment_web_page_views.sql) reads of a row of `pages`, with the types.
DBT_SEGMENT_PAGES = {
    "id": "varchar", "anonymous_id": "varchar", "user_id": "varchar", "received_at": "timestamp",
    "sent_at": "timestamp", "timestamp": "timestamp", "url": "varchar", "path": "varchar", "title": "varchar",
    "search": "varchar", "referrer": "varchar", "context_campaign_source": "varchar",
    "context_campaign_medium": "varchar",
    "context_campaign_name": "varchar", "context_campaign_term": "varchar", "context_campaign_content": "varchar",
    "context_ip": "varchar", "context_user_agent": "varchar",
}  # fmt: skip
# What GrowthBook reads of a Segment warehouse: growthbook/growthbook 5f23708, SegmentSchema in
# packages/back-end/src/services/datasource.ts, and getSegmentResources for the fact tables over tracks and pages.
IDS = {"user_id": "varchar", "anonymous_id": "varchar"}
DIMENSIONS = {"context_campaign_source": "varchar", "context_campaign_medium": "varchar"}
GROWTHBOOK = {
    "experiment_viewed": {
        **IDS, **DIMENSIONS, "received_at": "timestamp", "experiment_id": "varchar", "variation_id": "varchar",
        "context_user_agent": "varchar",
    },
    "identifies": IDS,
    "tracks": {**IDS, **DIMENSIONS, "received_at": "timestamp", "event": "varchar", "context_user_agent": "varchar"},
    "pages": {
        **IDS, **DIMENSIONS, "received_at": "timestamp", "path": "varchar", "title": "varchar", "url": "varchar",
        "referrer": "varchar", "search": "varchar",
    },
    # A metric is made over the table of its event.
    "order_completed": {**IDS, "received_at": "timestamp", "revenue": "decimal"},
}  # fmt: skip
COMMON = ("id", "anonymous_id", "user_id", "received_at", "sent_at", "original_timestamp", "timestamp", "uuid_ts",
          "loaded_at", "context_ip", "context_library_name", "context_page_url", "context_user_agent")  # fmt: skip
# https://www.twilio.com/docs/segment/connections/storage/warehouses/schema, and the reserved traits of the spec.
SEGMENT = {
    "tracks": (*COMMON, "event", "event_text"),
    "pages": (*COMMON, "name", "category", "path", "referrer", "search", "title", "url"),
    "screens": (*COMMON, "name"),
    "identifies": (*COMMON, "email", "name", "first_name", "last_name", "phone", "created_at", "company", "address"),
    "groups": (*COMMON, "group_id", "name", "industry", "employees", "plan"),
    "aliases": (*COMMON, "previous_id"),
    "users": ("id", "email", "name", "received_at", "uuid_ts", "context_ip"),
    "order_completed": (*COMMON, "event", "event_text"),
}
PLAN = TrackingPlan(
    tuple(event for event in read_plan().events if event.name in ("Experiment Viewed", "Order Completed"))
)


def message(message_id: str, at: datetime, **more: Any) -> bytes:
    return json.dumps({"messageId": message_id, "receivedAt": at.isoformat(), **more}).encode()


def staged_name(instant: datetime, name: str) -> str:
    return f"{instant:%Y%m%dT%H%M%S}000Z-{name}.gz"


def contents(lake: ScratchLake, table: str) -> list[dict[str, Any]]:
    rows = sorted(lake.rows(table), key=lambda row: row["message_id"])
    return [{name: value for name, value in row.items() if name not in ("loaded_at", "load_run_id")} for row in rows]


def named(lake: ScratchLake, view: str) -> str:
    return lake.t.segment(view) if view in lake.t.SEGMENT_VIEWS else lake.t.segment_event(view)


def segment(lake: ScratchLake, view: str, columns: str = "*") -> list[dict[str, Any]]:
    return lake.query(f"select {columns} from {named(lake, view)}")


def types(lake: ScratchLake, view: str) -> dict[str, str]:
    rows = lake.query(f"describe {named(lake, view)}")
    return {row["Column"]: row["Type"].partition("(")[0] for row in rows}


def test_what_is_staged_is_there_as_it_will_be_when_it_is_loaded(lake: ScratchLake) -> None:
    now = datetime.now(UTC)
    day = list(generate_day(5, now, users=20))
    half = len(day) // 2
    lake.stage(staged_name(now - HOUR, "a"), gzip.compress(b"\n".join(day[:half])))
    lake.load("one")
    lake.publish_views()
    lake.stage(staged_name(now, "b"), gzip.compress(b"\n".join([*day[half - 20 :], *day[-30:]])))

    live = contents(lake, "events_live")
    waiting = lake.query(f"select count(*) as rows from {lake.t.events_live} where loaded_at is null")[0]["rows"]

    lake.load("two")
    assert live == contents(lake, "events")
    assert contents(lake, "events_live") == live
    assert 100 < waiting < len(live)


def test_events_live_moves_on_and_does_not_open_objects_that_are_loaded_long_since(lake: ScratchLake) -> None:
    """A broken object among them would fail every query that opened it."""
    now = datetime.now(UTC)
    lake.stage(staged_name(now - 20 * HOUR, "old"), gzip.compress(message("old", now - 20 * HOUR)))
    assert lake.publish_views() == ["events_live", "cost_by_day", *lake.t.SEGMENT_VIEWS]
    assert lake.publish_views() == []
    lake.load("one")
    assert lake.publish_views() == ["events_live"]
    lake.stage(staged_name(now - 20 * HOUR, "broken"), gzip.compress(b"x" * 1000)[:20])
    lake.stage(staged_name(now, "new"), gzip.compress(message("new", now)))

    assert [row["message_id"] for row in contents(lake, "events_live")] == ["new", "old"]


def test_calls_are_in_the_view_of_their_type_with_the_columns_that_segment_s_tools_read(lake: ScratchLake) -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    later = now + timedelta(minutes=1)
    messages = [
        message("t", now, type="track", event="Order Completed", userId="u1", properties={"total": 5, "id": 7}),
        message(
            "e",
            now,
            type="track",
            event="Experiment Viewed",
            anonymousId="d1",
            properties={"experimentId": "new-cart", "variationId": "1"},
        ),
        message("p", now, type="page", name="Home", properties={"path": "/", "url": "https://x.y/", "title": "Home"}),
        message("p2", now, type="page", properties=["no object"]),
        message("s", now, type="screen", name="Cart"),
        message("i", now, type="identify", userId="u1", traits={"email": "a@x.y", "firstName": "A", "age": 41}),
        message(
            "i2", later, type="identify", userId="u1", traits={"email": "b@x.y", "createdAt": "2026-01-02T03:04:05Z"}
        ),
        message("g", now, type="group", userId="u1", groupId="g1", traits={"name": "ACME", "employees": 3}),
        message("a", now, type="alias", userId="u1", previousId="anonymous"),
    ]
    lake.stage(staged_name(now, "a"), gzip.compress(b"\n".join(messages)))
    assert lake.publish_event_views(PLAN) == [], "not before the tables are there"
    lake.load("one", plan=PLAN)
    lake.publish_views()
    assert lake.publish_event_views(PLAN) == ["order_completed", "experiment_viewed"]
    assert lake.publish_event_views(PLAN) == []

    for view, columns in SEGMENT.items():
        assert set(columns) <= set(types(lake, view)), view
    pages = types(lake, "pages")
    assert {name: pages[name] for name in DBT_SEGMENT_PAGES} == DBT_SEGMENT_PAGES
    for view, read in GROWTHBOOK.items():
        found = types(lake, view)
        assert {name: found.get(name) for name in read} == read, view
    assert sorted(segment(lake, "tracks", "id, event, event_text, user_id"), key=lambda row: row["id"]) == [
        {"id": "e", "event": "experiment_viewed", "event_text": "Experiment Viewed", "user_id": None},
        {"id": "t", "event": "order_completed", "event_text": "Order Completed", "user_id": "u1"},
    ]
    assert segment(lake, "order_completed", "id, event, user_id, total, received_at") == [
        {"id": "t", "event": "order_completed", "user_id": "u1", "total": 5.0, "received_at": now}
    ]
    assert segment(lake, "experiment_viewed", "anonymous_id, experiment_id, variation_id") == [
        {"anonymous_id": "d1", "experiment_id": "new-cart", "variation_id": "1"}
    ]
    assert sorted(segment(lake, "pages", "id, name, path, url, title, search"), key=lambda row: row["id"]) == [
        {"id": "p", "name": "Home", "path": "/", "url": "https://x.y/", "title": "Home", "search": None},
        {"id": "p2", "name": None, "path": None, "url": None, "title": None, "search": None},
    ]
    assert segment(lake, "screens", "id, name") == [{"id": "s", "name": "Cart"}]
    assert len(segment(lake, "identifies")) == 2
    assert segment(lake, "groups", "group_id, name, employees") == [
        {"group_id": "g1", "name": "ACME", "employees": 3.0}
    ]
    assert segment(lake, "aliases", "user_id, previous_id") == [{"user_id": "u1", "previous_id": "anonymous"}]
    assert segment(lake, "users", "id, email, first_name, age, created_at, received_at") == [
        {
            "id": "u1", "email": "b@x.y", "first_name": "A", "age": 41.0,
            "created_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "received_at": later,
        }
    ]  # fmt: skip
