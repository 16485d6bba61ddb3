"""Every check on real Trino: nothing found in a good table, a planted fault found and named, and only by its check."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from clickstream.engine.sql import TableNames, instant_literal
from clickstream.upkeep.checks import Severity, check_paths, read_check
from local.lake.machine import Machine, lake_with_tables_of, scratch_lake
from local.lake.scratch import ScratchLake

NOW = datetime.now(UTC)
CHECKS = {check.name: check for check in map(read_check, check_paths(TableNames.LAKE_TABLES))}
# What a finding may show: ids and counts, never what a sender sent.
SHOWN = {
    "message_id", "reject_id", "source_path", "load_run_id", "run_id", "received_at", "newest_received_at", "reason",
    "missing_column", "copies", "rows_read", "rows_loaded", "rows_duplicate", "rows_rejected", "rows_in_ledger",
    "rows_in_events", "rows_in_rejects", "column_name", "copy_path", "bytes", "path", "json_type",
    "name", "subject", "session_id", "ended_at", "next_started_at", "reported_at", "property", "rule", "severity",
}  # fmt: skip


def body(prefix: str, good: int, bad: int) -> bytes:
    at = NOW.isoformat().replace("+00:00", "Z")
    lines = [
        json.dumps({"messageId": f"{prefix}{n}", "type": "track", "receivedAt": at, "anonymousId": f"{prefix}{n}"})
        for n in range(good)
    ]
    return "".join(f"{line}\n" for line in [*lines, *(f"not json {n}" for n in range(bad))]).encode()


def stage(lake: ScratchLake, name: str, content: bytes) -> str:
    return lake.stage(f"{NOW:%Y%m%dT%H%M%S000}Z-{name}.ndjson", content)


def plant_a_copy(lake: ScratchLake) -> str:
    columns = "message_id, received_at, source_path, load_run_id"
    lake.query(
        f"insert into {lake.t.events} ({columns}) "
        f"select message_id, received_at - interval '8' day, 's3://earlier', 'run-0' from {lake.t.events} "
        "where message_id = 'm1'"
    )
    return "m1"


def plant_a_gap(lake: ScratchLake) -> str:
    lake.query(
        f"insert into {lake.t.events} (message_id, received_at, load_run_id) "
        f"values ('gap', {instant_literal(NOW)}, 'run-0')"
    )
    return "gap"


def plant_the_future(lake: ScratchLake) -> str:
    at = instant_literal(NOW + timedelta(days=2))
    lake.query(f"update {lake.t.events} set received_at = {at} where message_id = 'm2'")
    return "m2"


def plant_a_stop(lake: ScratchLake) -> str:
    at = NOW - timedelta(hours=7)
    lake.query(f"update {lake.t.events} set received_at = {instant_literal(at)}")
    return f"{at:%Y-%m-%d %H:%M:%S}"


def plant_a_lost_event(lake: ScratchLake) -> str:
    lake.query(f"delete from {lake.t.events} where message_id = 'm3'")
    return "-good.ndjson"


def plant_a_reason(lake: ScratchLake) -> str:
    lake.query(f"update {lake.t.rejects} set reason = 'mood'")
    return "mood"


def plant_an_odd_violation(lake: ScratchLake) -> str:
    columns = "message_id, property, rule, severity, received_at, load_run_id"
    values = f"('m6', 'x', 'mood', 'warn', {instant_literal(NOW)}, 'run-1')"
    lake.query(f"insert into {lake.t.violations} ({columns}) values {values}")
    return "m6"


def plant_an_odd_discard(lake: ScratchLake) -> str:
    columns = "message_id, column_name, reason, received_at, load_run_id"
    lake.query(f"insert into {lake.t.discards} ({columns}) values ('m4', 'x', 'mood', {instant_literal(NOW)}, 'run-1')")
    return "m4"


def plant_an_unreadable_object(lake: ScratchLake) -> str:
    lake.query(f"insert into {lake.t.quarantine} (source_path, load_run_id) values ('s3://torn.gz', 'run-1')")
    return "s3://torn.gz"


def plant_a_lost_report(lake: ScratchLake) -> str:
    lake.query(f"delete from {lake.t.load_runs}")
    return "copies=0"


def plant_many_rejects(lake: ScratchLake) -> str:
    stage(lake, "bad", body("b", 1, 1))
    lake.load("run-2")
    return "run-2"


def plant_a_lost_reject(lake: ScratchLake) -> str:
    lake.query(f"delete from {lake.t.rejects}")
    return "-good.ndjson"


def plant_a_wrong_sum(lake: ScratchLake) -> str:
    lake.query(f"update {lake.t.load_ledger} set rows_read = rows_read + 1")
    return "-good.ndjson"


def plant_a_second_listing(lake: ScratchLake) -> str:
    lake.query(f"insert into {lake.t.load_ledger} select * from {lake.t.load_ledger}")
    return "-good.ndjson"


def plant_a_change_twice(lake: ScratchLake) -> str:
    lake.query(f"insert into {lake.t.schema_changes} select * from {lake.t.schema_changes} where path = '$.type'")
    return "$.type"


def plant_an_alarm_twice(lake: ScratchLake) -> str:
    lake.query(f"insert into {lake.t.alarms} (name, subject) values ('dead_letters', ''), ('dead_letters', '')")
    return "dead_letters"


def model(lake: ScratchLake) -> str:
    """Sessions of the loaded events; gives the id of one."""
    lake.model("run-1")
    (row,) = lake.query(f"select session_id from {lake.t.sessions} where visitor_id = 'm1'")
    return row["session_id"]


def plant_a_former_id_that_lives(lake: ScratchLake) -> str:
    session_id = model(lake)
    lake.query(
        f"update {lake.t.sessions} set former_ids = array[row('{session_id}', started_at, 'run-0')] "
        "where visitor_id = 'm2'"
    )
    return session_id


def plant_a_session_too_near(lake: ScratchLake) -> str:
    session_id = model(lake)
    columns = "session_id, visitor_id, started_at, ended_at, is_capped, created_run_id"
    lake.query(
        f"insert into {lake.t.sessions} ({columns}) select 'near', visitor_id, started_at + interval '10' minute, "
        f"ended_at + interval '10' minute, false, 'run-1' from {lake.t.sessions} where visitor_id = 'm1'"
    )
    return session_id


def plant_a_forgotten_load(lake: ScratchLake) -> str:
    lake.query(f"update {lake.t.load_runs} set reported_at = reported_at - interval '7' hour")
    return "run-1"


def plant_another_comparison(lake: ScratchLake) -> str:
    rows = ", ".join(f"('unseen_event', {instant_literal(NOW - timedelta(days=ago))})" for ago in (0, 1))
    lake.query(f"insert into {lake.t.plan_diff} (kind, compared_at) values {rows}")
    return "copies=2"


def plant_a_suppressed_person(lake: ScratchLake) -> str:
    lake.query(f"insert into {lake.t.suppressions} (id_digest) values (to_hex(sha256(to_utf8('m5'))))")
    return "m5"


def plant_an_erasure_twice(lake: ScratchLake) -> str:
    lake.query(f"insert into {lake.t.erasures} (run_id, place) values ('erase', 'archive/'), ('erase', 'archive/')")
    return "copies=2"


def plant_an_hour_twice(lake: ScratchLake) -> str:
    row = f"({instant_literal(NOW)}, 'web')"
    lake.query(f"insert into {lake.t.archive_reconciliations} (received_hour, source) values {row}, {row}")
    return "copies=2"


# Each plants one fault and gives what the finding must name.
PLANTED: dict[str, Callable[[ScratchLake], str]] = {
    "events.message_id_is_unique": plant_a_copy,
    "events.required_values_are_there": plant_a_gap,
    "events.received_at_is_not_in_the_future": plant_the_future,
    "events.newest_event_is_fresh": plant_a_stop,
    "events.rows_agree_with_the_ledger": plant_a_lost_event,
    "rejects.reason_is_known": plant_a_reason,
    "rejects.rate_is_low": plant_many_rejects,
    "rejects.rows_agree_with_the_ledger": plant_a_lost_reject,
    "discards.reason_is_known": plant_an_odd_discard,
    "violations.rule_is_known": plant_an_odd_violation,
    "quarantine.every_object_is_readable": plant_an_unreadable_object,
    "load_runs.report_is_stored_once": plant_a_lost_report,
    "alarms.alarm_is_open_once": plant_an_alarm_twice,
    "schema_changes.change_is_recorded_once": plant_a_change_twice,
    "load_ledger.rows_add_up": plant_a_wrong_sum,
    "load_ledger.object_is_listed_once": plant_a_second_listing,
    "sessions.id_is_unique": plant_a_former_id_that_lives,
    "sessions.sessions_are_apart": plant_a_session_too_near,
    "session_runs.every_load_is_modelled": plant_a_forgotten_load,
    "plan_diff.comparison_is_one": plant_another_comparison,
    "suppressions.none_is_loaded": plant_a_suppressed_person,
    "erasures.place_is_stored_once": plant_an_erasure_twice,
    "archive_reconciliations.hour_is_stored_once": plant_an_hour_twice,
}
# Faults that share a lake, in this order; the others share another. Apart are those that would hide each other, or of
# which the findings would name the same row.
APART = (
    ("sessions.sessions_are_apart", "events.newest_event_is_fresh", "rejects.rows_agree_with_the_ledger"),
    ("sessions.id_is_unique", "load_ledger.object_is_listed_once", "load_runs.report_is_stored_once"),
    ("load_ledger.rows_add_up", "session_runs.every_load_is_modelled"),
    ("rejects.rate_is_low",),
)
TOGETHER = (tuple(name for name in PLANTED if name not in {name for group in APART for name in group}), *APART)


@pytest.fixture(scope="module")
def good(machine: Machine) -> ScratchLake:
    """One object of 120 events and one reject, under 1 %."""
    lake = scratch_lake(machine)
    stage(lake, "good", body("m", 120, 1))
    report = lake.load("run-1")
    assert (report.rows_loaded, report.rows_rejected) == (120, 1)
    return lake


@pytest.fixture
def loaded(machine: Machine, good: ScratchLake) -> ScratchLake:
    """The same rows in tables of the test's own."""
    return lake_with_tables_of(machine, good)


