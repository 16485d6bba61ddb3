"""How long each table is kept: stated for all, limited by a team where it may, and never cut within a day."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.engine.retention import SHORTEST_DAYS, kept_days, kept_since, limited_tables, read_retention
from clickstream.engine.sql import lake_tables
from clickstream.engine.tables import Table
from clickstream.erase.tables import NOT_PERSONAL
from clickstream.plan.event import event_table
from clickstream.plan.file import read_plan
from clickstream.settings import Settings, SettingsError
from clickstream.status.look import WEEK_HOURS
from clickstream.watch.alarms import ARRIVALS_FOR, LOOK_BACK, NEAR_END, RECONCILED_SINCE, REFUSED_WITHIN
from clickstream.watch.volume import HOURS, WEEKS

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def settings(retention: str = "", **others: int) -> Settings:
    return Settings(staging_bucket="a", lake_bucket="b", crawler="c", retention=retention, **others)  # type: ignore[arg-type]


def is_personal(table: Table) -> bool:
    return any(column.comment.endswith("PII.") for column in table.columns)


@pytest.mark.scenario("X51")
@pytest.mark.parametrize("table", [*lake_tables().values(), event_table()], ids=lambda table: table.name)
def test_each_table_says_how_long_its_rows_are_kept_or_why_forever(table: Table) -> None:
    kept = table.retention

    assert (kept.days is None) == bool(kept.reason)
    assert kept.days is None or kept.days >= SHORTEST_DAYS
    if kept.days is None and is_personal(table):
        assert kept.after, "a team must be able to decide otherwise"


@pytest.mark.scenario("X51")
def test_personal_data_ends_or_is_the_history_that_a_team_decides_on() -> None:
    """By the marks of the descriptions, and by the list of the erasure: none is kept forever for want of a thought."""
    forever = {name for name, table in lake_tables().items() if table.retention.days is None}

    assert {name for name, table in lake_tables().items() if is_personal(table)} & forever == {"events", "sessions"}
    assert forever - {"events", "sessions"} == set(NOT_PERSONAL) - {"quarantine"}


@pytest.mark.parametrize("table", limited_tables())
def test_where_the_row_stays_its_value_is_the_personal_one(table: str) -> None:
    described = lake_tables()[table]
    blank = described.retention.blank

    assert [column.name for column in described.columns if column.comment.endswith("PII.")] == [blank] or not blank


def test_no_alarm_and_no_comparison_looks_back_further_than_the_shortest_retention() -> None:
    looks = (LOOK_BACK, REFUSED_WITHIN, RECONCILED_SINCE, ARRIVALS_FOR, WEEKS * WEEK_HOURS * HOUR + HOURS * HOUR)

    assert max(looks) < SHORTEST_DAYS * DAY
    assert 2 * NEAR_END < SHORTEST_DAYS * DAY


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("events=400", {"events": 400}),
        (" events = 400 ,sessions=35, rejects=forever,", {"events": 400, "sessions": 35, "rejects": None}),
    ],
)
def test_a_team_sets_days_table_by_table(text: str, found: dict[str, int | None]) -> None:
    assert read_retention(settings(text)) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("events", "'events' is no <table>=<days>"),
        ("events=-1", "'events=-1' is no"),
        ("events=1.5", "is no <table>=<days>"),
        ("events=0", "events=0: must be from 35 to"),
        ("rejects=34", "rejects=34: must be from 35 to 36500 days"),
        ("events=36501", "must be from"),
        ("events=40,events=50", "events: use each of .* once at most"),
        ("load_ledger=400", "load_ledger: use each of discards, events, plan_diff, .*violations once"),
        ("nonsense=400", "nonsense: use each of"),
    ],
)
def test_what_cannot_be_used_is_named_with_what_can(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=f"CLICKSTREAM_RETENTION: .*{said}.*docs/retention.md"):
        read_retention(settings(text))


def test_events_outlast_the_search_for_duplicates() -> None:
    assert read_retention(settings("events=91", dedupe_lookback_days=90)) == {"events": 91}
    with pytest.raises(SettingsError, match="events=90: must be from 91"):
        read_retention(settings("events=90", dedupe_lookback_days=90))


def test_the_tables_of_events_go_with_events() -> None:
    orders, ledger = read_plan().with_table[0].description, lake_tables()["load_ledger"]

    limited = settings("events=400,sessions=35")

    assert kept_days(orders, settings()) is None
    assert kept_days(orders, limited) == kept_days(lake_tables()["events"], limited) == 400
    assert kept_days(replace(orders, name="sessions"), limited) == 400, (
        "an event may be named as a table of the lake is"
    )
    assert kept_days(ledger, limited) is None
    assert kept_days(lake_tables()["rejects"], limited) == 90


def test_a_day_is_over_when_all_of_it_is_older() -> None:
    now = datetime(2026, 11, 24, 3, 40, tzinfo=UTC)

    assert kept_since(now, 90) == datetime(2026, 8, 26, tzinfo=UTC)
    assert kept_since(now.replace(hour=0, minute=0), 90) == datetime(2026, 8, 26, tzinfo=UTC)


@pytest.mark.scenario("X51")
@given(st.datetimes(datetime(2100, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)), st.integers(1, 36_500))  # noqa: DTZ001
def test_the_boundary_is_a_start_of_a_day_and_nothing_before_it_is_younger(now: datetime, days: int) -> None:
    since = kept_since(now, days)

    assert since == since.replace(hour=0, minute=0, second=0, microsecond=0)
    assert timedelta(0) <= (now - days * DAY) - since < DAY
