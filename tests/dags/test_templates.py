"""Every template of every task renders in every kind of run, and every SQL file that a task names exists."""

from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.sdk import BaseOperator

from clickstream.engine.sql import TableNames, render
from clickstream.load.steps import values_of_run
from clickstream.operators.base import TrinoStatementOperator
from clickstream.operators.checks import TrinoCheckTablesOperator
from clickstream.operators.tables import TrinoCreateTablesOperator
from clickstream.settings import Settings
from clickstream.window import Bounds
from tests.dags.conftest import context

KINDS = ["scheduled", "manual", "backfill"]
TABLE_MAKERS = ("load_events", "model_sessions", "compare_plan", "reconcile_archive")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SETTINGS = Settings(staging_bucket="staging-bucket", lake_bucket="lake-bucket", crawler="c")


def tasks(bag) -> list[BaseOperator]:
    return [task.prepare_for_execution() for dag in bag.dags.values() for task in dag.tasks]


def statements(bag) -> list[TrinoStatementOperator]:
    found = [task for task in tasks(bag) if isinstance(task, TrinoStatementOperator)]
    assert found
    return found


def strings_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in strings_in(inner)]
    if isinstance(value, list | tuple):
        return [text for inner in value for text in strings_in(inner)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("kind", KINDS)
def test_every_template_renders(bag, kind: str, xcoms: dict[str, Any]) -> None:
    xcoms["plan_healing "] = {"from": NOON.isoformat()}
    for task in tasks(bag):
        task.render_template_fields(context(task, kind))

        rendered = [text for field in task.template_fields for text in strings_in(getattr(task, field))]
        assert [text for text in rendered if "{{" in text or "{%" in text or not text] == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("given", "rendered"), [(None, "False"), ({"dry_run": True}, "True"), ({"dry_run": False}, "False")]
)
def test_the_dry_run_of_the_form_reaches_the_task(
    task, kind: str, given: dict[str, bool] | None, rendered: str
) -> None:
    expire = task("expire_staging", "expire")

    expire.render_template_fields(context(expire, kind, conf=given))

    assert str(expire.dry_run) == rendered
    assert expire._is_dry_run is (rendered == "True")


@pytest.mark.promise("P8")
@pytest.mark.parametrize("value", ["maybe", "; drop", 7, None, [True]])
def test_anything_but_yes_or_no_is_refused_before_the_task_runs(task, value: Any) -> None:
    expire = task("expire_staging", "expire")

    with pytest.raises(ValueError, match="dry_run"):
        context(expire, "manual", conf={"dry_run": value})


@pytest.mark.promise("P8")
def test_airflow_never_renders_the_sql_itself(bag) -> None:
    """Ours is rendered with bound values; Airflow's rendering would paste them into the text."""
    assert {task.task_id: task.template_ext for task in statements(bag) if task.template_ext} == {}


def test_every_sql_file_that_a_task_names_exists_and_renders_with_what_it_is_given(bag) -> None:
    for task in statements(bag):
        given = values_of_run("manual__1", NOON, SETTINGS)
        if isinstance(task, TrinoCheckTablesOperator):
            given["bounds"] = Bounds(NOON, NOON)
        for path in task.sql:
            statement = render(path, SETTINGS, given)
            assert statement.text
            assert [
                type(parameter) for parameter in statement.parameters if "Undefined" in type(parameter).__name__
            ] == []


def test_every_table_is_created_and_altered_by_one_dag_before_it_is_used(bag) -> None:
    first = [bag.dags[dag_id].topological_sort()[0] for dag_id in TABLE_MAKERS]
    assert {type(task) for task in first} == {TrinoCreateTablesOperator}

    assert sorted(table for task in first for table in task.tables) == sorted(TableNames.LAKE_TABLES)
    # The table over the archive is made by the first run that reads it.
    assert [task.lines for task in first] == [True, False, False, False]
