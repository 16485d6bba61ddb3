"""What reconcile_raw sends, over an S3 and an SQS in memory."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from clickstream.aws.sqs import MessageError
from clickstream.settings import Settings, SettingsError
from tests.clickstream.memory_aws import MemoryS3, MemorySqs
from tests.dags.conftest import context

pytestmark = pytest.mark.usefixtures("aws")
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKSTREAM_RAW_BUCKET", "raw-bucket")
    monkeypatch.setenv("CLICKSTREAM_STAGE_QUEUE", "stage-queue")
    monkeypatch.setenv("CLICKSTREAM_STAGE_DEAD_LETTER_QUEUE", "dead-letters")


def deliver(s3: MemoryS3, *ages: float) -> list[str]:
    """Puts a raw object of each age, in minutes; gives their keys."""
    keys = [f"raw/2026/{number:03}.gz" for number, _ in enumerate(ages)]
    for key, age in zip(keys, ages, strict=True):
        s3.buckets["raw-bucket"][key] = b"12345"
        s3.landed[key] = datetime.now(UTC) - age * MINUTE
    return keys


def reconcile(task, conf: dict[str, Any] | None = None, kind: str = "scheduled") -> dict[str, int]:
    operator = task("reconcile_raw", "reconcile")
    return operator.execute(context(operator, kind, conf=conf))


def sent(sqs: MemorySqs) -> list[str]:
    return [json.loads(body)["Records"][0]["s3"]["object"]["key"] for body in sqs.queues["stage-queue"]]


def errors(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The error lines of the log, which Airflow writes to standard output."""
    return [line for line in capsys.readouterr().out.splitlines() if "[error" in line]


@pytest.mark.scenario("X25")
def test_objects_past_the_grace_are_sent_the_oldest_first(task, s3, sqs, capsys) -> None:
    new, old, older = deliver(s3, 14, 16, 60)

    assert reconcile(task) == {"raw": 3, "overdue": 2, "sent": 2, "left": 0}
    assert sent(sqs) == [older, old]
    assert new in s3.buckets["raw-bucket"]
    assert [line for line in errors(capsys) if "2 raw objects" in line and older in line]


def test_with_nothing_overdue_nothing_is_sent_and_nothing_alarms(task, s3, sqs, capsys) -> None:
    deliver(s3, 0, 14)

    assert reconcile(task) == {"raw": 2, "overdue": 0, "sent": 0, "left": 0}
    assert sqs.called("SendMessageBatch") == []
    assert errors(capsys) == []


def test_a_slow_queue_gets_no_more_messages(task, s3, sqs, capsys) -> None:
    deliver(s3, 60, 50, 1)
    sqs.queues["stage-queue"] = ["{}"] * 3

    assert reconcile(task) == {"raw": 3, "overdue": 2, "sent": 0, "left": 2}
    assert errors(capsys) == []

    sqs.queues["stage-queue"].pop()
    assert reconcile(task)["sent"] == 2


def test_at_most_so_many_are_sent_at_once(task, s3, sqs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Settings, "reconcile_max_objects", 12)
    keys = deliver(s3, *range(60, 30, -1))

    assert reconcile(task) == {"raw": 30, "overdue": 30, "sent": 12, "left": 18}
    assert sent(sqs) == keys[:12]


@pytest.mark.parametrize(("after", "overdue"), [(None, 1), (0, 3), (10, 2), (100, 0)])
def test_the_form_s_age_is_the_run_s(task, s3, after: int | None, overdue: int) -> None:
    deliver(s3, 1, 12, 20)

    assert reconcile(task, {"after_minutes": after}, "manual")["overdue"] == overdue


@pytest.mark.parametrize("after", [-1, "5; drop", 1.5, True, [1]])
def test_the_form_takes_no_other_age(task, after: Any) -> None:
    with pytest.raises(ValueError, match="after_minutes"):
        reconcile(task, {"after_minutes": after}, "manual")


@pytest.mark.parametrize("after", [-1, "5", 1.5, True])
def test_the_task_checks_the_age_again(task, after: Any) -> None:
    operator = task("reconcile_raw", "reconcile")

    with pytest.raises(AirflowFailException, match="after_minutes"):
        operator.execute({**context(operator, "manual"), "params": {"after_minutes": after}})


def test_a_refused_message_fails_the_task_by_name(task, s3, sqs) -> None:
    keys = deliver(s3, 60, 50, 40)
    sqs.refused = (keys[1],)

    with pytest.raises(MessageError, match=f"1 of 3 .*{keys[1]}"):
        reconcile(task)
    assert sent(sqs) == [keys[0], keys[2]]


@pytest.mark.parametrize("name", ["CLICKSTREAM_RAW_BUCKET", "CLICKSTREAM_STAGE_QUEUE"])
def test_a_setting_that_only_this_dag_needs_is_named(task, s3, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)

    with pytest.raises(SettingsError, match=name):
        reconcile(task)
    assert s3.calls == []


@pytest.mark.parametrize("count", [0, 2])
def test_dead_letters_are_an_error_in_the_log(task, sqs, capsys, count: int) -> None:
    sqs.queues["dead-letters"] = ["{}"] * count
    operator = task("reconcile_raw", "check_dead_letters")

    assert operator.execute(context(operator, "scheduled")) == count
    assert bool(errors(capsys)) is (count > 0)


def test_without_a_dead_letter_queue_the_check_is_skipped(task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLICKSTREAM_STAGE_DEAD_LETTER_QUEUE")
    operator = task("reconcile_raw", "check_dead_letters")

    with pytest.raises(AirflowSkipException, match="CLICKSTREAM_STAGE_DEAD_LETTER_QUEUE"):
        operator.execute(context(operator, "scheduled"))
