"""Runs of the shipped DAGs on the stack of the end-to-end tests, without Airflow's scheduler."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from local import services
from local.lake.machine import Machine

RunTasks = Callable[..., Any]
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def run_tasks(machine: Machine) -> Iterator[RunTasks]:
    """Give what runs the tasks of a manual run in this process: `run_tasks("load_events", {"dry_run": True})`.

    It gives their `Outcome`. For tests that do not ask whether Airflow runs them: a process a task costs more than what
    most tasks do.
    """
    # Only here: to import Airflow takes seconds, and not every test of this folder needs it.
    from tests.dags.conftest import AIRFLOW
    from tests.faults.airflow_tasks import Outcome, Run, run_dag

    def run(dag_id: str, form: Mapping[str, Any] | None = None) -> Outcome:
        return run_dag(dag_id, Run(f"manual__in-process-{next(NUMBERS)}", "manual", form=form or {}))

    with pytest.MonkeyPatch.context() as patch:
        for name, value in (AIRFLOW | services.airflow_environment(machine.places)).items():
            if name in AIRFLOW or name.startswith(("AIRFLOW_CONN_", "CLICKSTREAM_")):
                patch.setenv(name, AIRFLOW.get(name, value))
        yield run
