"""The tasks of erase_person, over AWS in memory and a Trino that answers from a list: no id leaves the job."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from clickstream.erase.job import from_json, job_key, request_key
from clickstream.operators.erase import _STEPS
from dags.erase_person import STEPS
from tests.clickstream.fake_trino import FakeTrino, query_error
from tests.clickstream.memory_aws import MemoryS3
from tests.dags.conftest import context

pytestmark = pytest.mark.usefixtures("aws")
ConnectTrino = Callable[..., FakeTrino]
RUN = "manual__1"
# Long enough to be nowhere by chance.
KIM, PHONE, KIOSK = "kim-4f2a9c", "phone-77aa01", "kiosk-d01b55"
LINKS = [
    {"id": PHONE, "user_id": KIM, "user_count": 1, "device_count": 2},
    {"id": KIOSK, "user_id": KIM, "user_count": 9, "device_count": 2},
]
OWN, OTHER = json.dumps({"userId": KIM}).encode() + b"\n", b'{"userId":"lee"}\n'


def links(cursor: Any) -> list[dict[str, Any]]:
    """The kiosk has too many users to be named."""
    return LINKS if KIOSK not in str(cursor._connection.executed[-1][1]) else [{**LINKS[1], "user_id": None}]


def run(task, task_id: str, **conf: Any) -> Any:
    operator = task("erase_person", task_id)
    return operator.execute(context(operator, "manual", RUN, conf))


def job(s3: MemoryS3) -> Any:
    return from_json(s3.buckets["lake-bucket"][job_key(RUN)].decode())


def test_every_step_has_a_task_of_its_name() -> None:
    assert tuple(_STEPS) == STEPS


def test_ids_that_others_use_stop_a_run_and_are_in_its_job_only(
    task, connect_trino: ConnectTrino, s3: MemoryS3, capsys: pytest.CaptureFixture[str], caplog: Any
) -> None:
    connect_trino({'"identities"': [links]})

    with pytest.raises(
        AirflowFailException, match="1 ids may be others' too: `undecided` in s3://lake-bucket/"
    ) as error:
        run(task, "find_ids", user_id=KIM, dry_run=False)

    assert (job(s3).ids, [one.id for one in job(s3).undecided]) == ({KIM, PHONE}, [KIOSK])
    said = f"{error.value}{capsys.readouterr()}{caplog.text}"
    assert [one for one in (KIM, PHONE, KIOSK) if one in said] == []


def test_a_dry_run_counts_and_goes_no_further(task, connect_trino: ConnectTrino, s3: MemoryS3) -> None:
    connect_trino({'"identities"': [links], "system.jdbc.columns": [[]]})
    s3.buckets["staging-bucket"]["staging/20261124T010203004Z-a"] = OWN + OTHER + OWN

    address = run(task, "find_ids", user_id=KIM)

    assert address == f"s3://lake-bucket/{job_key(RUN)}"
    assert run(task, "preview", user_id=KIM) == {"staging/": 2}
    assert s3.buckets["staging-bucket"]["staging/20261124T010203004Z-a"] == OWN + OTHER + OWN
    for step in STEPS:
        with pytest.raises(AirflowSkipException):
            run(task, step, user_id=KIM)


def test_what_a_request_asks_for_is_read_once_and_kept_for_a_retry(
    task, connect_trino: ConnectTrino, s3: MemoryS3
) -> None:
    connect_trino({'"identities"': [query_error("TABLE_NOT_FOUND")]})
    asked = {"user_id": KIM, "anonymous_id": PHONE, "include": [], "exclude": [KIOSK]}
    s3.buckets["lake-bucket"][request_key("ticket")] = json.dumps(asked).encode()

    for _ in range(2):
        run(task, "find_ids", request="ticket", dry_run=False)

    assert request_key("ticket") not in s3.buckets["lake-bucket"]
    assert (job(s3).ids, job(s3).asked.exclude, job(s3).dry_run) == ({KIM, PHONE}, (KIOSK,), False)
    with pytest.raises(AirflowSkipException):
        run(task, "preview", request="ticket", dry_run=False)


def test_a_request_that_is_not_there_fails(task, connect_trino: ConnectTrino) -> None:
    connect_trino()

    with pytest.raises(AirflowFailException, match="request: there is no such object"):
        run(task, "find_ids", request="ticket")


def test_objects_are_cleaned_and_the_ids_forgotten(task, connect_trino: ConnectTrino, s3: MemoryS3) -> None:
    trino = connect_trino({'"identities"': [[]]})
    s3.buckets["staging-bucket"]["staging/20261124T010203004Z-a"] = OWN + OTHER

    run(task, "find_ids", user_id=KIM, dry_run=False)
    assert run(task, "suppress", user_id=KIM, dry_run=False) == 1
    assert run(task, "clean_objects", user_id=KIM, dry_run=False) == {"staging/": 1}
    run(task, "forget", user_id=KIM, dry_run=False)

    assert s3.buckets["staging-bucket"] == {"staging/20261124T010203004Z-a": OTHER}
    assert [key for key in s3.buckets["lake-bucket"] if key.startswith("erasures/")] == []
    assert KIM not in str([statement for statement in trino.executed if "identities" not in statement[0]])
    with pytest.raises(AirflowFailException, match="the run has no job any more"):
        run(task, "prove", user_id=KIM, dry_run=False)


def test_a_form_without_an_id_fails(task, connect_trino: ConnectTrino) -> None:
    connect_trino()

    with pytest.raises(AirflowFailException, match="user_id and anonymous_id are empty"):
        run(task, "find_ids")
