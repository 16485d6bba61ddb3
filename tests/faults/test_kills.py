"""Something is killed, stopped or restarted in the middle of a load; the retry ends green, the tables equal the model.

A held call makes "in the middle" exact: the proxy has the MERGE's own request to the local AWS in its hands.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from local import services
from local.places import ROOT
from tests.faults.airflow_tasks import THE_RUN, run_dag, run_task, task_ids, until
from tests.faults.figures import FIGURES
from tests.faults.lake import FaultyLake
from tests.faults.machine import FaultyMachine
from tests.faults.proxy import Call, Mode

TASKS = task_ids("load_events")
BEFORE_MERGE = ["create_tables", "take_manifest", "unpack"]
AFTER_MERGE = [task_id for task_id in TASKS if task_id not in (*BEFORE_MERGE, "load_events")]

# The two ends of a MERGE: a data file is being written; the files are there and the commit is on its way.
WRITES = Call(method="PUT", path=r"/events[^/]*/data/.*\.parquet")
COMMITS = Call(action="UpdateTable", body=r'"Name": ?"events"')


def finish(lake: FaultyLake) -> None:
    """The tasks after the MERGE, undisturbed; then the tables must equal the model."""
    outcome = run_dag("load_events", THE_RUN, tasks=AFTER_MERGE)
    assert outcome.retried == {}
    tables = lake.expected()
    report = outcome.returned["report"]
    counts = [report[f"rows_{what}"] for what in ("read", "loaded", "duplicate", "rejected")]
    assert lake.differences() == []
    assert counts == [tables.line_count, len(tables.events), tables.duplicate_count, len(tables.rejects)]


def merges(lake: FaultyLake, state: str) -> int:
    """How many MERGEs into this lake's events are in a state, as Trino tells it."""
    rows = lake.lake.query(
        f"""select state from system.runtime.queries
        where query like '%merge into "lake"."{lake.settings.lake_database}"."events"%'
        and query not like '%system.runtime.queries%'"""
    )
    return [row["state"] for row in rows].count(state)


@pytest.mark.scenario("X1")
@pytest.mark.promise("P2", "P6")
@pytest.mark.parametrize(
    ("call", "leftover"),
    [
        pytest.param(COMMITS, "commits", id="its query goes on and commits"),
        pytest.param(COMMITS, "is_late", id="its commit arrives after the retry's", marks=pytest.mark.slow),
        pytest.param(WRITES, "runs", id="its query is found and ended", marks=pytest.mark.slow),
    ],
)
def test_the_task_is_killed(lake: FaultyLake, faulty: FaultyMachine, call: Call, leftover: str) -> None:
    lake.stage_day()
    run_dag("load_events", THE_RUN, tasks=BEFORE_MERGE)
    held = faulty.aws.harm(call, Mode.HOLD)
    command = [sys.executable, "-m", "tests.faults.airflow_tasks", "load_events", "load_events", THE_RUN.run_id, "1"]
    task = subprocess.Popen(command, cwd=ROOT, env=lake.environment_of_a_process())
    held.wait()
    task.send_signal(signal.SIGKILL)
    assert task.wait(60) == -signal.SIGKILL
    FIGURES.faults["SIGKILL of a task"] += 1
    if leftover == "commits":
        held.release()
        # Not by the state of its query: Trino may end one as abandoned that has committed and that nobody asks for.
        until(lambda: lake.lake.rows("events"), "the commit of the killed task's query")

    run_task("load_events", "load_events", THE_RUN, first_try=2)

    if leftover != "commits":
        assert merges(lake, "FAILED") == 1
    held.release()
    time.sleep(0.5)
    finish(lake)


