"""One object that brings many hours and days: Trino's writer has a hundred partitions open at most."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from local.lake.machine import Machine, scratch_lake
from tests.sql.probe import PLAN

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.promise("P9")
@pytest.mark.scenario("X37")
def test_hours_of_days_and_days_of_months_load_in_one_run(machine: Machine) -> None:
    """More than 100 hours, and discards, violations, typed rows and sessions of more than 100 days.

    The first part of 48 hours ends among hours in a row.
    """
    lake = scratch_lake(machine)
    # Each writer has a hundred partitions open, and a machine has as many writers as processors.
    for count in ("task_min_writer_count", "task_max_writer_count"):
        lake.query(f"set session {count} = 1")
    instants = [NOW - timedelta(days=n) for n in range(102)] + [NOW - timedelta(days=54, hours=n) for n in (1, 2, 3)]
    lines = [
        json.dumps({
            "messageId": f"m{n}", "type": "track", "event": "Probe", "anonymousId": "p", "sentAt": "no time",
            "receivedAt": at.isoformat(), "properties": {"n": "no number" if n % 2 else n},
        })
        for n, at in enumerate(instants)
    ]  # fmt: skip
    lake.stage("20261128T120000000Z-a.ndjson", "\n".join([*lines, "no json"]).encode())

    report = lake.load("run-1", plan=PLAN)

    assert report.adds_up
    assert (report.rows_loaded, report.rows_rejected) == (len(instants), 1)
    assert report.values_discarded == len(instants) + len(instants) // 2
    counted = lake.query(f"select count(*) as n, count(distinct message_id) as ids from {lake.t.typed('probe')}")
    assert counted == [{"n": len(instants), "ids": len(instants)}]
    assert lake.query(f"select count(*) as n from {lake.t.violations}") == [{"n": len(instants) // 2}]
    (modelled,) = lake.model("model-1")
    assert (modelled.points, modelled.sessions_new) == (len(instants), len(instants))
    again = lake.load("run-2", lake.take_all("run-2"))
    assert (again.rows_loaded, again.rows_duplicate) == (0, len(instants))


@pytest.mark.promise("P9")
@pytest.mark.scenario("X37")
@pytest.mark.slow
def test_a_month_of_hours_arrives_in_one_object(machine: Machine) -> None:
    """720 hours in a row, which is a sender's backlog of 30 days, after a load of one hour."""
    lake = scratch_lake(machine)
    instants = [NOW - timedelta(hours=n) for n in range(720)]
    lines = [
        json.dumps({"messageId": f"m{n}", "type": "track", "event": "Probe", "anonymousId": "p",
                    "receivedAt": at.isoformat(), "properties": {"n": n}})
        for n, at in enumerate(instants)
    ]  # fmt: skip
    lake.stage("20261128T110000000Z-a.ndjson", lines[0].encode())
    assert lake.load("run-0", plan=PLAN).rows_loaded == 1
    lake.stage("20261128T120000000Z-b.ndjson", "\n".join(lines).encode())

    report = lake.load("run-1", plan=PLAN)

    assert report.adds_up
    assert (report.rows_loaded, report.rows_duplicate) == (719, 1)
    hours = lake.query(f"select count(distinct date_trunc('hour', received_at)) as n from {lake.t.events}")
    assert hours == [{"n": 720}]
    assert lake.query(f"select count(*) as n, sum(n) as total from {lake.t.typed('probe')}") == [
        {"n": 720, "total": sum(range(720))}
    ]
    assert sum(one.points for one in lake.model("model-1")) == 720
