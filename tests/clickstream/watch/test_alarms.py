"""Which alarms there are, and who is told when."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.settings import Settings
from clickstream.watch.alarms import (
    RUNBOOKS,
    Alarm,
    Ending,
    KeptAlarm,
    Notice,
    ReconciledHour,
    Refused,
    RunFigures,
    WatchFigures,
    count_refused,
    find_alarms,
    kept_from_row,
    newest_arrival,
    plan_notices,
    short_reason,
    stage_flows,
)
from clickstream.watch.volume import Odd, PlanChange, Verdict

DOCS = Path(__file__).parents[3] / "docs"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
NOON_BEFORE = NOW - DAY
ODD = Odd("Order", "order", False, Verdict.SILENT, 3, 0, 300, NOW - 4 * HOUR)
SETTINGS = Settings(staging_bucket="a", lake_bucket="b", crawler="c")


def run(**figures: Any) -> RunFigures:
    return RunFigures("run-1", NOW - HOUR, **figures)


def costs(count: int, rate: float, age: timedelta = 25 * HOUR, events: int = 1_000_000) -> list[RunFigures]:
    """Runs of so many lines, at so many dollars a million."""
    return [RunFigures(f"run-{n}", NOW - age, rows_read=events, dollars=rate * events / 1e6) for n in range(count)]


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({}, []),
        ({"dead_letters": 0, "refused": Refused(0, 340, NOW - 9 * DAY)}, []),
        ({"dead_letters": 3}, [("dead_letters", "", "critical", "3 messages")]),
        (
            {"refused": Refused(2, 340, (NOW - HOUR).astimezone(timezone(5 * HOUR)))},
            [
                (
                    "processing_failed",
                    "",
                    "warning",
                    "in 72 h, the latest 2026-11-24 11:00 UTC; 340 older ones",
                )
            ],
        ),
        ({"refused_events": Refused(0, 2, NOW - 9 * DAY)}, []),
        (
            {"refused_events": Refused(2, 0, NOW - HOUR)},
            [("refused_events", "", "warning", "in 2 objects under refused/ in 72 h, the latest 2026-11-24 11:00 UTC")],
        ),
        ({"refused_events": Refused(10_000, 0, NOW)}, [("refused_events", "", "warning", "10000 or more objects")]),
        # 15 minutes until reconcile_raw takes an object, then three of its runs.
        ({"unstaged_objects": 9, "oldest_unstaged_at": NOW - 59 * MINUTE, "stage_messages": 9}, []),
        (
            {"unstaged_objects": 9, "oldest_unstaged_at": NOW - 60 * MINUTE, "stage_messages": 7},
            [
                (
                    "staging_stands_still",
                    "",
                    "critical",
                    "9 objects of raw/ are not staged, the oldest for 1 h; 7 messages",
                )
            ],
        ),
        # The function off for three days; no queue to ask.
        (
            {"unstaged_objects": 4_320, "oldest_unstaged_at": NOW - 3 * DAY, "newest_arrival_at": NOW - MINUTE},
            [("staging_stands_still", "", "critical", "the oldest for 72 h. ")],
        ),
        # Later objects are staged, and the dead letters say what became of these.
        (
            {"unstaged_objects": 3, "oldest_unstaged_at": NOW - 5 * HOUR, "stage_flows": True, "dead_letters": 3},
            [
                ("staging_stands_still", "", "critical", "stage_object works, and gave up on these"),
                ("dead_letters", "", "critical", "3 messages"),
            ],
        ),
        (
            {"unstaged_objects": 3, "oldest_unstaged_at": NOW - 5 * HOUR, "stage_flows": True},
            [("staging_stands_still", "", "critical", "switched off, throttled or failing?")],
        ),
        # A queue that only is slow, and nothing in raw/ at all.
        ({"stage_messages": 5}, []),
        ({"newest_arrival_at": NOW - 24 * HOUR + MINUTE}, []),
        ({"newest_arrival_at": NOW - MINUTE, "has_arrived": True}, []),
        (
            {"newest_arrival_at": NOW - 24 * HOUR},
            [("nothing_arrives", "", "critical", "for 24 h or more; the last object came 2026-11-23 12:00 UTC")],
        ),
        # Silent for so long that the last arrival is not seen any more; and nothing ever came.
        ({"has_arrived": True}, [("nothing_arrives", "", "critical", "for 24 h or more. ")]),
        # The bounds of the settings: 12 h unloaded, 3 h without a fresh event.
        ({"unloaded_objects": 1, "oldest_unloaded_at": NOW - 2 * HOUR, "newest_received_at": NOW - 9 * HOUR}, []),
        (
            {"unloaded_objects": 1, "oldest_unloaded_at": NOW - 3 * HOUR, "newest_received_at": NOW - 3 * HOUR},
            [("events_not_fresh", "", "critical", "2026-11-24 09:00 UTC")],
        ),
        ({"unloaded_objects": 1, "oldest_unloaded_at": NOW - 3 * HOUR, "newest_received_at": NOW - HOUR}, []),
        ({"newest_received_at": NOW - 9 * HOUR}, []),  # nobody sends
        (
            {"unloaded_objects": 1, "oldest_unloaded_at": NOW - 4 * HOUR},
            [("events_not_fresh", "", "critical", "none in 7 days")],
        ),
        (
            {"unloaded_objects": 7, "oldest_unloaded_at": NOW - 30 * HOUR, "newest_received_at": NOW},
            [("unloaded_near_expiry", "", "critical", "7 staged objects are not loaded, the oldest for 30 h")],
        ),
        ({"runs": [run(rows_read=100, rows_rejected=1)]}, []),
        (
            {"runs": [run(rows_read=100, rows_rejected=2)]},
            [
                ("reject_rate", "", "warning", "2 of the 100 lines of 24 hours"),
                ("run_reject_rate", "run-1", "warning", "2 of the 100 lines of this run"),
            ],
        ),
        (
            {"runs": [run(rows_read=9, rows_rejected=9), RunFigures("run-0", NOW - 2 * HOUR, rows_read=991)]},
            [("run_reject_rate", "run-1", "warning", "9 of the 9 lines")],
        ),
        ({"ending_rejects": Ending(0, None, 90)}, []),
        (
            {"ending_rejects": Ending(12, NOW - 80 * DAY, 90)},
            [
                (
                    "rejects_near_end",
                    "",
                    "warning",
                    "in the next 14 days, the first from 2026-12-04 on: rejects keeps",
                )
            ],
        ),
        (
            {"odd_volumes": [ODD, replace(ODD, name="web", is_source=True)]},
            [
                (
                    "volume_silent",
                    "",
                    "warning",
                    "silent: event Order (none for 3 h, 300 or more are usual), source web (none for 3 h, 300 or more",
                )
            ],
        ),
        (
            {"odd_volumes": [replace(ODD, verdict=Verdict.HIGH)] * 7},
            [("volume_jumped", "", "warning", "(0 in 3 h, 300 or fewer are usual) and 2 more. Ask the owner")],
        ),
        (
            {"odd_volumes": [ODD], "plan_changes": [PlanChange(NOW - HOUR, {"order": "now deprecated"})]},
            [("volume_silent", "", "warning", "(order now deprecated): that may be why. Ask the owner")],
        ),
        # Of the total, only a day counts.
        (
            {"runs": [RunFigures("run-0", NOW - 25 * HOUR, rows_read=9, rows_rejected=9)]},
            [("run_reject_rate", "run-0", "warning", "9 of the 9 lines")],
        ),
        ({"runs": [run(objects_unreadable=4)]}, [("unreadable_objects", "run-1", "critical", "4 staged objects")]),
        (
            {"runs": [run(schema_changes=2, changed_paths=["$.a", "$.b"])]},
            [("schema_changes", "run-1", "warning", "$.a, $.b")],
        ),
        (
            {
                "runs": [
                    run(tables_failed={"b": "TYPE_MISMATCH (query 20261124_1)"}),
                    RunFigures(
                        "run-0", NOW - 9 * HOUR, tables_failed={"a": "lake.a: column kim is", "b": "X (query 2)"}
                    ),
                ]
            },
            [
                (
                    "event_tables_failed",
                    "",
                    "critical",
                    "since 2026-11-24 03:00 UTC: a (a change that would lose values), b (TYPE_MISMATCH). Their",
                )
            ],
        ),
        # Two days of $1 for a million events, then one of more than $2.
        (
            {"runs": [*costs(48, 1.0), *costs(24, 2.5, HOUR)]},
            [("cost_doubled", "", "warning", "cost $2.50 in the loads of 24 hours, $1.00 in those before")],
        ),
        ({"runs": [*costs(48, 1.0), *costs(24, 2.0, HOUR)]}, []),
        # So few events that each costs more, and the day less.
        ({"runs": [*costs(48, 1.0), *costs(24, 2.5, HOUR, events=100_000)]}, []),
        ({"runs": [*costs(23, 1.0), *costs(24, 9.0, HOUR)]}, []),
        # The archive: more than 1 % of an hour on a side at once, a single message after three days.
        ({"reconciled": [ReconciledHour(NOON_BEFORE, 99, 100, missing_here=1)]}, []),
        ({"reconciled": [ReconciledHour(NOON_BEFORE, 0, 100, late=100)]}, []),
        (
            {"reconciled": [ReconciledHour(NOON_BEFORE, 98, 100, missing_here=2)]},
            [("archive_differs", "", "warning", "2 messages are missing in events, 0 in the archive, 2.0 %")],
        ),
        (
            {"reconciled": [ReconciledHour(NOON_BEFORE, 50, 0, missing_there=50)]},
            [("archive_differs", "", "warning", "0 messages are missing in events, 50 in the archive, 100.0 %")],
        ),
        ({"reconciled": [ReconciledHour(NOW - 3 * DAY + MINUTE, 999, 1_000, missing_here=1)]}, []),
        (
            {
                "reconciled": [
                    ReconciledHour(NOW - 3 * DAY, 999, 1_000, missing_here=1),
                    ReconciledHour(NOON_BEFORE, 9, 9),
                ]
            },
            [("archive_differs", "", "warning", "1 hours differ from the archive, the oldest 2026-11-21 12:00 UTC")],
        ),
    ],
)
def test_figures_give_alarms(figures: dict[str, Any], expected: list[tuple[str, str, str, str]]) -> None:
    found = find_alarms(WatchFigures(NOW, **figures), SETTINGS)

    assert [(alarm.name, alarm.subject, alarm.severity) for alarm in found] == [row[:3] for row in expected]
    assert [row[3] for alarm, row in zip(found, expected, strict=True) if row[3] not in alarm.text] == []


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        ([], Refused()),
        ([72 * HOUR], Refused(1, 0, NOW - 72 * HOUR, NOW - 72 * HOUR)),
        ([72 * HOUR + MINUTE], Refused(0, 1, NOW - 72 * HOUR - MINUTE)),
        ([90 * DAY, HOUR, 80 * DAY, MINUTE, -MINUTE], Refused(3, 2, NOW + MINUTE, NOW - HOUR)),
    ],
)
def test_refused_records_are_settled_after_three_days(ages: list[timedelta], expected: Refused) -> None:
    assert count_refused([NOW - age for age in ages], NOW) == expected


@pytest.mark.parametrize(
    ("late_ages", "staged_age", "expected"),
    [
        ([5 * HOUR, 3 * HOUR, MINUTE], 2 * MINUTE, True),  # what came since the late ones is staged
        ([5 * HOUR], 6 * HOUR, False),  # the function went off
        ([5 * HOUR, 2 * HOUR, HOUR], 3 * HOUR, False),  # one that it gave up on, then it went off
        ([5 * HOUR], None, False),
        ([59 * MINUTE], MINUTE, False),  # none is late
        ([], MINUTE, False),
    ],
)
def test_staging_flows_when_something_is_staged_that_came_after_all_that_is_late(
    late_ages: list[timedelta], staged_age: timedelta | None, expected: bool
) -> None:
    staged_at = None if staged_age is None else NOW - staged_age

    assert stage_flows([NOW - age for age in late_ages], staged_at, NOW, SETTINGS) is expected


@pytest.mark.parametrize(
    ("figures", "since", "cause"),
    [
        ({"unstaged_objects": 1, "oldest_unstaged_at": NOW - 2 * HOUR}, {"staging_stands_still": 2 * HOUR}, {}),
        (
            {"oldest_unstaged_at": NOW - 2 * HOUR, "stage_flows": True, "dead_letters": 1},
            {"staging_stands_still": 2 * HOUR, "dead_letters": 2 * HOUR},
            {"staging_stands_still": "dead_letters"},
        ),
        # An object that came a minute ago is none that somebody gave up on.
        ({"oldest_unstaged_at": NOW - MINUTE, "dead_letters": 1}, {"dead_letters": None}, {}),
        ({"newest_arrival_at": NOW - 30 * HOUR}, {"nothing_arrives": 30 * HOUR}, {}),
        ({"has_arrived": True}, {"nothing_arrives": None}, {}),
        (
            {"oldest_unloaded_at": NOW - 13 * HOUR, "newest_received_at": NOW - 14 * HOUR},
            {"unloaded_near_expiry": 13 * HOUR, "events_not_fresh": 14 * HOUR},
            {},
        ),
        ({"refused": Refused(2, 3, NOW, NOW - 4 * HOUR)}, {"processing_failed": 4 * HOUR}, {}),
        ({"refused_events": Refused(2, 3, NOW, NOW - 4 * HOUR)}, {"refused_events": 4 * HOUR}, {}),
        # The first run that rejected too many, not the first run.
        (
            {
                "runs": [
                    RunFigures("a", NOW - 4 * HOUR, 100),
                    RunFigures("b", NOW - 3 * HOUR, 100, 50),
                    RunFigures("c", NOW - 2 * HOUR, 100, 50),
                ]
            },
            {"reject_rate": 3 * HOUR, "run_reject_rate": 2 * HOUR},
            {},
        ),
        ({"odd_volumes": [ODD, replace(ODD, began_at=NOW - 9 * HOUR)]}, {"volume_silent": 9 * HOUR}, {}),
        ({"reconciled": [ReconciledHour(NOON_BEFORE, 50, 0, missing_there=50)]}, {"archive_differs": DAY}, {}),
    ],
)
def test_an_alarm_says_since_when_and_from_what(
    figures: dict[str, Any], since: dict[str, timedelta | None], cause: dict[str, str]
) -> None:
    found = find_alarms(WatchFigures(NOW, **figures), SETTINGS)

    assert {alarm.name: alarm.since for alarm in found} == {
        name: age if age is None else NOW - age for name, age in since.items()
    }
    assert {alarm.name: alarm.cause for alarm in found if alarm.cause} == cause


def test_a_fault_began_when_it_was_first_known_to_while_its_alarm_is_open() -> None:
    """Refused records are looked at for three days: the first of them moves on."""
    kept: list[KeptAlarm] = []
    for hours in (0, 24, 48):
        alarm = Alarm("refused_events", "warning", "text", since=NOW - 9 * HOUR + hours * HOUR)
        kept = [notice.kept for notice in plan_notices([alarm], kept, [], NOW + hours * HOUR, DAY)]

    assert [(row.since, row.opened_at) for row in kept] == [(NOW - 9 * HOUR, NOW)]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("TYPE_MISMATCH (query 20261124_000000_00000_test)", "TYPE_MISMATCH"),
        ("GENERIC_INTERNAL_ERROR (query 4d2f0a5e-1111-2222-3333-000000000000)", "GENERIC_INTERNAL_ERROR"),
        (
            "6 lines were left out, first s3://a/kim@example.com: INVALID_CAST_ARGUMENT (query 2026_1)",
            "lacks 6 lines: INVALID_CAST_ARGUMENT",
        ),
        ("3 messages were left out, first kim@example.com: A_B (query 1)", "lacks 3 messages: A_B"),
        ("2 lines are in rejects as load_failed, first x: A_B (query 1)", "lacks 2 lines: A_B"),
        ("lake.order: column kim@example.com is bigint and would become double", "a change that would lose values"),
        ("Cannot cast 'kim@example.com' to INT", "a change that would lose values"),
    ],
)
def test_of_a_reason_only_the_name_of_the_error_is_told(reason: str, expected: str) -> None:
    assert short_reason(reason) == expected


@given(st.lists(st.datetimes(timezones=st.just(UTC))))
def test_every_refused_object_is_new_or_settled(times: list[datetime]) -> None:
    counted = count_refused(times, NOW)

    assert counted.new + counted.settled == len(times)
    assert bool(counted.new) == (counted.latest_at is not None and NOW - counted.latest_at <= 72 * HOUR)


def test_an_object_named_for_the_future_does_not_hide_that_nothing_arrives() -> None:
    assert newest_arrival([NOW - DAY, None, NOW - HOUR, NOW + MINUTE], NOW) == NOW - HOUR
    assert newest_arrival([None, NOW + DAY], NOW) is None


class Watch:
    """Watches in turn, as the operator does them; everybody can be told, but for `deaf`."""

    def __init__(self, *destinations: str) -> None:
        self.destinations, self.deaf = list(destinations), set[str]()
        self.rows: dict[tuple[str, str, datetime], KeptAlarm] = {}

    def look(self, at: datetime, *alarms: Alarm) -> list[tuple[str, str]]:
        """Who was told what."""
        kept = [row for row in self.rows.values() if not (row.closed_at and not row.subject and not row.told_at)]
        said = []
        for notice in plan_notices(alarms, kept, self.destinations, at, DAY):
            told = [name for name in notice.destinations if name not in self.deaf]
            said += [(name, notice.message().subject) for name in told]
            row = notice.after(told, at)
            self.rows[row.name, row.subject, row.opened_at] = row
        return said


LASTING = Alarm("dead_letters", "critical", "3 messages")
ONCE = Alarm("schema_changes", "warning", "2 keys", subject="run-1")


def test_what_lasts_is_told_at_once_after_the_repeat_and_when_it_is_over() -> None:
    watch = Watch("log", "slack:s")
    opened = [("log", "CRITICAL: dead_letters"), ("slack:s", "CRITICAL: dead_letters")]

    assert watch.look(NOW, LASTING) == opened
    assert [watch.look(NOW + hours * HOUR, LASTING) for hours in range(1, 24)] == [[]] * 23
    assert watch.look(NOW + DAY, LASTING) == opened
    assert watch.look(NOW + 25 * HOUR) == [("log", "OVER: dead_letters"), ("slack:s", "OVER: dead_letters")]
    assert watch.look(NOW + 26 * HOUR) == []
    (row,) = watch.rows.values()
    assert (row.opened_at, row.last_seen_at, row.closed_at) == (NOW, NOW + DAY, NOW + 25 * HOUR)
    # Again later: a new alarm.
    assert watch.look(NOW + 27 * HOUR, LASTING) == opened
    assert len(watch.rows) == 2


def test_what_happened_once_is_told_once_and_never_called_over() -> None:
    watch = Watch("log")

    assert watch.look(NOW, ONCE) == [("log", "WARNING: schema_changes (run-1)")]
    assert [watch.look(NOW + hours * HOUR, ONCE) for hours in (1, 24, 48)] == [[]] * 3
    assert watch.look(NOW + 80 * HOUR) == []


def test_records_refused_now_and_then_are_told_of_each_time_and_it_is_over_in_between() -> None:
    """One on day 0, which nobody redrives; one an hour on days 10 and 11. A watch every hour for 16 days."""
    watch, written = Watch("log"), [NOW, *(NOW + 10 * DAY + number * HOUR for number in range(48))]
    said: list[tuple[int, str]] = []
    for hours in range(16 * 24):
        at = NOW + hours * HOUR
        figures = WatchFigures(at, refused=count_refused([time for time in written if time <= at], at))
        said += [(hours // 24, subject) for _, subject in watch.look(at, *find_alarms(figures, SETTINGS))]

    assert [day for day, subject in said if subject == "WARNING: processing_failed"] == [0, 10, 11, 12]
    assert [day for day, subject in said if subject == "OVER: processing_failed"] == [3, 15]
    assert len(watch.rows) == 2


@pytest.mark.scenario("X51")
def test_lines_that_end_are_told_of_once_a_week_and_when_none_are_left() -> None:
    """From Tuesday, 24 November on, for three weeks; the last line goes on the 20th day."""
    watch, said = Watch("log"), list[tuple[int, str]]()
    for day in range(21):
        lines = Ending(5, NOW - 80 * DAY, 90) if day < 20 else Ending(0, None, 90)
        alarms = find_alarms(WatchFigures(NOW + day * DAY, ending_rejects=lines), SETTINGS)
        said += [(day, subject) for _, subject in watch.look(NOW + day * DAY, *alarms)]

    opened = "WARNING: rejects_near_end"
    assert said == [(0, opened), (6, opened), (13, opened), (20, "OVER: rejects_near_end")]


@pytest.mark.scenario("X35")
def test_a_silence_of_forty_days_is_one_alarm_until_something_arrives() -> None:
    """Also after the last arrival is older than what the ledger is asked for: 8 days."""
    watch, said = Watch("log"), list[tuple[int, str]]()
    for day in range(42):
        at = NOW + day * DAY
        last = NOW if day < 40 else at
        figures = WatchFigures(at, newest_arrival_at=last if at - last <= 8 * DAY else None, has_arrived=True)
        said += [(day, subject) for _, subject in watch.look(at, *find_alarms(figures, SETTINGS))]

    assert said == [*((day, "CRITICAL: nothing_arrives") for day in range(1, 40)), (40, "OVER: nothing_arrives")]
    assert [row.opened_at for row in watch.rows.values()] == [NOW + DAY]


def test_who_was_not_told_is_told_later_and_nobody_else_twice() -> None:
    watch = Watch("log", "slack:s")
    watch.deaf = {"slack:s"}
    assert watch.look(NOW, LASTING, ONCE) == [
        ("log", "CRITICAL: dead_letters"), ("log", "WARNING: schema_changes (run-1)")
    ]  # fmt: skip

    watch.deaf = set()
    assert watch.look(NOW + HOUR, LASTING, ONCE) == [
        ("slack:s", "CRITICAL: dead_letters"), ("slack:s", "WARNING: schema_changes (run-1)")
    ]  # fmt: skip
    watch.deaf = {"slack:s"}
    assert watch.look(NOW + 2 * HOUR) == [("log", "OVER: dead_letters")]
    watch.deaf = set()
    assert watch.look(NOW + 3 * HOUR) == [("slack:s", "OVER: dead_letters")]
    assert watch.look(NOW + 4 * HOUR) == []


def test_a_destination_that_was_taken_out_is_not_told_of_the_end() -> None:
    watch = Watch("log", "slack:s")
    watch.look(NOW, LASTING)
    watch.destinations = ["log"]

    assert watch.look(NOW + HOUR) == [("log", "OVER: dead_letters")]
    assert watch.look(NOW + 2 * HOUR) == []


@given(st.dictionaries(st.sampled_from(["log", "slack:s", "sns:t"]), st.datetimes(timezones=st.just(UTC))))
def test_a_row_is_read_back_as_it_was_kept(told_at: dict[str, datetime]) -> None:
    kept = KeptAlarm("a", "", "warning", "text", {"n": 1}, NOW, NOW, None, told_at)
    columns = ("name", "subject", "severity", "text", "opened_at", "last_seen_at", "closed_at")
    row = {name: getattr(kept, name) for name in columns}

    assert kept_from_row({**row, "figures": kept.figures_json, "told_at": kept.told_json}) == kept


def test_each_alarm_names_a_runbook_that_names_it() -> None:
    listed = dict(
        re.findall(r"^\| \[`(\w+)`\]\(runbooks/([\w-]+\.md)\)", (DOCS / "alarms.md").read_text(), re.MULTILINE)
    )
    pages = (DOCS / "runbooks" / "README.md").read_text().splitlines()

    assert listed == RUNBOOKS
    for name, page in RUNBOOKS.items():
        assert (DOCS / "runbooks" / page).exists()
        assert [line for line in pages if f"`{name}`" in line and f"]({page})" in line]
    kept = KeptAlarm("dead_letters", "", "critical", "2 messages", {}, NOW, NOW)
    assert Notice(kept, False, ()).message().text == "2 messages\nRunbook: docs/runbooks/redrive.md"
    assert "Runbook" not in Notice(kept, True, ()).message().text
