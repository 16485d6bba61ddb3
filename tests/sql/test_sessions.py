"""Sessions on real Trino agree with the model, whatever the order of arrival and however it is split into runs."""

import json
import os
import random
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clickstream.sessions.model import SessionReport
from clickstream.upkeep.checks import Outcome
from clickstream.window import Window
from local.lake.machine import Machine, lake_with_tables_of, scratch_lake
from local.lake.scratch import ScratchLake
from tests.model.sessions import row_of, sessions_of, spells_of, step_of
from tests.sql.shop_days import START, shop_days

SIZE = int(os.environ.get("SESSION_EVENTS", "100000"))
HOW_IT_CAME = {"session_id", "former_ids", "created_run_id", "updated_run_id", "modelled_at"}


def load(lake: ScratchLake, run_id: str, messages: list[dict[str, Any]], name: str = "") -> None:
    """Stage and load messages as one run."""
    stage(lake, messages, name or run_id)
    lake.load(run_id)


def stage(lake: ScratchLake, messages: list[dict[str, Any]], name: str) -> None:
    body = "".join(json.dumps(message) + "\n" for message in messages)
    lake.stage(f"20261124T010203004Z-{name}.ndjson", body.encode())


def parts(messages: list[Any], count: int) -> list[list[Any]]:
    """Messages in that many parts, in order."""
    return [messages[number::count] for number in range(count)]


def stored(lake: ScratchLake) -> list[dict[str, Any]]:
    return sorted(lake.rows("sessions"), key=lambda row: (row["visitor_id"], row["started_at"]))


def content(lake: ScratchLake) -> list[dict[str, Any]]:
    """All that must not depend on the way the events came, ids included."""
    free = HOW_IT_CAME - {"session_id"}
    return [{column: value for column, value in row.items() if column not in free} for row in stored(lake)]


def assert_agrees(lake: ScratchLake, messages: list[dict[str, Any]]) -> list[Any]:
    """Every column of every session, every event's place, and every spell are those of the model."""
    wanted = sorted(sessions_of(messages), key=lambda session: (session.visitor, session.times[0]))
    rows = stored(lake)
    assert len(rows) == len(wanted)
    assert len({row["session_id"] for row in rows}) == len(rows)
    for row, session in zip(rows, wanted, strict=True):
        expected = row_of(session)
        assert {column: row[column] for column in expected} == expected
    columns = "visitor_id, session_started_at, position, message_id, step, next_step"
    found = Counter(tuple(row.values()) for row in lake.query(f"select {columns} from {lake.t.session_events}"))
    places: Counter[Any] = Counter()
    for session in wanted:
        steps = [step_of(message) for message in session.messages]
        for number, (message, step) in enumerate(zip(session.messages, steps, strict=True)):
            following = steps[number + 1] if number + 1 < len(steps) else None
            key = (session.visitor, session.times[0], number + 1, message["messageId"], step, following)
            places[key] += 1
    assert found == places
    spells = lake.query(f"select id, user_id, valid_from from {lake.t.identities} order by 1, 3, 2")
    assert [tuple(row.values()) for row in spells] == sorted(spells_of(wanted), key=lambda s: (s[0], s[2], s[1]))
    return wanted


@pytest.mark.slow
def test_a_hundred_thousand_events_in_any_order(lake: ScratchLake) -> None:
    """Late, duplicate, shuffled, across midnight, cut at 24 hours, a kiosk; in four runs, each modelled."""
    messages = shop_days(7, SIZE)
    published: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for number, part in enumerate(parts(messages, 4)):
        load(lake, f"run-{number}", part)
        began = time.monotonic()
        (report,) = lake.model(f"model-{number}")
        print(f"{report.text()} ({time.monotonic() - began:.1f} s)")
        counts.update(report.to_dict())
        for row in lake.query(f"select session_id, first_message_id from {lake.t.sessions}"):
            published[row["session_id"]] = row["first_message_id"]

    wanted = assert_agrees(lake, messages)

    live = {row["session_id"]: row for row in stored(lake)}
    aliases = {
        row["former_session_id"]: row["session_id"]
        for row in lake.query(f"select former_session_id, session_id from {lake.t.session_aliases}")
    }
    assert live.keys().isdisjoint(aliases)
    assert published.keys() == live.keys() | aliases.keys(), "an id that was published can always be joined"
    home = {m["messageId"]: (s.visitor, s.times[0]) for s in wanted for m in s.messages}
    for session_id, first_message_id in published.items():
        now = live[aliases.get(session_id, session_id)]
        assert (now["visitor_id"], now["started_at"]) == home[first_message_id]
    assert len(aliases) > 100
    assert sum(session.is_capped for session in wanted) >= 3
    assert counts["sessions_new"] >= len(wanted)
    outcome = lake.check("model-3", lake.t.SESSION_TABLES)
    assert [finding.text() for finding in (*outcome.failures, *outcome.warnings)] == []
    print(f"{len(messages)} events, {len(wanted)} sessions, {len(aliases)} aliases, {dict(counts)}")


