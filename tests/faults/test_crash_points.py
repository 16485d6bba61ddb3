"""A run that dies at any of its calls and is run again leaves what an undisturbed run leaves, in every table."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.faults.airflow_tasks import THE_RUN, Run, run_dag, run_task, run_try, task_ids
from tests.faults.crash_points import CrashError, CrashPoints, Moment
from tests.faults.lake import NOW, FaultyLake, message

MOMENTS: tuple[Moment, ...] = ("before", "after")
# The others only read.
CHANGING = [task_id for task_id in task_ids("load_events") if task_id not in ("check", "preview")]


@pytest.fixture
def points(lake: FaultyLake, monkeypatch: pytest.MonkeyPatch) -> CrashPoints:
    return CrashPoints(monkeypatch)


def dies(work: Callable[..., object], *arguments: object) -> bool:
    """Do the work; whether it died."""
    try:
        work(*arguments)
    except CrashError:
        return True
    return False


@pytest.mark.promise("P1", "P2", "P6")
@pytest.mark.slow
def test_every_task_of_a_load_dies_at_every_call_and_is_retried(
    undisturbed: dict[str, list[str]], lake: FaultyLake, points: CrashPoints
) -> None:
    """The way of Airflow's retries: what was done before stays, the dead task begins anew as its next try."""
    lake.stage_day()
    for task_id in CHANGING:
        points.crash_at(None)
        for number in range(1, 100):
            points.crash_at((number - 1) // 2, MOMENTS[(number - 1) % 2])
            if not dies(run_try, "load_events", task_id, THE_RUN, number):
                break
    points.crash_at(None)

    # Seven tables, the manifest, the batch, five MERGEs with their look-ups, the report, the drop.
    assert points.crashes >= 2 * 20
    assert lake.differences() == []
    assert lake.contents() == undisturbed


@pytest.mark.promise("P1", "P2", "P6")
@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_load_dies_at_every_call_and_the_whole_run_is_cleared(
    undisturbed: dict[str, list[str]], lake: FaultyLake, points: CrashPoints, moment: Moment
) -> None:
    """The way of a person who clears a run: each time, all of it begins anew."""
    lake.stage_day()
    for call in range(100):
        points.crash_at(call, moment)
        if not dies(run_dag, "load_events", THE_RUN, lambda _: None, CHANGING):
            break
    points.crash_at(None)

    assert points.crashes >= 20
    assert lake.differences() == []
    assert lake.contents() == undisturbed


@pytest.mark.promise("P2", "P6")
@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("task_id", CHANGING)
def test_a_load_dies_once_and_another_run_takes_over(
    lake: FaultyLake, points: CrashPoints, task_id: str, moment: Moment
) -> None:
    """Nobody clears the dead run: the next scheduled one takes what is not in the ledger."""
    lake.stage_day()
    run_dag("load_events", THE_RUN, tasks=CHANGING[: CHANGING.index(task_id)])
    if moment == "before":
        points.crash_at(0)
        assert dies(run_try, "load_events", task_id, THE_RUN, 1)
    else:
        # All that it does is done, and nobody hears of it.
        run_try("load_events", task_id, THE_RUN, 1)

    points.crash_at(None)
    outcome = run_dag("load_events", Run("the-next-run"))

    assert outcome.retried == {}
    assert lake.differences() == []


@pytest.mark.scenario("X15")
@pytest.mark.promise("P4", "P6")
def test_expiry_dies_at_every_call_and_runs_again(lake: FaultyLake, points: CrashPoints) -> None:
    """What is loaded goes, what is not stays and is told, however often expiry dies."""
    old = NOW - timedelta(hours=lake.settings.staging_retention_hours + lake.settings.expiry_grace_hours + 1)
    bodies = {lake.stage(f"loaded-{n}", [message(f"loaded-{n}")], old): n for n in range(3)}
    run_dag("load_events", THE_RUN)
    unloaded = lake.stage("unloaded", [message("unloaded")], old)
    young = lake.stage("young", [message("young")])

    for number in range(100):
        for path, n in bodies.items():
            assert lake.stage(f"loaded-{n}", [message(f"loaded-{n}")], old) == path
        points.crash_at(number // 2, MOMENTS[number % 2])
        died = dies(run_try, "expire_staging", "expire", THE_RUN, 1)
        assert {unloaded, young} <= lake.staged_paths()
        points.crash_at(None)
        counts, _ = run_task("expire_staging", "expire", THE_RUN)
        assert lake.staged_paths() == {unloaded, young}
        assert counts["overdue"] == 1
        if not died:
            break

    # The list of objects, the ledger, the list that is kept, the deletion.
    assert points.crashes == 2 * 4
