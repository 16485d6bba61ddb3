"""The task `model`: what it takes, what its form may ask for, and what announces a load."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from clickstream.operators.assets import EVENTS_LOADED
from tests.clickstream.fake_trino import FakeTrino
from tests.dags.conftest import HOUR, context

ConnectTrino = Callable[..., FakeTrino]
PENDING = {
    "run_id": "it's a load", "reported_at": HOUR, "first_received_at": HOUR, "last_received_at": HOUR,
    "rows_updated": 0,
}  # fmt: skip
WAITING = {"that a run of model_sessions has taken": [[{"reported_at": HOUR}]]}
ANSWERS: dict[str, Any] = {
    **WAITING,
    "as regions,": [[{"earliest": HOUR, "latest": HOUR, "regions": 1, "points": 3, "visitors": 2}]],
    "When the events of the regions were received": [[{"starts_at": HOUR, "ends_at": HOUR + timedelta(hours=1)}]],
    "as sessions_new": [[{"sessions_new": 4, "sessions_changed": 3, "sessions_aliased": 2, "sessions_capped": 1}]],
}


def run(task, kind: str = "manual", conf: dict[str, Any] | None = None) -> Any:
    operator = task("model_sessions", "model")
    given = context(operator, kind, "run-1", conf)
    operator.render_template_fields(given)
    return operator.execute(given)


def test_every_waiting_load_is_modelled_and_written_down(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino({"that no run of model_sessions has taken": [[PENDING], []], **ANSWERS})

    (report,) = run(task)

    assert report == {
        "loads": 1, "points": 3, "visitors": 2, "sessions_new": 4, "sessions_changed": 3, "sessions_aliased": 2,
        "sessions_capped": 1,
    }  # fmt: skip
    assert not [text for text, _ in trino.executed if "it's a load" in text]
    (stored,) = [parameters for text, parameters in trino.executed if "insert into" in text and "session_runs" in text]
    assert stored[:2] == ["run-1", f'[["it\'s a load", "{HOUR.isoformat()}"]]']
    assert len([text for text, _ in trino.executed if "merge into" in text]) == 1


def test_nothing_waiting_is_a_skip(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino(WAITING)

    with pytest.raises(AirflowSkipException, match="every load"):
        run(task)

    assert len(trino.executed) == 2


def test_a_range_is_modelled_again_whatever_waits(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino({"that no run of model_sessions has taken": [[PENDING], []], **ANSWERS})

    (report,) = run(task, conf={"from": "2026-11-24T11:00:00Z", "to": "2026-11-24T12:00:00+00:00"})

    assert report["loads"] == 0
    assert not [text for text, _ in trino.executed if "that no run" in text]
    (regions,) = [
        parameters for text, parameters in trino.executed if "session_regions" in text and "points as" in text
    ]
    assert HOUR in regions


@pytest.mark.parametrize(
    "conf",
    [
        {"from": "2026-11-24T11:00:00Z"},
        {"from": "2026-11-24T11:00:00Z", "to": "2026-11-24T11:00:00Z"},
        {"from": "'; drop table x", "to": "2026-11-24T11:00:00Z"},
    ],
    ids=["half a range", "no length", "no time"],
)
def test_a_range_that_is_none_fails_for_good(task, connect_trino: ConnectTrino, conf: dict[str, Any]) -> None:
    trino = connect_trino()

    with pytest.raises(AirflowFailException, match=r"from|to"):
        run(task, conf=conf)

    assert trino.executed == []


def test_it_is_run_by_what_the_report_of_a_load_announces(bag) -> None:
    assert bag.dags["load_events"].get_task("report").outlets == [EVENTS_LOADED]
    assert [(dag_id, task.task_id) for dag_id, dag in bag.dags.items() for task in dag.tasks if task.outlets] == [
        ("load_events", "report")
    ]
    assert bag.dags["model_sessions"].timetable.asset_condition.objects == (EVENTS_LOADED,)