@pytest.mark.scenario("X3")
@pytest.mark.promise("P3", "P6")
@pytest.mark.parametrize(
    ("call", "arrives"),
    [
        pytest.param(COMMITS, False, id="before its commit", marks=pytest.mark.slow),
        pytest.param(COMMITS, True, id="its commit arrives", marks=pytest.mark.slow),
        pytest.param(WRITES, False, id="while it writes", marks=pytest.mark.slow),
    ],
)
def test_trino_is_killed(lake: FaultyLake, faulty: FaultyMachine, call: Call, arrives: bool) -> None:
    lake.stage_day()
    run_dag("load_events", THE_RUN, tasks=BEFORE_MERGE)
    held = faulty.aws.harm(call, Mode.HOLD)

    def kill() -> None:
        held.wait()
        faulty.kill(services.TRINO)
        held.release() if arrives else held.drop()

    def restart(_: Exception) -> None:
        if not faulty.runs(services.TRINO):
            faulty.start_trino()
            # No reader sees a part of it.
            assert len(lake.lake.rows("events")) == (len(lake.expected().events) if arrives else 0)

    _, errors = beside(kill, lambda: run_task("load_events", "load_events", THE_RUN, restart))

    assert len(errors) == 1
    finish(lake)


@pytest.mark.scenario("X4")
@pytest.mark.promise("P6")
@pytest.mark.slow
@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(10, id="for less than the client's time-out"),
        # 90 s would only repeat what a pause longer than the client's time-out of 30 s shows.
        pytest.param(40, id="for longer than the client's time-out"),
    ],
)
def test_trino_stands_still(lake: FaultyLake, faulty: FaultyMachine, seconds: float) -> None:
    lake.stage_day()
    run_dag("load_events", THE_RUN, tasks=BEFORE_MERGE)
    held = faulty.aws.harm(COMMITS, Mode.HOLD)

    def stop() -> None:
        held.wait()
        faulty.signal(services.TRINO, signal.SIGSTOP)
        try:
            held.release()
            time.sleep(seconds)
        finally:
            faulty.signal(services.TRINO, signal.SIGCONT)

    beside(stop, lambda: run_task("load_events", "load_events", THE_RUN))

    finish(lake)


@pytest.mark.scenario("X5")
@pytest.mark.promise("P6")
@pytest.mark.slow
def test_trino_has_just_been_started_and_has_no_worker(lake: FaultyLake, faulty: FaultyMachine) -> None:
    lake.stage_day()
    run_dag("load_events", THE_RUN, tasks=BEFORE_MERGE)
    faulty.kill(services.TRINO)
    faulty.start_trino(wait=False)
    until(lambda: answers(faulty), "an answer of Trino")

    run_task("load_events", "load_events", THE_RUN, between=lambda _: time.sleep(2))

    finish(lake)


@pytest.mark.scenario("X6")
@pytest.mark.promise("P6")
@pytest.mark.parametrize(
    "call",
    [
        pytest.param(COMMITS, id="before the commit"),
        pytest.param(WRITES, id="while a file is written", marks=pytest.mark.slow),
    ],
)
def test_the_local_aws_is_killed(lake: FaultyLake, faulty: FaultyMachine, call: Call) -> None:
    lake.stage_day()
    run_dag("load_events", THE_RUN, tasks=BEFORE_MERGE)
    held = faulty.aws.harm(call, Mode.HOLD)

    def kill() -> None:
        held.wait()
        # The stand-in writes its index of objects a moment after it answers: see local/aws/durability.py.
        time.sleep(1)
        faulty.kill(services.AWS)
        faulty.aws.refuse()
        held.drop()
        time.sleep(3)
        faulty.start_aws()
        faulty.aws.accept()

    beside(kill, lambda: run_task("load_events", "load_events", THE_RUN, between=lambda _: time.sleep(5)))

    finish(lake)


def beside(fault: Callable[[], None], work: Callable[[], Any]) -> Any:
    """What `work` gives while `fault` runs beside it; an error of either."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(fault)
        given = work()
        done.result()
    return given


def answers(faulty: FaultyMachine) -> bool:
    """Whether Trino answers at all; it says so before it has a worker."""
    try:
        return not httpx.get(f"{faulty.places.trino_url}/v1/info", timeout=2).json()["starting"]
    except (httpx.HTTPError, ValueError):
        return False