def test_every_check_has_a_planted_fault() -> None:
    assert PLANTED.keys() == CHECKS.keys()
    assert sorted(name for group in TOGETHER for name in group) == sorted(PLANTED)


@pytest.mark.promise("P2")
def test_good_tables_pass_every_check_also_when_loaded_again(loaded: ScratchLake) -> None:
    model(loaded)
    first = loaded.check("run-1", TableNames.LAKE_TABLES)
    stage(loaded, "more", body("m", 130, 1))
    loaded.load("run-2")
    loaded.model("run-2")
    second = loaded.check("run-2", TableNames.LAKE_TABLES)

    for outcome in (first, second):
        assert [finding.text() for finding in (*outcome.failures, *outcome.warnings)] == []
        assert outcome.passed == len(CHECKS)


@pytest.mark.parametrize("names", TOGETHER, ids=lambda names: names[0])
def test_a_planted_fault_is_found_by_its_check_alone_and_named(loaded: ScratchLake, names: tuple[str, ...]) -> None:
    named = {name: PLANTED[name](loaded) for name in names}

    outcome = loaded.check("run-2" if "rejects.rate_is_low" in names else "run-1", TableNames.LAKE_TABLES)

    found = {finding.check.name: finding for finding in (*outcome.failures, *outcome.warnings)}
    assert found.keys() == named.keys()
    assert {finding.check.name for finding in outcome.failures} == {
        name for name in names if CHECKS[name].severity is Severity.FAIL
    }
    for name, finding in found.items():
        assert len(finding.rows) == 1, "of its own fault, and of no other"
        assert named[name] in finding.text()
        assert SHOWN.issuperset(finding.rows[0])


def test_a_run_without_a_single_event_passes_but_for_the_rate_and_freshness(lake: ScratchLake) -> None:
    stage(lake, "bad", body("m", 0, 3))
    lake.load("run-1")

    outcome = lake.check("run-1")

    assert outcome.failures == ()
    assert [finding.check.name for finding in outcome.warnings] == [
        "events.newest_event_is_fresh",
        "rejects.rate_is_low",
    ]
