"""The link from a task to its query on Trino, and from Airflow's menu to Trino."""

import importlib
from collections.abc import Callable
from typing import Any

import pytest
from airflow.serialization.serialized_objects import DagSerialization
from trino.exceptions import TrinoQueryError

from clickstream.operators.base import EngineOperator
from clickstream.operators.links import TrinoQueryLink
from tests.clickstream.fake_trino import FakeTrino, query_error
from tests.dags.conftest import context

PAGE = "ui#/queries/20261124_000000_00001_test"


def link(operator: Any) -> str:
    """As the task runner works it out when the task has ended."""
    (found,) = operator.operator_extra_links
    return found.get_link(operator=operator, ti_key=None)


@pytest.fixture
def drop_batch(task) -> Any:
    return task("load_events", "drop_batch")


@pytest.mark.parametrize(
    ("ui", "expected"),
    [
        ("", f"http://trino:8080/{PAGE}"),
        ("https://trino.example.com", f"https://trino.example.com/{PAGE}"),
        ("https://example.com/trino/", f"https://example.com/trino/{PAGE}"),
    ],
)
def test_the_link_is_to_the_query_of_the_task(
    drop_batch, connect_trino: Callable[..., FakeTrino], monkeypatch: pytest.MonkeyPatch, ui: str, expected: str
) -> None:
    connect_trino()
    monkeypatch.setenv("CLICKSTREAM_TRINO_UI", ui)

    drop_batch.execute(context(drop_batch, "manual"))

    assert link(drop_batch) == expected


def test_a_failed_query_has_a_link_too(drop_batch, connect_trino: Callable[..., FakeTrino]) -> None:
    connect_trino({"drop table": [query_error("EXCEEDED_TIME_LIMIT")]})

    with pytest.raises(TrinoQueryError):
        drop_batch.execute(context(drop_batch, "manual"))

    assert link(drop_batch).endswith(PAGE)


def test_a_task_that_ran_no_query_has_no_link(drop_batch) -> None:
    assert link(drop_batch) == ""


def test_airflow_s_server_knows_the_link_of_every_task_on_trino(bag) -> None:
    names = set()
    for dag in bag.dags.values():
        stored = DagSerialization.from_dict(DagSerialization.to_dict(dag))
        for task in dag.tasks:
            if isinstance(task, EngineOperator):
                names.add(task.task_id)
                assert stored.get_task(task.task_id).extra_links == [TrinoQueryLink.name]
    assert {"unpack", "record_schema_changes", "watch", "create_ledger"} <= names


@pytest.mark.parametrize(
    ("ui", "expected"), [("", []), ("https://trino.example.com/", ["https://trino.example.com/ui/"])]
)
def test_the_menu_has_trino_if_its_address_is_known(
    monkeypatch: pytest.MonkeyPatch, ui: str, expected: list[str]
) -> None:
    import clickstream_plugin

    monkeypatch.setenv("CLICKSTREAM_TRINO_UI", ui)
    plugin = importlib.reload(clickstream_plugin).ClickstreamPlugin

    assert [view["href"] for view in plugin.external_views if view["name"] == "Trino"] == expected
