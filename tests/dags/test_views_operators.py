"""The tasks that make views: which, and when the plan is wrong."""

from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.clickstream.fake_trino import FakeTrino
from tests.dags.conftest import context

ConnectTrino = Callable[..., FakeTrino]
THERE = [
    {"schema_name": "clickstream", "table_name": "order_completed", "comment": None},
    {"schema_name": "clickstream_events", "table_name": "email_sent", "comment": "The back office sent a mail."},
]


def run(task, dag_id: str, task_id: str) -> Any:
    operator = task(dag_id, task_id)
    return operator.execute(context(operator, "manual", "run-1"))


def made(trino: FakeTrino) -> list[str]:
    texts = [text for text, _ in trino.executed if "create or replace view" in text]
    return [text.partition("create or replace view ")[2].partition("\n")[0].replace('"', "") for text in texts]


def test_only_events_with_a_table_of_their_own_have_a_view(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino({"system.metadata.table_comments": [THERE]})

    assert run(task, "load_events", "publish_event_views") == ["email_sent"]

    assert made(trino) == ["lake.clickstream_segment.email_sent"]
    assert trino.executed[0][1] == ["lake", "clickstream", "clickstream_events", "clickstream_segment"]


@pytest.mark.usefixtures("mistaken_plan")
def test_a_mistake_in_the_plan_is_not_tried_again(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino({"system.metadata.table_comments": [THERE]})

    with pytest.raises(AirflowFailException, match="events > A: wrong"):
        run(task, "load_events", "publish_event_views")

    assert made(trino) == []


def test_views_over_sessions_are_made_in_order_and_not_again(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino()
    views = ["session_aliases", "session_events", "flows", "identities", "people"]

    assert run(task, "model_sessions", "publish_views") == views

    assert made(trino) == [f"lake.clickstream.{view}" for view in views]
    comments = [text.partition("comment '")[2].partition("]'")[0] + "]" for text, _ in trino.executed[1:]]
    present = [
        {"schema_name": "clickstream", "table_name": view, "comment": comment}
        for view, comment in zip(views, comments, strict=True)
    ]
    again = connect_trino({"system.metadata.table_comments": [present]})
    assert run(task, "model_sessions", "publish_views") == []
    assert made(again) == []
