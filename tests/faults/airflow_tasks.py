"""Tasks of the shipped DAGs, run as Airflow runs them but in this process: the operators, their tries, their skips.

`python -m tests.faults.airflow_tasks DAG TASK RUN_ID TRY` runs one try in a process of its own, that can be killed.
"""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from tests.dags.conftest import ROOT, DagBag, context


@dataclass(frozen=True)
class Run:
    """One DAG run. A backfill covers the hour that begins at `hour`, a manual run what its `form` says.

    Other runs take what is not loaded.
    """

    run_id: str
    kind: str = "scheduled"
    hour: datetime | None = None
    form: Mapping[str, Any] = field(default_factory=dict)


THE_RUN = Run("the-run")


@dataclass
class Outcome:
    """How a run went: what each task returned that was not skipped, the errors of tries that failed, the others."""

    returned: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, list[Exception]] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)

    @property
    def retried(self) -> dict[str, list[str]]:
        """The errors of tasks that had to be tried again, by name where they are Trino's."""
        return {
            task_id: [getattr(error, "error_name", None) or repr(error) for error in errors]
            for task_id, errors in self.errors.items()
            if errors
        }


@cache
def dag_bag() -> Any:
    """The DAGs of the checkout."""
    return DagBag(ROOT / "dags")


def task_ids(dag_id: str) -> list[str]:
    """The tasks of a DAG, each after those that it waits for."""
    return [task.task_id for task in dag_bag().dags[dag_id].topological_sort()]


def run_try(dag_id: str, task_id: str, run: Run, number: int) -> Any:
    """One try of a task, with a copy of the operator of its own as in a process of its own."""
    operator = dag_bag().dags[dag_id].get_task(task_id).prepare_for_execution()
    given = context(operator, run.kind, run.run_id, dict(run.form))
    given["ti"].try_number = number
    if run.hour is not None:
        given |= {"data_interval_start": run.hour, "data_interval_end": run.hour + timedelta(hours=1)}
    operator.render_template_fields(given)
    return operator.execute(given)


def run_task(
    dag_id: str,
    task_id: str,
    run: Run,
    between: Callable[[Exception], None] = lambda _: None,
    first_try: int = 1,
) -> tuple[Any, list[Exception]]:
    """A task with the retries that its DAG gives it, without their pauses; what it returned, and the errors before.

    `between` is called after a failed try. Raises the last try's error, and AirflowSkipException.
    """
    errors: list[Exception] = []
    tries = dag_bag().dags[dag_id].get_task(task_id).retries + 1
    for number in range(first_try, tries + 1):
        try:
            return run_try(dag_id, task_id, run, number), errors
        except (AirflowSkipException, AirflowFailException, pytest.exit.Exception):
            raise
        except Exception as error:
            if number == tries:
                raise
            errors.append(error)
            between(error)
    raise AssertionError("unreachable")


def run_dag(
    dag_id: str, run: Run, between: Callable[[Exception], None] = lambda _: None, tasks: list[str] | None = None
) -> Outcome:
    """Every task of a run in order, or only `tasks`; a task is skipped as its trigger rule says."""
    outcome = Outcome()
    for task_id in tasks or task_ids(dag_id):
        try:
            if _is_skipped(dag_bag().dags[dag_id].get_task(task_id), outcome.skipped):
                raise AirflowSkipException
            outcome.returned[task_id], outcome.errors[task_id] = run_task(dag_id, task_id, run, between)
        except AirflowSkipException:
            outcome.skipped.add(task_id)
    return outcome


def _is_skipped(task: Any, skipped: set[str]) -> bool:
    """Whether the skipped tasks before it have a task skipped. Knows the rules that the DAGs here need."""
    if task.trigger_rule == "none_failed":
        return False
    if task.trigger_rule == "none_failed_min_one_success":
        return task.upstream_task_ids <= skipped
    assert task.trigger_rule == "all_success"
    return bool(task.upstream_task_ids & skipped)


def until(condition: Callable[[], Any], what: str, patience: float = 600.0) -> Any:
    """What `condition` gives as soon as it gives something. Raises TimeoutError after `patience` seconds."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise TimeoutError(f"{what} did not happen within {patience} s")


if __name__ == "__main__":
    _dag_id, _task_id, _run_id, _number = sys.argv[1:]
    run_try(_dag_id, _task_id, Run(_run_id), int(_number))
