"""Several runs at once, over the same objects: every run ends green and the tables equal the model."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.faults.airflow_tasks import THE_RUN, Outcome, Run, run_dag, run_task
from tests.faults.lake import COSTS, NOW, FaultyLake, message
from tests.faults.machine import FaultyMachine
from tests.faults.proxy import Call, Mode

PATIENCE = 1500
"""Seconds for what takes 30 to 300 on two quiet cores."""
HOUR = NOW.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)


def backfill(number: int, hours: list[datetime]) -> list[Outcome]:
    """A run an hour, as Airflow has it, but with ids of their own: nothing but the table keeps the three apart."""
    return [run_dag("load_events", Run(f"backfill-{number}-{hour:%d-%H}", "backfill", hour)) for hour in hours]


@pytest.mark.scenario("X12", "X13")
@pytest.mark.promise("P1", "P2")
def test_three_backfills_of_one_hour_and_the_hourly_load(lake: FaultyLake) -> None:
    lake.stage_day(HOUR + timedelta(minutes=5))

    with ThreadPoolExecutor(4) as pool:
        backfills = [pool.submit(backfill, number, [HOUR]) for number in range(3)]
        hourly = pool.submit(run_dag, "load_events", THE_RUN)
        outcomes = [outcome for done in backfills for outcome in done.result(PATIENCE)] + [hourly.result(PATIENCE)]

    assert lake.differences() == []
    check_reports(lake, outcomes)


@pytest.mark.scenario("X12", "X13")
@pytest.mark.promise("P1", "P2")
@pytest.mark.slow
def test_three_backfills_of_one_day_and_the_hourly_load(lake: FaultyLake) -> None:
    """Events lie in four hours of the day, others in each: of one in two hours, the copy loaded first would stay."""
    hours = [HOUR - timedelta(hours=back) for back in range(24)]
    for back in (0, 1, 11, 23):
        lake.stage_day(HOUR - timedelta(hours=back) + timedelta(minutes=5), seed=back)

    with ThreadPoolExecutor(4) as pool:
        backfills = [pool.submit(backfill, number, hours) for number in range(3)]
        hourly = pool.submit(run_dag, "load_events", THE_RUN)
        outcomes = [outcome for done in backfills for outcome in done.result(PATIENCE)] + [hourly.result(PATIENCE)]

    assert lake.differences() == []
    loading = [outcome for outcome in outcomes if "report" in outcome.returned]
    assert len(loading) == 3 * 4 + 1
    check_reports(lake, loading)


def check_reports(lake: FaultyLake, outcomes: list[Outcome]) -> None:
    """Every run ended, with no failed check; each event was counted as loaded by exactly one of them."""
    reports = [outcome.returned["report"] for outcome in outcomes]
    assert all(outcome.returned["check"]["failures"] == [] for outcome in outcomes)
    assert sum(report["rows_loaded"] for report in reports) == len(lake.expected().events)


@pytest.mark.scenario("X14")
@pytest.mark.promise("P1", "P4", "P6")
@pytest.mark.slow
def test_an_object_expires_while_a_cleared_run_reads_it(lake: FaultyLake, faulty: FaultyMachine) -> None:
    """They were loaded long ago, or they would not expire; so their rows are there, and must stay as they are."""
    old = NOW - timedelta(hours=lake.settings.staging_retention_hours + lake.settings.expiry_grace_hours + 1)
    paths = [lake.stage(f"old-{n}", [message(f"old-{n}"), message(f"old-{n}"), b"nonsense"], old) for n in range(3)]
    kept = lake.stage("kept", [message("kept")])
    first = run_dag("load_events", THE_RUN)
    before = lake.contents()
    held = faulty.aws.harm(Call("GET", path="old-1"), Mode.HOLD)

    with ThreadPoolExecutor(1) as pool:
        cleared = pool.submit(run_dag, "load_events", THE_RUN)
        held.wait()
        counts, _ = run_task("expire_staging", "expire", Run("expiry"))
        held.release()
        outcome = cleared.result(PATIENCE)

    assert counts["expired"] == len(paths)
    assert lake.staged_paths() == {kept}
    assert lake.differences() == []
    assert lake.contents() == before
    assert without_cost(outcome.returned["report"]) == without_cost(first.returned["report"])


def without_cost(report: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in report.items() if name not in COSTS}
