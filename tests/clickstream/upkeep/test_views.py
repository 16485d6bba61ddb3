"""Which views are made anew, and where the staged part of events_live begins."""

from datetime import UTC, datetime, timedelta

import pytest

from clickstream.engine.sql import SQL_DIR, TableNames
from clickstream.plan.file import parse_plan
from clickstream.settings import Settings
from clickstream.upkeep.views import (
    MARGIN,
    View,
    event_views,
    live_from,
    load_views,
    outdated,
    session_views,
    split_head,
)
from tests.clickstream.staged_objects import NOW, staged_object

HOUR = timedelta(hours=1)
SETTINGS = Settings(staging_bucket="staging-bucket", lake_bucket="lake-bucket", crawler="the-crawler")


PLAN = parse_plan(
    """
version: 1
events:
  Ordered: {description: "It's\\n-- an order.", owner: a, status: live, sources: [a], table: orders, properties: {
    id: {type: string}, total: {type: number}, gift: {properties: {message: {type: string}}}},
    retired_columns: {note: varchar}}
  Users: {description: "Of an app.", owner: a, status: deprecated, sources: [a]}
  Drafts: {description: Not yet., owner: a, status: proposed, sources: [a]}
""",
    "plan",
)


def every_view(now: datetime = NOW) -> list[View]:
    start = live_from([], frozenset(), now, SETTINGS)
    return [
        *load_views(SETTINGS, start),
        *session_views(SETTINGS),
        *event_views(SETTINGS, PLAN, {event.table for event in PLAN.events}),
    ]


def test_the_staged_part_begins_with_the_oldest_object_that_is_not_loaded() -> None:
    loaded, waiting, new = (staged_object("x", NOW - hours * HOUR) for hours in (9, 5, 1))

    start = live_from([new, waiting, loaded], frozenset([loaded.path]), NOW, SETTINGS)

    assert start.staged_at == NOW - 5 * HOUR
    assert start.path == "s3://staging-bucket/staging/20261124T070000"
    assert start.path < waiting.path.replace("clickstream-staging-000000000000", "staging-bucket")


def test_with_everything_loaded_it_begins_a_margin_ago() -> None:
    new = staged_object("x", NOW)

    assert live_from([new], frozenset([new.path]), NOW, SETTINGS).staged_at == NOW - MARGIN
    assert live_from([], frozenset(), NOW, SETTINGS).staged_at == NOW - MARGIN


def test_only_what_is_missing_or_different_is_made() -> None:
    views = every_view()
    comments = {(view.schema, view.name): f"Any text. [{view.digest}]" for view in views}

    assert outdated(views, comments) == []
    assert outdated(views, {}) == views
    comments["clickstream_segment", "pages"] = "Page calls. [0123456789ab]"
    comments["clickstream_segment", "users"] = None
    assert [view.name for view in outdated(views, comments)] == ["pages", "users"]
    later = every_view(NOW + HOUR)
    assert [view.name for view in outdated(later, {(v.schema, v.name): f"[{v.digest}]" for v in views})] == [
        "events_live"
    ]


def test_every_file_is_a_view_and_is_made_after_what_it_reads() -> None:
    views = every_view()

    files = {path.stem for path in SQL_DIR.glob("views/*/*.sql")}
    assert {view.name for view in views} == files - {"event"} | {"orders", "_users"}
    names = [view.name for view in views]
    for earlier, later in (("identifies", "users"), ("session_events", "flows"), ("identities", "people")):
        assert names.index(earlier) < names.index(later)
    assert all(view.statement.parameters == () for view in views)


def test_the_comment_is_the_head_of_the_file_or_what_the_plan_says() -> None:
    views = {view.name: view for view in every_view()}

    pages, orders = views["pages"], views["orders"]
    assert f"comment 'Page calls, as in Segment''s pages. Grain: one message. [{pages.digest}]'" in pages.statement.text
    assert f"comment 'It''s\n-- an order. [{orders.digest}]'" in orders.statement.text
    assert split_head("-- One\n-- two. Parameters: x\nselect 1\nfrom t") == ("One two.", "select 1\nfrom t")


def test_an_event_has_a_view_once_its_table_is_there_and_none_takes_the_name_of_one_of_segment_s() -> None:
    assert [view.name for view in event_views(SETTINGS, PLAN, {"orders", "users", "drafts"})] == ["orders", "_users"]
    assert [view.name for view in event_views(SETTINGS, PLAN, {"users"})] == ["_users"]


def test_the_view_of_an_event_has_its_properties_but_those_named_like_segment_s_own() -> None:
    text = event_views(SETTINGS, PLAN, {"orders"})[0].statement.text

    listed = [line.strip(" ,") for line in text.partition("select")[2].splitlines()]
    assert listed[1:6] == ["event", "event_text", '"total"', '"gift_message"', '"note"']
    assert listed[6:8] == ["message_id as id", "anonymous_id"]
    assert '"id"' not in listed


@pytest.mark.parametrize("name", ["pages2", "", 'pages"', "users; drop table x"])
def test_no_view_but_ours_has_a_name(name: str) -> None:
    with pytest.raises(ValueError, match="no view of Segment's"):
        TableNames(SETTINGS).segment(name)


@pytest.mark.parametrize("name", ["pages", "", 'a"', "x; drop table y"])
def test_no_view_of_an_event_has_another_s_name_or_none(name: str) -> None:
    with pytest.raises(ValueError, match="no view of an event"):
        TableNames(SETTINGS).segment_event(name)


def test_an_instant_of_another_zone_is_the_same_start() -> None:
    seoul = datetime(2026, 11, 24, 21, tzinfo=UTC).astimezone()

    assert live_from([], frozenset(), seoul, SETTINGS).path.endswith("20261124T190000")
