"""When the document is read again, up to which hour, and what is not in it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.engine.query import Result
from clickstream.plan.file import TrackingPlan, parse_plan
from clickstream.sessions.model import SessionRules
from clickstream.status.look import PLAN_CHANGES_FOR, Document, look, plan_history
from clickstream.watch.alarms import ReconciledHour, WatchFigures
from clickstream.watch.volume import PlanChange, plan_changes
from clickstream.window import HOUR, full_hour

NOW = datetime(2026, 11, 29, 12, 17, tzinfo=UTC)
RULES = SessionRules(30, 24, 30, ("order_completed",))
ENTRIES, MOVES = "lake/sessions/entries.sql", "lake/sessions/moves.sql"


class Lake:
    """The rows that each statement returns; none for others. `ran`: the values of those that ran."""

    def __init__(self, reported_at: datetime | None = None, **answers: Sequence[dict[str, Any]]) -> None:
        report = {
            "run_id": "run", "reported_at": reported_at, "rejected_by_reason": None, "rows_by_delay": None,
            "violations_by_event": None, "tables_failed": None,
        }  # fmt: skip
        self.answers = {"latest": [report] if reported_at else [], **answers}
        self.ran: dict[str, dict[str, Any]] = {}

    def __call__(self, path: str, **values: Any) -> Result:
        self.ran[path] = values
        name = path.rpartition("/")[2].removesuffix(".sql")
        return Result([*self.answers.get(name, [])], "query", 0, 0, 0)


def looked(lake: Lake, before: Document | None = None, now: datetime = NOW, **figures: Any) -> Document:
    return look(lake, WatchFigures(now, **figures), RULES, [], {}, before)


def until(document: Document) -> datetime:
    return datetime.fromisoformat(document["loaded"]["until"])


def minutes(count: int) -> datetime:
    return NOW - timedelta(minutes=count)


def test_when_all_traffic_stops_the_hours_go_on() -> None:
    reported_at = minutes(10)
    document = looked(Lake(reported_at))

    ends = []
    for hour in range(1, 4):
        lake = Lake(reported_at)
        document = looked(lake, document, NOW + hour * HOUR)
        ends.append(until(document))
        assert lake.ran["lake/events/by_hour.sql"]["until"] == ends[-1]

    assert [f"{end:%H:%M}" for end in ends] == ["13:00", "14:00", "15:00"]


def test_within_an_hour_and_without_a_load_nothing_is_read_again() -> None:
    first = looked(Lake(minutes(10)))
    lake = Lake(minutes(10))

    assert looked(lake, first, NOW + timedelta(minutes=30))["loaded"] == first["loaded"]
    assert "lake/events/by_hour.sql" not in lake.ran


@pytest.mark.parametrize("waits", ["oldest_unstaged_at", "oldest_unloaded_at"])
def test_while_objects_wait_the_hours_end_where_the_last_load_left_them(waits: str) -> None:
    first = looked(Lake(minutes(10)))
    lake = Lake(minutes(10))

    later = looked(lake, first, NOW + 2 * HOUR, **{waits: NOW + HOUR})

    assert until(later) == until(first)
    assert "lake/events/by_hour.sql" not in lake.ran


@pytest.mark.parametrize("waits", ["oldest_unstaged_at", "oldest_unloaded_at"])
def test_after_a_backfill_no_hour_is_judged_whose_objects_wait(waits: str) -> None:
    """The run that reported last loaded old days; what came since 09:40 waits for another one."""
    before = looked(Lake(minutes(200)))

    document = looked(Lake(minutes(1)), before, **{waits: datetime(2026, 11, 29, 9, 40, tzinfo=UTC)})

    assert document["loaded"]["reported_at"] == minutes(1).isoformat()
    assert f"{until(document):%H:%M}" == "09:00"


def test_an_object_whose_message_is_a_dead_letter_does_not_stop_the_hours_for_weeks() -> None:
    first = looked(Lake(minutes(10)))

    later = looked(Lake(minutes(10)), first, NOW + 2 * HOUR, oldest_unstaged_at=NOW - timedelta(days=3))

    assert f"{until(later):%H:%M}" == "14:00"


def test_events_are_read_though_no_run_reported_for_a_week() -> None:
    row = {
        "source": "orders", "type": None, "event": None, "event_text": None, "newest_received_at": NOW - 3 * HOUR,
        "messages_by_hour": '{"3": 7}', "subjects": 1,
    }  # fmt: skip

    document = looked(Lake(None, by_hour=[row]))

    assert document["loaded"]["reported_at"] is None
    assert [source["hours"][-3:] for source in document["loaded"]["sources"]] == [[7, 0, 0]]


@given(st.one_of(st.none(), st.integers(0, 5_000)), st.one_of(st.none(), st.integers(0, 5_000)), st.integers(0, 5_000))
def test_the_hours_never_end_after_now_or_the_oldest_object_that_is_not_loaded(
    unstaged: int | None, unloaded: int | None, reported: int
) -> None:
    waiting = {"oldest_unstaged_at": unstaged, "oldest_unloaded_at": unloaded}
    figures = {name: minutes(age) for name, age in waiting.items() if age is not None}

    end = until(looked(Lake(minutes(reported)), **figures))

    assert end == full_hour(end) <= NOW
    assert unloaded is None or end <= minutes(unloaded)
    assert unstaged is None or unstaged > 24 * 60 or end <= minutes(unstaged)


def test_a_day_has_the_sums_that_trino_counted() -> None:
    sums = [
        {"kind": "counts", "name": "rows_read", "total": 9},
        {"kind": "counts", "name": "rows_loaded", "total": 8},
        {"kind": "rejected_by_reason", "name": "blank", "total": 1},
    ]

    assert looked(Lake(minutes(10), sums=sums))["day"] == {
        "rows_read": 9, "rows_loaded": 8, "rows_duplicate": 0, "rows_rejected": 0, "values_discarded": 0,
        "rejected_by_reason": {"blank": 1}, "rows_by_delay": {},
    }  # fmt: skip


def test_without_a_session_no_event_is_read_for_moves() -> None:
    lake = Lake(minutes(10))

    assert looked(lake)["sessions"]["sessions"] == 0
    assert ENTRIES in lake.ran
    assert MOVES not in lake.ran


def test_what_few_sessions_did_is_not_in_the_document_but_counts() -> None:
    sums = {"all_sessions": 9, "mean_seconds": 3.0, "all_bounces": 1, "all_converted": 0}
    entries = [
        {"entry_step": "/", "exit_step": "/cups", "sessions": 5, **sums},
        {"entry_step": "/", "exit_step": "/users/kim", "sessions": 4, **sums},
    ]
    moves = [
        {"from_step": "/", "to_step": "/cups", "sessions": 5},
        {"from_step": "/", "to_step": "/users/kim", "sessions": 4},
    ]

    sessions = looked(Lake(minutes(10), entries=entries, moves=moves))["sessions"]

    assert sessions["sessions"] == 9
    assert sessions["entries"] == sessions["moves"] == [{"from": "/", "to": "/cups", "sessions": 5}]


def test_seven_days_are_shown_beside_the_archive_hour_by_hour() -> None:
    midnight = NOW.replace(hour=0, minute=0)
    compared = [
        ReconciledHour(midnight - 24 * HOUR, 8, 9, missing_here=1, compared_at=NOW - HOUR),
        ReconciledHour(midnight - 7 * 24 * HOUR, 7, 7, compared_at=NOW - 2 * HOUR),
        ReconciledHour(midnight - 8 * 24 * HOUR, 7, 0, missing_there=7, compared_at=NOW - 3 * HOUR),
    ]

    archive = looked(Lake(), reconciled=compared)["archive"]

    assert archive["compared_at"] == (NOW - HOUR).isoformat()
    assert [day["day"] for day in archive["days"]] == [f"2026-11-{number}" for number in range(22, 29)]
    assert archive["days"][-1]["hours"][0] == {"messages": 9, "missing_here": 1, "missing_there": 0, "late": 0}
    assert archive["days"][0]["hours"][0]["messages"] == 7
    assert [hour for day in archive["days"] for hour in day["hours"]].count(None) == 7 * 24 - 2
    assert looked(Lake())["archive"]["compared_at"] is None


def kept(name: str, severity: str, opened: int, subject: str = "", **figures: str) -> dict[str, Any]:
    """A row of the table `alarms`, opened so many minutes ago."""
    return {
        "name": name, "subject": subject, "severity": severity, "text": "text", "figures": json.dumps(figures),
        "opened_at": minutes(opened), "last_seen_at": NOW, "closed_at": NOW if subject else None, "told_at": "{}",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # The cause comes first, though what follows from it opened later.
        (
            [
                kept("staging_stands_still", "critical", 60, cause="dead_letters"),
                kept("dead_letters", "critical", 90),
                kept("events_not_fresh", "critical", 70),
            ],
            [("events_not_fresh", ""), ("dead_letters", ""), ("staging_stands_still", "dead_letters")],
        ),
        ([kept("staging_stands_still", "critical", 60, cause="dead_letters")], [("staging_stands_still", "")]),
        # A critical cause brings a warning with it; else critical ones come first, then the newest.
        (
            [
                kept("volume_silent", "warning", 10),
                kept("refused_events", "warning", 5),
                kept("nothing_arrives", "critical", 90),
                kept("cost_doubled", "warning", 2),
            ],
            [
                ("nothing_arrives", ""), ("volume_silent", "nothing_arrives"), ("cost_doubled", ""),
                ("refused_events", ""),
            ],
        ),
        # Alarms about runs of one name stay together.
        (
            [
                kept("run_reject_rate", "warning", 10, "c"),
                kept("schema_changes", "warning", 20, "b"),
                kept("run_reject_rate", "warning", 30, "a"),
            ],
            [("run_reject_rate", ""), ("run_reject_rate", ""), ("schema_changes", "")],
        ),
    ],
)  # fmt: skip
def test_an_alarm_comes_before_what_follows_from_it(
    rows: list[dict[str, Any]], expected: list[tuple[str, str]]
) -> None:
    alarms = looked(Lake(kept=rows))["alarms"]

    assert [(alarm["name"], alarm["cause"]) for alarm in alarms] == expected


def test_an_alarm_has_since_when_its_fault_is_known_to_last() -> None:
    rows = [kept("dead_letters", "critical", 90, since="2026-11-29T05:10:31+00:00"), kept("cost_doubled", "warning", 5)]

    assert [alarm["since"] for alarm in looked(Lake(kept=rows))["alarms"]] == ["2026-11-29T05:10:31+00:00", None]


def test_of_why_a_table_was_not_filled_the_document_has_only_the_name_of_the_error() -> None:
    lake = Lake(minutes(10))
    reasons = {
        "order": "3 messages were left out, first kim@example.com: DIVISION_BY_ZERO (query 20261129_1)",
        "view": "TYPE_MISMATCH (query 20261129_2)",
    }
    lake.answers["latest"] = [{**lake.answers["latest"][0], "tables_failed": json.dumps(reasons)}]

    (run,) = looked(lake)["runs"]

    assert run["failed_tables"] == {"order": "lacks 3 messages: DIVISION_BY_ZERO", "view": "TYPE_MISMATCH"}
    assert "kim@" not in json.dumps(run)


def test_rejects_and_violations_have_the_names_of_the_sources_that_are_known() -> None:
    hours = {
        "source": "prj_2", "type": None, "event": None, "event_text": None, "newest_received_at": NOW,
        "messages_by_hour": "{}", "subjects": 1,
    }  # fmt: skip
    lake = Lake(
        minutes(10),
        by_hour=[hours],
        shapes=[{"reason": "not_json", "first_at": minutes(200), "sources": '["prj_1", "prj_2"]'}],
        by_rule=[{"event": "order", "property": "", "rule": "type", "first_at": minutes(100), "sources": None}],
    )

    loaded = look(lake, WatchFigures(NOW), RULES, [], {"prj_1": "shop"}, None)["loaded"]

    assert lake.ran["lake/rejects/shapes.sql"]["known_sources"] == '["prj_1", "prj_2"]'
    assert loaded["rejects"] == [
        {"reason": "not_json", "first_at": minutes(200).isoformat(), "sources": ["prj_2", "shop"]}
    ]
    assert [one["sources"] for one in loaded["violations"]] == [[]]
    assert (loaded["since"], loaded["looked_at"]) == ((NOW - timedelta(days=1)).isoformat(), NOW.isoformat())


def test_what_comes_each_day_began_on_the_first_of_them() -> None:
    def broken(day: int, *rules: str) -> list[dict[str, Any]]:
        return [
            {"event": "order", "property": "total", "rule": rule, "first_at": NOW + day * 24 * HOUR, "sources": None}
            for rule in rules
        ]

    document, began = None, []
    for day, rules in enumerate([("type",), ("type", "enum"), ("enum",), ("type", "enum")]):
        now = NOW + day * 24 * HOUR
        document = looked(Lake(now, by_rule=broken(day, *rules)), document, now)
        found = document["loaded"]["violations"]
        began.append({one["rule"]: (datetime.fromisoformat(one["first_at"]) - NOW).days for one in found})

    # One that did not come for a day began anew.
    assert began == [{"type": 0}, {"type": 0, "enum": 1}, {"enum": 1}, {"type": 3, "enum": 1}]


def test_what_an_earlier_release_did_not_know_of_began_when_it_is_first_known_to() -> None:
    row = {"reason": "blank", "first_at": minutes(100), "sources": None}
    before = looked(Lake(minutes(200)))
    before["loaded"]["rejects"] = [{"reason": "blank", "latest_at": minutes(300).isoformat()}]

    document = looked(Lake(minutes(10), shapes=[row]), before)

    assert [one["first_at"] for one in document["loaded"]["rejects"]] == [minutes(100).isoformat()]


def plan(**events: str) -> TrackingPlan:
    """Events with these statuses; with a second word, the description."""
    entries = [
        f"  {name}: {{description: About {status.partition(' ')[2] or 'it'}., owner: shop, "
        f"status: {status.partition(' ')[0]}, sources: [web]}}"
        for name, status in events.items()
    ]
    return parse_plan("\n".join(["version: 1", "events:", *entries, ""]), "plan")


@pytest.mark.scenario("X58")
def test_what_changed_in_the_plan_is_kept_with_when_it_was_first_seen() -> None:
    first = plan_history(None, plan(order="live", pay="live", view="live"), NOW)
    assert first is not None
    assert first["changes"] == [], "when what is there came is not known"

    changed = plan(order="deprecated", pay="live now", click="live")
    second = plan_history(first, changed, NOW + HOUR)
    third = plan_history(second, changed, NOW + 2 * HOUR)

    done = {"click": "added", "order": "now deprecated", "pay": "changed", "view": "taken out"}
    assert second == third
    assert plan_changes({"plan_history": third}) == [PlanChange(NOW + HOUR, done)]


def test_changes_of_the_plan_are_forgotten_and_a_plan_that_cannot_be_read_changes_nothing() -> None:
    first, after = plan_history(None, plan(order="live"), NOW), plan(order="deprecated")
    second = plan_history(first, after, NOW)

    assert plan_history(second, None, NOW + HOUR) == second
    assert plan_history(second, after, NOW + PLAN_CHANGES_FOR - HOUR) == second
    gone = plan_history(second, after, NOW + PLAN_CHANGES_FOR)
    assert gone is not None
    assert gone["changes"] == []


def test_the_older_name_of_an_event_is_its_entry_too() -> None:
    text = "version: 1\nevents:\n  Order Placed: {description: An order., owner: shop, status: live, sources: [web], "
    history = plan_history(None, parse_plan(text + "renames: [Order Completed]}\n", "plan"), NOW)

    assert history is not None
    assert sorted(history["entries"]) == ["order_completed", "order_placed"]


def test_the_document_has_the_history_of_the_plan_and_events_have_their_keys() -> None:
    row = {
        "source": None, "type": "track", "event": "order", "event_text": "Order", "newest_received_at": NOW,
        "messages_by_hour": "{}", "subjects": 1,
    }  # fmt: skip
    document = look(Lake(minutes(10), by_hour=[row]), WatchFigures(NOW), RULES, [], {}, None, plan(order="live"))

    assert list(document["plan_history"]["entries"]) == ["order"]
    assert [event["key"] for event in document["loaded"]["events"]] == ["order"]
