"""The same kills under a real Airflow: its scheduler, its processes, its retries with their pauses."""

import json
import os
import signal
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest

from local import processes, services
from local import stack as servers
from local.airflow_api import Airflow
from tests.faults.airflow_tasks import until
from tests.faults.figures import FIGURES
from tests.faults.lake import FaultyLake
from tests.faults.machine import FaultyMachine
from tests.faults.proxy import Mode
from tests.faults.test_kills import COMMITS

pytestmark = pytest.mark.slow


@pytest.fixture
def airflow(faulty: FaultyMachine, lake: FaultyLake) -> Iterator[Airflow]:
    """An Airflow whose tasks work on the lake, through the proxies. No run starts by the clock."""
    settings = {name: value for name, value in lake.environment.items() if name.startswith("CLICKSTREAM_")}
    faulty.places.settings_file.write_text(json.dumps(settings))
    with patch.dict(os.environ, AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE="False"):
        os.environ.pop("AIRFLOW_HOME", None)
        places = servers.start(services.AIRFLOW, faulty.through)
    servers.wait(services.AIRFLOW, places)
    try:
        yield Airflow(places)
    finally:
        processes.stop("airflow", places.state, 20)


def merge(airflow: Airflow, run_id: str) -> dict[str, Any]:
    """The task instance of the MERGE."""
    return next(task for task in airflow.tasks("load_events", run_id) if task["task_id"] == "load_events")


@pytest.mark.scenario("X1", "X3", "X6")
@pytest.mark.promise("P2", "P6")
@pytest.mark.parametrize("victim", ["task", "trino", "aws"])
def test_it_is_killed_in_the_middle_of_a_merge(
    lake: FaultyLake, faulty: FaultyMachine, airflow: Airflow, victim: str
) -> None:
    lake.stage_day()
    held = faulty.aws.harm(COMMITS, Mode.HOLD)
    run_id = airflow.trigger("load_events")
    held.wait()

    if victim == "task":
        os.kill(merge(airflow, run_id)["pid"], signal.SIGKILL)
        FIGURES.faults["SIGKILL of a task"] += 1
        until(lambda: merge(airflow, run_id)["state"] == "up_for_retry", "Airflow to see it")
        held.release()
    elif victim == "trino":
        faulty.kill(services.TRINO)
        held.drop()
        faulty.start_trino()
    else:
        faulty.kill(services.AWS)
        held.drop()
        faulty.start_aws()
    airflow.wait("load_events", run_id, lambda _: None)

    assert lake.differences() == []
    assert victim == "aws" or merge(airflow, run_id)["try_number"] == 2
