"""Which views are made anew, and where the staged part of events_live begins."""

from datetime import UTC, datetime, timedelta

import pytest

from clickstream.settings import Settings
from clickstream.sql import SQL_DIR, TableNames
from clickstream.views import MARGIN, definitions, live_from, outdated, split_head
from tests.clickstream.staged_objects import NOW, staged_object

HOUR = timedelta(hours=1)
SETTINGS = Settings(staging_bucket="staging-bucket", lake_bucket="lake-bucket", crawler="the-crawler")


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
    views = definitions(SETTINGS, live_from([], frozenset(), NOW, SETTINGS))
    comments = {(view.schema, view.name): f"Any text. [{view.digest}]" for view in views}

    assert outdated(views, comments) == []
    assert outdated(views, {}) == views
    comments["clickstream_segment", "pages"] = "Page calls. [0123456789ab]"
    comments["clickstream_segment", "users"] = None
    assert [view.name for view in outdated(views, comments)] == ["pages", "users"]
    later = definitions(SETTINGS, live_from([], frozenset(), NOW + HOUR, SETTINGS))
    assert [view.name for view in outdated(later, {(v.schema, v.name): f"[{v.digest}]" for v in views})] == [
        "events_live"
    ]


def test_every_file_is_a_view_and_is_made_after_what_it_reads() -> None:
    views = definitions(SETTINGS, live_from([], frozenset(), NOW, SETTINGS))

    assert {view.name for view in views} == {path.stem for path in SQL_DIR.glob("views/*/*.sql")}
    names = [view.name for view in views]
    assert names.index("identifies") < names.index("users")
    assert all(view.statement.parameters == () for view in views)


def test_the_comment_is_the_head_of_the_file() -> None:
    view = next(
        view for view in definitions(SETTINGS, live_from([], frozenset(), NOW, SETTINGS)) if view.name == "pages"
    )

    assert f"comment 'Page calls, as in Segment''s pages. Grain: one message. [{view.digest}]'" in view.statement.text
    assert split_head("-- One\n-- two. Parameters: x\nselect 1\nfrom t") == ("One two.", "select 1\nfrom t")


@pytest.mark.parametrize("name", ["pages2", "", 'pages"', "users; drop table x"])
def test_no_view_but_ours_has_a_name(name: str) -> None:
    with pytest.raises(ValueError, match="no view of Segment's"):
        TableNames(SETTINGS).segment(name)


def test_an_instant_of_another_zone_is_the_same_start() -> None:
    seoul = datetime(2026, 11, 24, 21, tzinfo=UTC).astimezone()

    assert live_from([], frozenset(), seoul, SETTINGS).path.endswith("20261124T190000")
