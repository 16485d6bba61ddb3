"""The DAGs as Airflow finds them: names, limits, docs, schedules."""

import re
import sys
from datetime import timedelta
from pathlib import Path

import pendulum
import pytest
from airflow.sdk import DAG, BaseOperator

from clickstream.engine.sql import TableNames
from clickstream.operators.notify import notify_failure
from clickstream.settings import Settings
from tests.dags.conftest import ROOT

FILES = sorted((ROOT / "dags").glob("*.py"))
# Add a DAG here and to the table of README.md.
DAGS = {
    "clickstream_check", "compare_plan", "crawl_staging", "erase_person", "expire_staging", "load_events",
    "maintain_tables", "model_sessions", "reconcile_archive", "reconcile_raw", "rebuild_typed_events", "redrive_failed",
    "watch_pipeline", "write_status",
}  # fmt: skip
GRACE = timedelta(hours=Settings(staging_bucket="a", lake_bucket="b", crawler="c").expiry_grace_hours)


@pytest.fixture(params=sorted(DAGS))
def dag(request: pytest.FixtureRequest, bag) -> DAG:
    return bag.dags[request.param]


def tasks_of(dag: DAG) -> list[BaseOperator]:
    assert dag.tasks
    return dag.tasks


def test_every_dag_is_found_without_an_error_or_a_warning(bag) -> None:
    assert bag.import_errors == {}
    assert bag.captured_warnings == {}
    assert bag.dags.keys() == DAGS