MESSAGES = shop_days(11, 1200)


@pytest.fixture(scope="module")
def whole(machine: Machine) -> ScratchLake:
    """MESSAGES in one run."""
    lake = scratch_lake(machine)
    load(lake, "all", MESSAGES)
    lake.model("model")
    return lake


@pytest.fixture(scope="module")
def split(machine: Machine) -> ScratchLake:
    """MESSAGES in another order, in four runs; two of them are taken by one run of the model."""
    lake = scratch_lake(machine)
    for number, part in enumerate(parts(random.Random(2).sample(MESSAGES, len(MESSAGES)), 4)):
        load(lake, f"run-{number}", part)
        if number != 1:
            lake.model(f"model-{number}")
    return lake


def test_any_order_and_any_split_gives_the_same_sessions_and_ids(whole: ScratchLake, split: ScratchLake) -> None:
    assert_agrees(whole, MESSAGES)
    assert content(split) == content(whole)


def test_modelled_again_nothing_is_written(machine: Machine, split: ScratchLake) -> None:
    lake = lake_with_tables_of(machine, split)
    before = stored(lake)

    assert lake.model("nothing") == []
    reports = lake.model("again", Window(START, START + timedelta(days=5)))

    assert stored(lake) == before
    assert [(r.sessions_new, r.sessions_changed, r.sessions_aliased) for r in reports] == [(0, 0, 0)]
    assert reports[0].points > 1000
    (row,) = lake.query(
        f"select rebuilt_from, cardinality(loads) as n from {lake.t.session_runs} where rebuilt_to is not null"
    )
    assert row == {"rebuilt_from": START, "n": 0}


def test_a_broken_table_is_rebuilt_and_what_does_not_belong_goes(machine: Machine, whole: ScratchLake) -> None:
    lake = lake_with_tables_of(machine, whole)
    lake.query(f"delete from {lake.t.sessions} where visitor_id like '%1'")
    lake.query(f"update {lake.t.sessions} set visitor_id = 'nobody', event_count = 99 where visitor_id like '%2'")

    lake.model("again", Window(START - timedelta(days=1), START + timedelta(days=40)))

    assert_agrees(lake, MESSAGES)


def message(
    name: str, minute: float, device: str | None = "a", user: str | None = None, **fields: Any
) -> dict[str, Any]:
    at = (datetime(2026, 11, 23, 23, 50, tzinfo=UTC) + timedelta(minutes=minute)).isoformat()
    ids = {key: value for key, value in (("anonymousId", device), ("userId", user)) if value}
    return {"messageId": name, "type": "track", "event": "E", "timestamp": at, "receivedAt": at, **ids, **fields}


FIRST = {
    "late": [message("m1", 0), message("m2", 5), message("m3", 50), message("o1", 0, "other")],
    "derived": [message("d1", 0, "before"), message("d2", 5, "before"), message("d3", 8, "before")],
    "anew": [message("n1", 0, "anew")],
}
LATE = [message("m0", -10), message("m4", 28)]


@dataclass
class Changes:
    """What runs of the model said after loads that changed sessions, and the sessions that each of them left."""

    first: SessionReport
    late: SessionReport
    sessions_touched: int
    """By the preview of what came late."""
    anew: SessionReport
    nobody: SessionReport
    outcome_of_nobody: Outcome
    stored: dict[str, list[dict[str, Any]]]
    """By run of the model."""
    aliases: dict[str, str]


