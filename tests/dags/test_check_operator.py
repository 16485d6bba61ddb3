"""The task `check`: every check is asked, a warn is logged, a fail fails the run for good."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from clickstream.engine.sql import TableNames
from clickstream.load import manifest
from clickstream.load.manifest import Manifest
from clickstream.staging.keys import StagedObject
from clickstream.upkeep.checks import check_paths
from clickstream.window import Bounds
from tests.clickstream.fake_trino import FakeCursor, FakeTrino, Rows, cancelled, query_error
from tests.clickstream.memory_aws import MemoryS3
from tests.dags.conftest import HOUR, context

ConnectTrino = Callable[..., FakeTrino]
STAGED = HOUR + timedelta(minutes=5)
PATHS = check_paths(TableNames.LOAD_TABLES)
LONG_AGO = HOUR - timedelta(days=20_000)
LOOKBACK = timedelta(days=30)
FAULT = {"Check (fail): a message that the run loaded": [[{"message_id": "m1", "copies": 2}]]}
WARNING = {"Check (warn): more than 1 %": [[{"run_id": "run-1", "rows_read": 10, "rows_rejected": 9}]]}


@pytest.fixture(autouse=True)
def taken(aws: None, s3: MemoryS3) -> None:
    """Of the run: an hour, and another one long ago."""
    staged, hours = StagedObject("s3://staging-bucket/staging/x", 1, STAGED), (LONG_AGO, HOUR)
    text = Manifest("run-1", (staged,), batch=Bounds(LONG_AGO, HOUR), hours=hours).to_json()
    s3.buckets["lake-bucket"][manifest.key("run-1")] = text.encode()


def check(task) -> Any:
    operator = task("load_events", "check")
    given = context(operator, "manual", "run-1")
    operator.render_template_fields(given)
    return operator.execute(given)


def asked(trino: FakeTrino) -> list[str]:
    return [text for text, _ in trino.executed if "-- Check (" in text]


def test_every_check_is_asked_with_the_bounds_of_the_run(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino()

    result = check(task)

    assert len(asked(trino)) == len(PATHS)
    assert result == {"passed": len(PATHS), "warnings": [], "failures": []}
    hour = timedelta(hours=1, microseconds=-1)
    spans = [LONG_AGO - LOOKBACK, LONG_AGO + hour + LOOKBACK, HOUR - LOOKBACK, HOUR + hour + LOOKBACK]
    assert [parameters for text, parameters in trino.executed if "message that the run loaded is" in text] == [
        ["run-1", *spans, *spans]
    ]
    assert [parameters for text, parameters in trino.executed if "is in the ledger more than once" in text] == [
        ["run-1", STAGED, STAGED]
    ]


def test_a_warning_is_logged_and_given_but_fails_nothing(task, connect_trino: ConnectTrino, capsys) -> None:
    connect_trino(WARNING)

    result = check(task)

    assert json.loads(json.dumps(result)) == {
        "passed": len(PATHS) - 1,
        "warnings": ["rejects.rate_is_low"],
        "failures": [],
    }
    logged = capsys.readouterr().out
    assert "[warning  ] rejects.rate_is_low (warn): rows found: 1." in logged
    assert "run_id=run-1, rows_read=10, rows_rejected=9" in logged


def test_a_fault_fails_the_run_for_good_after_all_checks_were_asked(task, connect_trino: ConnectTrino, capsys) -> None:
    trino = connect_trino(FAULT | WARNING)

    with pytest.raises(AirflowFailException) as failure:
        check(task)

    assert "events.message_id_is_unique (fail): rows found: 1." in str(failure.value)
    assert "message_id=m1, copies=2" in str(failure.value)
    assert "rate_is_low" not in str(failure.value)
    assert "rejects.rate_is_low" in capsys.readouterr().out
    assert len(asked(trino)) == len(PATHS)


def test_a_check_that_cannot_be_asked_fails_the_task(task, connect_trino: ConnectTrino) -> None:
    connect_trino({"Check (fail): of an object": [query_error("EXCEEDED_LOCAL_MEMORY_LIMIT")]})

    with pytest.raises(Exception, match="EXCEEDED_LOCAL_MEMORY_LIMIT"):
        check(task)


def test_a_kill_cancels_the_check_and_no_other_follows(task, connect_trino: ConnectTrino) -> None:
    operator = task("load_events", "check")

    def killed(_: FakeCursor) -> Rows:
        operator.on_kill()
        raise cancelled()

    trino = connect_trino({"Check (": [killed]})

    with pytest.raises(Exception, match="USER_CANCELED"):
        operator.execute(context(operator, "scheduled", "run-1"))
    assert len(asked(trino)) == 1
    assert trino.cursors[-1].is_cancelled