def test_one_file_is_one_dag_of_its_name(bag) -> None:
    assert {path.stem for path in FILES} == DAGS
    for dag_id, dag in bag.dags.items():
        assert Path(dag.fileloc) == ROOT / "dags" / f"{dag_id}.py"
        assert re.search(rf"^@dag\((?:.|\n)*?^def {dag_id}\(\):$", Path(dag.fileloc).read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_dag_file_is_short_below_its_manual(path: Path) -> None:
    _, manual, code = path.read_text(encoding="utf-8").split('"""', 2)

    assert len(manual.splitlines()) <= 60
    assert len(code.splitlines()) <= 100


def test_no_module_of_the_package_is_run_as_a_plugin(bag) -> None:
    """Without plugins/.airflowignore Airflow runs each as a top-level module named by its file."""
    from airflow import plugins_manager

    plugins_manager.ensure_plugins_loaded()

    assert plugins_manager.get_import_errors() == {}
    stems = {path.stem for path in (ROOT / "plugins" / "clickstream").rglob("*.py")} - {"__init__"}
    leaked = {
        name: file
        for name in stems
        if (file := getattr(sys.modules.get(name), "__file__", None)) and str(ROOT / "plugins") in file
    }
    assert leaked == {}


def test_docs_name_every_task(dag: DAG) -> None:
    docs = dag.doc_md or ""

    assert len(docs) > 200
    assert [task.task_id for task in tasks_of(dag) if not re.search(rf"\b{task.task_id}\b", docs)] == []


def test_dag_has_tags_a_start_and_one_run_at_a_time(dag: DAG) -> None:
    assert dag.tags >= {"clickstream"}
    assert dag.catchup is False
    assert dag.max_active_runs == 1
    assert dag.start_date is not None
    assert dag.start_date.utcoffset() == timedelta(0)


def test_every_task_has_an_owner_retries_and_a_time_limit(dag: DAG) -> None:
    for task in tasks_of(dag):
        assert task.owner != "airflow"
        assert task.retries >= 1
        assert task.execution_timeout is not None


def test_a_failed_run_of_any_dag_is_told(dag: DAG) -> None:
    assert dag.on_failure_callback is notify_failure
    assert dag.has_on_failure_callback


def test_every_task_ends_before_expiry_may_delete_under_its_hands(dag: DAG) -> None:
    if dag.dag_id == "erase_person":  # it reads an object when it has listed it, and needs none that is gone
        return
    assert {task.task_id: task.execution_timeout for task in tasks_of(dag) if task.execution_timeout >= GRACE} == {}


def test_the_crawl_s_own_time_limit_ends_before_its_task_s(bag) -> None:
    crawl = bag.dags["crawl_staging"].get_task("crawl")

    assert crawl.crawl_timeout < crawl.execution_timeout


def test_no_last_task_hides_a_failure(dag: DAG) -> None:
    """A run's state is that of its last tasks: one that runs in any case makes a failed run green."""
    last = [task for task in tasks_of(dag) if not task.downstream_task_ids]

    assert last
    assert [task.task_id for task in last if task.trigger_rule.value.startswith(("all_done", "always"))] == []


def test_load_events_reports_after_all_loads_and_each_load_after_what_it_reads(bag) -> None:
    dag = bag.dags["load_events"]
    beside = ("preview", "publish_views", "publish_event_views")
    load = {task.task_id: task for task in dag.tasks if task.task_id not in beside}

    assert {name: task.upstream_task_ids - set(beside) for name, task in load.items()} == {
        "create_tables": set(),
        "take_manifest": {"create_tables"},
        "unpack": {"take_manifest"},
        "load_events": {"unpack"},
        "load_rejects": {"load_events"},
        "record_schema_changes": {"load_events"},
        "load_discards": {"load_events"},
        "write_ledger": {"load_rejects", "load_discards", "record_schema_changes"},
        "load_typed_events": {"load_discards"},
        "report": {"write_ledger", "load_typed_events"},
        "check": {"report"},
        "drop_batch": {"check"},
    }
    # After the load or after the preview, whichever was not skipped, and after no failure.
    assert load.pop("drop_batch").trigger_rule.value == "none_failed_min_one_success"
    assert {task.trigger_rule.value for task in load.values()} == {"all_success"}


@pytest.mark.parametrize(
    ("dag_id", "task_id", "after"),
    [
        ("load_events", "publish_views", "write_ledger"),
        ("load_events", "publish_event_views", "load_typed_events"),
        ("model_sessions", "publish_views", "create_tables"),
    ],
)
def test_views_follow_the_tables_that_they_read_and_hold_up_nothing(bag, dag_id: str, task_id: str, after: str) -> None:
    publish = bag.dags[dag_id].get_task(task_id)

    assert (publish.upstream_task_ids, publish.downstream_task_ids) == ({after}, set())
    assert publish.trigger_rule.value == "all_success"


def test_the_preview_stands_beside_the_load(bag) -> None:
    preview = bag.dags["load_events"].get_task("preview")

    assert (preview.upstream_task_ids, preview.downstream_task_ids) == ({"unpack"}, {"drop_batch"})
    assert preview.trigger_rule.value == "all_success"


def test_every_lake_table_is_maintained_whatever_becomes_of_the_others(bag) -> None:
    dag = bag.dags["maintain_tables"]

    assert {task.task_id for task in dag.tasks} == {
        *(f"maintain_{table}" for table in TableNames.LAKE_TABLES),
        "maintain_typed_events",
        "drop_stray_batches",
    }
    assert not any(task.upstream_task_ids for task in dag.tasks)
    assert dag.max_active_tasks == 1


def test_the_patch_follows_a_skipped_crawl_but_no_failed_one(bag) -> None:
    dag = bag.dags["crawl_staging"]

    assert dag.get_task("patch").upstream_task_ids == {"crawl"}
    assert dag.get_task("patch").trigger_rule.value == "none_failed"


def test_load_events_can_be_backfilled_and_a_run_covers_its_hour(bag) -> None:
    from airflow.serialization.serialized_objects import DagSerialization
    from airflow.timetables.base import TimeRestriction

    dag = DagSerialization.from_dict(DagSerialization.to_dict(bag.dags["load_events"]))
    start = pendulum.datetime(2026, 3, 29, tz="UTC")

    run = dag.timetable.next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(earliest=start, latest=None, catchup=True)
    )

    assert dag.timetable.periodic
    assert (run.data_interval.start, run.data_interval.end) == (start, start.add(hours=1))
    assert run.run_after == start.add(hours=1)
    following = dag.timetable.next_dagrun_info(
        last_automated_data_interval=run.data_interval,
        restriction=TimeRestriction(earliest=start, latest=None, catchup=True),
    )
    assert following.data_interval.start == run.data_interval.end


@pytest.mark.parametrize("dag_id", sorted(DAGS))
def test_a_dag_survives_serialisation(bag, dag_id: str) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    stored = DagSerialization.to_dict(bag.dags[dag_id])

    assert DagSerialization.from_dict(stored).task_ids == bag.dags[dag_id].task_ids
