"""Airflow without a database: the DAGs of the checkout, the context of a run, and clients in memory.

Airflow reads its folders when it is first imported, so that happens here, under the settings of these tests. Nothing of
it stays in the environment of other tests.
"""

import copy
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest

from clickstream.plan.file import TrackingPlanError
from tests.clickstream.fake_trino import FakeTrino
from tests.clickstream.memory_aws import MemoryGlue, MemoryKinesis, MemoryS3, MemorySqs

ROOT = Path(__file__).resolve().parents[2]
_HOME = tempfile.TemporaryDirectory(prefix="airflow-home-")
AIRFLOW = {
    "AIRFLOW_HOME": _HOME.name,
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
}
CLICKSTREAM = {
    "CLICKSTREAM_STAGING_BUCKET": "staging-bucket",
    "CLICKSTREAM_LAKE_BUCKET": "lake-bucket",
    "CLICKSTREAM_CRAWLER": "the-crawler",
}

with pytest.MonkeyPatch.context() as _patch:
    for _name, _value in AIRFLOW.items():
        _patch.setenv(_name, _value)
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG, BaseOperator, Context
    from airflow.sdk.api.datamodels._generated import DagRun, TIRunContext
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

HOUR = datetime(2026, 11, 24, 11, tzinfo=UTC)
TASK_INSTANCE_ID = UUID("01234567-89ab-7def-8123-456789abcdef")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (AIRFLOW | CLICKSTREAM).items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def bag() -> Iterator[DagBag]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in AIRFLOW.items():
            patch.setenv(name, value)
        yield DagBag(ROOT / "dags")


@pytest.fixture
def mistaken_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tracking plan with a mistake in its line 7."""

    def mistaken() -> None:
        raise TrackingPlanError("tracking_plan.yaml:7: events > A: wrong")

    monkeypatch.setattr("clickstream.operators.plan.read_plan", mistaken)


@pytest.fixture
def task(bag: DagBag) -> Callable[[str, str], BaseOperator]:
    """A task as the task runner gets it: its own copy, so that no test sees another's connection."""
    return lambda dag_id, task_id: bag.dags[dag_id].get_task(task_id).prepare_for_execution()


class Instance(RuntimeTaskInstance):
    """A task instance that finds what others left in `left`, by `<task> <key>`: there is no server to ask."""

    left: ClassVar[dict[str, Any]] = {}

    def xcom_pull(self, task_ids: Any = None, *args: Any, key: str = "", **kwargs: Any) -> Any:
        if isinstance(task_ids, str):
            return self.left.get(f"{task_ids} {key}")
        return [self.left.get(f"{task_id} {key}") for task_id in task_ids]


@pytest.fixture
def xcoms(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What tasks of the run leave to others, by `<task> <key>`."""
    left: dict[str, Any] = {}
    monkeypatch.setattr(Instance, "left", left)
    return left


def dag_run(dag: DAG, kind: str, run_id: str | None = None, conf: dict[str, Any] | None = None) -> DagRun:
    """A run of a kind: `scheduled` and `backfill` have a date, `manual` has none, as from the UI's plain trigger."""
    is_dated = kind != "manual"
    return DagRun(
        dag_id=dag.dag_id,
        run_id=run_id or f"{kind}__{HOUR.isoformat()}",
        logical_date=HOUR if is_dated else None,
        data_interval_start=HOUR if is_dated else None,
        data_interval_end=HOUR + timedelta(hours=1) if is_dated else None,
        run_after=HOUR + timedelta(hours=1),
        start_date=HOUR + timedelta(hours=1),
        end_date=None,
        run_type=kind,
        state="running",
        conf=conf,
        consumed_asset_events=[],
        partition_key=None,
    )


def context(task: BaseOperator, kind: str, run_id: str | None = None, conf: dict[str, Any] | None = None) -> Context:
    """The context that the task runner makes for a task of such a run."""
    # Airflow writes a run's conf into the params, which all tasks of the bag share.
    task.params = copy.deepcopy(task.params)
    run = dag_run(task.dag, kind, run_id, conf)
    instance = Instance.model_construct(
        id=TASK_INSTANCE_ID,
        task_id=task.task_id,
        dag_id=task.dag_id,
        run_id=run.run_id,
        try_number=1,
        map_index=-1,
        task=task,
        max_tries=1,
        start_date=run.start_date,
    )
    instance._ti_context_from_server = TIRunContext(dag_run=run, max_tries=1)
    return instance.get_template_context()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> MemoryS3:
    return MemoryS3({"staging-bucket": {}, "lake-bucket": {}, "raw-bucket": {}, "archive-bucket": {}})


@pytest.fixture
def sqs() -> MemorySqs:
    return MemorySqs("stage-queue", "dead-letters")


@pytest.fixture
def kinesis() -> MemoryKinesis:
    return MemoryKinesis()


@pytest.fixture
def glue() -> MemoryGlue:
    return MemoryGlue()


@pytest.fixture
def aws(
    monkeypatch: pytest.MonkeyPatch, s3: MemoryS3, glue: MemoryGlue, sqs: MemorySqs, kinesis: MemoryKinesis
) -> None:
    """The provider's hook gives the clients in memory."""
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

    def connect(hook: Any) -> Any:
        assert hook.aws_conn_id == "clickstream_aws"
        return {"s3": s3, "glue": glue, "sqs": sqs, "kinesis": kinesis}[hook.client_type].client

    monkeypatch.setattr(AwsBaseHook, "get_conn", connect)


@pytest.fixture
def connect_trino(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeTrino]:
    """Makes the provider's hook give a connection with these answers."""
    from airflow.providers.trino.hooks.trino import TrinoHook

    def connect(answers: Any = None) -> FakeTrino:
        trino = FakeTrino(answers)
        monkeypatch.setattr(TrinoHook, "get_conn", lambda _: trino)
        return trino

    return connect
