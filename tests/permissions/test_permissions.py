"""Least privilege: the whole path runs with the template's roles, and with nothing that they do not need.

Expected: what each role may do and may not is in cases.yaml, what no run here can need in unused.yaml.
"""

import inspect
import pkgutil
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

import clickstream.aws
from local import permissions, pipeline
from local.airflow_api import Airflow
from local.lake.machine import Machine
from local.places import ROOT
from tests.permissions import policies
from tests.permissions.path import SEGMENT_ACCOUNT, Walk, airflow_calls, assume

HERE = Path(__file__).parent
REFUSALS = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "403"}
# Each DAG that calls AWS or Trino, with its params.
DAGS: dict[str, dict[str, Any] | None] = {
    "crawl_staging": None,
    "load_events": None,
    "model_sessions": None,
    "reconcile_raw": {"after_minutes": 0},
    "redrive_failed": {"source": "processing-failed", "dry_run": False},
    "watch_pipeline": None,
    "write_status": None,
    "compare_plan": None,
    "clickstream_check": None,
    "expire_staging": None,
    "maintain_tables": None,
    "rebuild_typed_events": {"from": "2026-01-02T00:00:00Z", "to": "2026-01-03T00:00:00Z"},
}
# What tests/permissions/test_repairs.py runs.
REPAIRS = {"erase_person", "reconcile_archive"}
CASES = [
    pytest.param(role, expected, call, arguments, id=f"{role}-{expected}-{call}-{number}")
    for role, kinds in yaml.safe_load((HERE / "cases.yaml").read_text(encoding="utf-8")).items()
    for expected, calls in kinds.items()
    for number, entry in enumerate(calls)
    for call, arguments in entry.items()
]


def outcome(call: Any, arguments: dict[str, Any]) -> str:
    """`allowed`, whatever else went wrong, or `denied`."""
    try:
        call(**arguments)
    except ClientError as error:
        return "denied" if error.response["Error"]["Code"] in REFUSALS else "allowed"
    return "allowed"


def public_functions(module: ModuleType) -> set[str]:
    """Those that call AWS; a context manager, which is wrapped, only names what fails within it."""
    return {
        name for name, found in inspect.getmembers(module, inspect.isfunction)
        if found.__module__ == module.__name__ and not name.startswith("_") and not hasattr(found, "__wrapped__")
    }  # fmt: skip


def test_every_call_of_airflow_is_made(walk: Walk) -> None:
    """What clickstream.aws gains must be called here too, or its permissions are not tested."""
    names = [found.name for found in pkgutil.iter_modules(clickstream.aws.__path__)]
    wanted = set().union(*(public_functions(import_module(f"clickstream.aws.{name}")) for name in names))

    assert set(airflow_calls(walk.settings, walk.keys("AirflowRole"))) == wanted


def test_the_whole_path_is_allowed(walk: Walk) -> None:
    assert walk.loaded > 100
    assert [one for one in walk.decisions if not one.allowed] == []
    assert {one.role for one in walk.decisions} == {
        "SegmentRole", "CollectorRole", "DeliveryRole", "ArchiveDeliveryRole", "StageRole", "CrawlerRole",
        "AirflowRole", "TrinoRole",
    }  # fmt: skip


def test_every_call_is_in_the_policies(walk: Walk) -> None:
    """The same, told by the documents alone, without ministack's judgement."""
    allowed = walk.permissions

    assert [
        call for call in walk.decisions
        if not any(one.role == call.role and one.covers(call.action, call.resource) for one in allowed)
    ] == []  # fmt: skip


def test_every_permission_is_used_or_has_a_reason(walk: Walk) -> None:
    reasons = yaml.safe_load((HERE / "unused.yaml").read_text(encoding="utf-8"))

    assert policies.unused(walk.permissions, walk.decisions) == {tuple(entry[:3]) for entry in reasons}
    assert [entry for entry in reasons if len(entry[3]) < 10] == []


def test_every_dag_is_run() -> None:
    assert {*DAGS, *REPAIRS} == {path.stem for path in (ROOT / "dags").glob("*.py")}


@pytest.mark.slow
def test_airflow_itself_needs_nothing_else(walk: Walk) -> None:
    """Its connection and its providers, where the walk calls functions; before the cases, which are denied much."""
    walk.machine.start_airflow()
    airflow = Airflow(walk.machine.places)
    pipeline.send([b'{"messageId":"by Airflow","type":"track","event":"A"}', b"bad"], walk.machine.places, print)
    pipeline.wait_until_staged(walk.machine.places, print)

    for dag_id, conf in DAGS.items():
        airflow.wait(dag_id, airflow.trigger(dag_id, conf), print)

    assert [one for one in walk.decided() if not one.allowed] == []
    rows = pipeline.query(walk.machine.places, "select 1 from lake.clickstream.events where message_id = 'by Airflow'")
    assert rows[1] == [[1]]


@pytest.mark.parametrize(("role", "expected", "call", "arguments"), CASES)
def test_case(walk: Walk, role: str, expected: str, call: str, arguments: dict[str, Any]) -> None:
    service, operation = call.split(".")

    assert outcome(getattr(walk.client(role, service), operation), walk.fill(arguments)) == expected


@pytest.mark.parametrize("who", ["Airflow", "Trino"])
def test_only_its_host_assumes_a_role_and_only_with_the_external_id(checked: Machine, who: str) -> None:
    known = permissions.consumers(checked.places)
    host = known[who]
    (other,) = (one for name, one in known.items() if name != who)

    def tried(external_id: str, key: str, secret: str) -> str:
        return outcome(lambda **_: assume(checked, host.role, external_id, key, secret), {})

    assert tried(host.external_id, host.key, host.secret) == "allowed"
    assert tried("another", host.key, host.secret) == "denied"
    assert tried("", host.key, host.secret) == "denied"
    assert tried(host.external_id, other.key, other.secret) == "denied"


def test_segment_needs_its_account_and_its_external_id(walk: Walk) -> None:
    arn = walk.names["SegmentRoleArn"]

    def tried(external_id: str, account: str) -> str:
        return outcome(lambda **_: assume(walk.machine, arn, external_id, account, "test"), {})

    assert tried(permissions.SEGMENT_EXTERNAL_ID, SEGMENT_ACCOUNT) == "allowed"
    assert tried("of another customer", SEGMENT_ACCOUNT) == "denied"
    assert tried("", SEGMENT_ACCOUNT) == "denied"
    assert tried(permissions.SEGMENT_EXTERNAL_ID, "111111111111") == "denied"


@pytest.mark.parametrize("bucket", ["RawBucket", "StagingBucket", "LakeBucket", "ArchiveBucket"])
def test_plain_http_is_denied(walk: Walk, bucket: str) -> None:
    role = {"RawBucket": "DeliveryRole"}.get(bucket, "AirflowRole")
    arguments = {"Bucket": walk.names[bucket], "Prefix": "staging/" if bucket == "StagingBucket" else "a"}

    assert outcome(walk.client(role, "s3").list_objects_v2, arguments) == "allowed"
    assert outcome(walk.client(role, "s3", plain=True).list_objects_v2, arguments) == "denied"
