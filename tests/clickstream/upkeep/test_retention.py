"""Rows that are older than they are kept: which go, in what steps, and that no younger one can."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.engine.query import Result
from clickstream.engine.retention import kept_since, limited_tables
from clickstream.engine.sql import lake_tables, render
from clickstream.plan.file import read_plan
from clickstream.settings import Settings
from clickstream.upkeep import retention
from clickstream.upkeep.retention import WARNED_FOR, Removed, is_warned, remove_past
from clickstream.watch.alarms import NEAR_END

NOW = datetime(2026, 11, 24, 3, 40, tzinfo=UTC)
DAY = timedelta(days=1)
SETTINGS = Settings(staging_bucket="a", lake_bucket="b", crawler="c")
TABLES = {name: lake_tables()[name] for name in limited_tables()}
ORDERS = read_plan().with_table[0].description


class Rows:
    """A table as its statements see it: the instants of its rows, and since when the alarm has been open."""

    def __init__(self, instants: list[datetime], opened_at: datetime | None = None) -> None:
        self.instants, self.opened_at = instants, opened_at
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, path: str, **values: Any) -> Result:
        self.asked.append((path, values))
        return Result(self._rows(path.rpartition("/")[2], values), "q", 1, 1, 1)

    def _rows(self, file: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        if file == "open_since.sql":
            return [{"opened_at": self.opened_at}]
        past = [at for at in self.instants if "until" in values and at < values["until"]]
        if file == "past.sql":
            days = Counter(at.replace(hour=0, minute=0, second=0, microsecond=0) for at in past)
            listed = [{"past_day": day, "past_rows": count} for day, count in sorted(days.items())]
            return listed[: values["day_limit"]]
        if file == "remove_past.sql":
            self.instants = [at for at in self.instants if at not in past]
        return []


@pytest.mark.promise("P2")
@pytest.mark.scenario("X51")
@given(
    st.lists(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC)), max_size=40),  # noqa: DTZ001
    st.integers(35, 200),
    st.integers(1, 5),
)
def test_every_older_day_goes_at_last_and_no_younger_row_ever(
    instants: list[datetime], days: int, most_days: int
) -> None:
    table = Rows(instants)
    since = kept_since(NOW, days)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retention, "MOST_DAYS", most_days)
        while (removed := remove_past(table, ("a", "events"), TABLES["events"], days, NOW)).rows:
            assert removed.days <= most_days
            assert [at for at in instants if NOW - at <= days * DAY] == [
                at for at in table.instants if NOW - at <= days * DAY
            ]
            assert removed.until is not None
            assert removed.until <= since

    assert table.instants == [at for at in instants if at >= since]


@pytest.mark.scenario("X51")
@pytest.mark.parametrize("table", [*TABLES.values(), ORDERS], ids=lambda table: table.name)
def test_the_statements_compare_the_clock_of_the_table_with_the_boundary_and_nothing_else(table: Any) -> None:
    schema = SETTINGS.events_database if table is ORDERS else SETTINGS.lake_database
    values = {"altered": (schema, table.name), "table": table, "until": NOW, "keeps_unsettled": False, "day_limit": 9}
    file = "blank_past" if table.retention.blank else "remove_past"

    statement = render(f"maintenance/{file}.sql", SETTINGS, values)

    conditions = " ".join(statement.text.partition("where")[2].split()).split(" and ")
    assert conditions[0] == f'"{table.retention.after}" < ?'
    assert set(statement.parameters) == {NOW}
    more = [f'"{table.partitioned_by.column}" < ?'] if table.name == "rejects" else []
    assert conditions[1:] == more + [f'"{table.retention.blank}" is not null'] * bool(table.retention.blank)


def paths(table: str, instants: list[datetime], **given_values: Any) -> list[str]:
    rows = Rows(instants, **given_values)
    remove_past(rows, ("clickstream", table), TABLES[table], 90, NOW)
    return [path for path, _ in rows.asked]


OLD, YOUNG = [NOW - 92 * DAY], [NOW - 89 * DAY]


@pytest.mark.parametrize("table", ["events", "sessions", "discards", "violations"])
def test_whole_partitions_go_in_one_statement(table: str) -> None:
    assert paths(table, OLD) == ["maintenance/past.sql", "maintenance/remove_past.sql"]
    assert paths(table, YOUNG) == ["maintenance/past.sql"]


@pytest.mark.parametrize("table", ["quarantine", "plan_diff"])
def test_files_that_lose_rows_are_written_anew(table: str) -> None:
    assert paths(table, OLD)[1:] == ["maintenance/remove_past.sql", "maintenance/rewrite.sql"]
    assert paths(table, YOUNG) == ["maintenance/past.sql"]


def test_of_a_key_that_was_met_the_value_goes_and_not_the_row() -> None:
    assert paths("schema_changes", OLD)[1:] == ["maintenance/blank_past.sql", "maintenance/rewrite.sql"]


@pytest.mark.scenario("X51")
@pytest.mark.parametrize(
    ("open_for", "keeps"),
    [(None, True), (timedelta(0), True), (WARNED_FOR - timedelta(seconds=1), True), (WARNED_FOR, False)],
)
def test_a_line_that_was_not_sent_again_goes_only_after_a_week_of_alarm(
    open_for: timedelta | None, keeps: bool
) -> None:
    opened_at = None if open_for is None else NOW - open_for
    rows = Rows(OLD, opened_at)

    remove_past(rows, ("clickstream", "rejects"), TABLES["rejects"], 90, NOW)

    assert is_warned(opened_at, NOW) != keeps
    written = {path: values["keeps_unsettled"] for path, values in rows.asked if "keeps_unsettled" in values}
    assert written == {"maintenance/past.sql": keeps, "maintenance/remove_past.sql": keeps}
    (alarm,) = [values for path, values in rows.asked if path.startswith("lake/alarms/")]
    assert alarm == {"alarm_name": "rejects_near_end", "seen_since": NOW - DAY}


def test_the_alarm_opens_early_enough() -> None:
    assert NEAR_END >= WARNED_FOR + DAY


def test_settled_lines_are_those_sent_again_and_those_that_never_can_be() -> None:
    values = {"altered": ("clickstream", "rejects"), "table": TABLES["rejects"], "until": NOW, "keeps_unsettled": True}

    text = render("maintenance/remove_past.sql", SETTINGS, values).text

    assert "and not (redriven_at is null and reason not in ('blank', 'suppressed'))" in text


def test_the_table_of_an_event_that_is_named_rejects_asks_for_no_alarm() -> None:
    rows = Rows(OLD)

    remove_past(rows, (SETTINGS.events_database, "rejects"), replace(ORDERS, name="rejects"), 90, NOW)

    assert [path for path, _ in rows.asked] == ["maintenance/past.sql", "maintenance/remove_past.sql"]


def test_what_was_removed_is_said() -> None:
    assert Removed("events").text() == "events: nothing is older than it is kept"
    assert Removed("events", 1_200, 3, NOW).text() == "events: removed 1,200 rows of 3 days before 2026-11-24"