@pytest.fixture(scope="module")
def changes(machine: Machine) -> Changes:
    """FIRST in one run, then each change in a run of its own; each case has devices of its own."""
    lake = scratch_lake(machine)
    sessions = {}

    def model(name: str) -> SessionReport:
        (report,) = lake.model(name)
        sessions[name] = stored(lake)
        return report

    load(lake, "run-1", [one for messages in FIRST.values() for one in messages])
    first = model("first")

    stage(lake, LATE, "late")
    preview = lake.preview("preview", lake.take("preview"))
    lake.load("run-2")
    late = model("late")

    lake.query(
        f"update {lake.t.events} set anonymous_id = 'after', updated_at = current_timestamp, update_run_id = 'run-3' "
        "where message_id = 'd3'"
    )
    load(lake, "run-3", FIRST["derived"])
    lake.query(f"update {lake.t.load_runs} set rows_updated = 1 where run_id = 'run-3'")
    model("derived")

    load(lake, "run-1", [*FIRST["anew"], message("n2", 5, "anew")], "more")
    anew = model("anew")

    load(lake, "run-4", [{"messageId": "of nobody", "type": "track", "event": "A"}])
    nobody = model("nobody")
    outcome = lake.check("nobody", lake.t.SESSION_TABLES)
    aliases = lake.query(f"select former_session_id, session_id from {lake.t.session_aliases}")
    return Changes(
        first, late, preview.sessions_touched, anew, nobody, outcome, sessions,
        {row["former_session_id"]: row["session_id"] for row in aliases},
    )  # fmt: skip


def of_visitors(rows: list[dict[str, Any]], *visitors: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["visitor_id"] in visitors]


def test_a_late_event_changes_an_id_and_two_sessions_become_one(changes: Changes) -> None:
    ids = {row["first_message_id"]: row["session_id"] for row in changes.stored["first"]}

    assert (changes.first.sessions_new, changes.first.sessions_aliased) == (5, 0)
    second = changes.late
    assert (second.points, second.visitors, second.sessions_new, second.sessions_aliased) == (2, 1, 1, 2)
    assert changes.sessions_touched == 2
    mine, other = of_visitors(changes.stored["late"], "a", "other")
    assert (mine["first_message_id"], mine["event_count"], mine["created_run_id"]) == ("m0", 5, "late")
    assert (other["session_id"], other["updated_run_id"]) == (ids["o1"], None)
    assert changes.aliases == {ids["m1"]: mine["session_id"], ids["m3"]: mine["session_id"]}


def test_a_derived_again_row_leaves_its_old_session(changes: Changes) -> None:
    rows = of_visitors(changes.stored["derived"], "before", "after")

    assert [(row["visitor_id"], row["event_count"]) for row in rows] == [("after", 1), ("before", 2)]


def test_a_load_that_was_reported_anew_is_taken_anew(changes: Changes) -> None:
    assert changes.anew.changes.run_ids == ["run-1"]
    assert [row["event_count"] for row in of_visitors(changes.stored["derived"], "anew")] == [1]
    assert [row["event_count"] for row in of_visitors(changes.stored["anew"], "anew")] == [2]


def test_a_run_that_writes_no_session_passes_its_checks(changes: Changes) -> None:
    assert changes.nobody.sessions_new == 0
    assert changes.stored["nobody"] == changes.stored["anew"]
    assert changes.outcome_of_nobody.failures == ()


PEOPLE = [
    message("a1", 0, "phone"),
    message("a2", 1, None, "ann", type="alias", previousId="phone"),
    message("a3", 2, None, "anna", type="alias", previousId="ann"),
    message("b1", 0, "shared", "bob"),
    message("b2", 5, "shared", "eve"),
    message("b3", 9, "shared", "bob"),
    message("c1", 0, None, "x", type="alias", previousId="y"),
    message("c2", 1, None, "y", type="alias", previousId="x"),
    *(message(f"k{n}", n, "kiosk", f"guest{n}") for n in range(6)),
    *(message(f"n{n}", n, f"laptop{n}", "null") for n in range(101)),
    message("n200", 2, "laptop7", "nat"),
]


@pytest.fixture(scope="module")
def people(machine: Machine) -> dict[str, dict[str, Any]]:
    lake = scratch_lake(machine)
    load(lake, "run-1", PEOPLE)
    lake.model("model-1")
    return {row["id"]: row for row in lake.query(f"select * from {lake.t.people}")}


@pytest.mark.parametrize(
    ("name", "first", "last", "person", "is_hub"),
    [
        ("phone", "ann", "ann", "anna", False),
        ("ann", "anna", "anna", "anna", False),
        ("shared", "bob", "bob", "bob", False),
        ("kiosk", None, None, "kiosk", True),
        ("laptop3", None, None, "laptop3", True),
        ("laptop7", "nat", "nat", "nat", True),
        ("x", "y", "y", "y", False),
    ],
)
def test_who_an_id_is(
    people: dict[str, Any], name: str, first: str | None, last: str | None, person: str, is_hub: bool
) -> None:
    row = people[name]

    assert [row[key] for key in ("first_known_user_id", "last_known_user_id", "person_id", "is_hub")] == [
        first, last, person, is_hub,
    ]  # fmt: skip
    assert row["is_chain_cut"] is (name in {"x", "y"})
