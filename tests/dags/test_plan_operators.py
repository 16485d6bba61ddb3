"""The tasks around the tracking plan: what the comparison reads and stores, and what its form may ask for."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from clickstream.plan.file import read_plan
from tests.clickstream.fake_trino import FakeTrino
from tests.dags.conftest import HOUR, context

ConnectTrino = Callable[..., FakeTrino]
SEEN = {
    "event": "it_s_new", "path": "[]", "json_type": "object", "event_text": "It's new", "messages": 3,
    "first_seen_at": HOUR, "last_seen_at": HOUR, "message_id": "m1", "example": "{}",
}  # fmt: skip


def run(task, dag_id: str, task_id: str, conf: dict[str, Any] | None = None) -> Any:
    operator = task(dag_id, task_id)
    given = context(operator, "manual", "run-1", conf)
    operator.render_template_fields(given)
    return operator.execute(given)


@pytest.mark.parametrize(("conf", "days"), [(None, 7), ({"days": 30}, 30)])
def test_the_last_days_are_compared_and_all_that_differs_is_stored(
    task, connect_trino: ConnectTrino, conf: dict[str, Any] | None, days: int
) -> None:
    trino = connect_trino({"which places they have": [[SEEN]]})

    counts = run(task, "compare_plan", "compare", conf)

    assert counts == {"undeclared_event": 1, "unseen_event": len(read_plan().live)}
    (_, asked), (text, stored) = trino.executed
    now, rows, since = stored
    assert asked[0] == since == now - timedelta(days=days)
    assert 'merge into "lake"."clickstream"."plan_diff"' in text
    assert "It's new" not in text
    assert json.loads(rows)[0]["event"] == "It's new"
    assert len(json.loads(rows)) == 1 + len(read_plan().live)


@pytest.mark.usefixtures("mistaken_plan")
def test_a_mistake_in_the_plan_is_not_tried_again(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino()

    with pytest.raises(AirflowFailException, match=r"tracking_plan.yaml:7"):
        run(task, "compare_plan", "compare")
    assert trino.executed == []
