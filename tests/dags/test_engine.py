"""Which engine operators run their statements on."""

from typing import Any

import pytest

from clickstream.athena.runner import AthenaRunner
from clickstream.engine.query import QueryRunner
from clickstream.operators.config_check import AREAS, look
from clickstream.operators.engine import connect
from clickstream.settings import load_settings


@pytest.fixture
def athena(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ENGINE": "athena",
        "ATHENA_WORKGROUP": "clickstream",
        "ATHENA_RESULT_LOCATION": "s3://results/",
    }.items():
        monkeypatch.setenv(f"CLICKSTREAM_{name}", value)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The services that a client was made for."""
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

    made: list[str] = []
    monkeypatch.setattr(AwsBaseHook, "get_conn", lambda hook: made.append(hook.client_type))
    return made


def test_trino_is_the_engine(connect_trino: Any) -> None:
    connect_trino()

    assert isinstance(connect(load_settings()), QueryRunner)


@pytest.mark.usefixtures("athena")
def test_athena_is_the_engine_where_the_setting_says_so(clients: list[str]) -> None:
    assert isinstance(connect(load_settings()), AthenaRunner)
    assert clients == ["athena", "glue"]


def test_on_trino_athena_is_not_looked_at(clients: list[str], tmp_path: Any) -> None:
    assert list(look("athena", tmp_path, "run-1")) == []
    assert clients == []


@pytest.mark.usefixtures("athena")
def test_on_athena_trino_is_not_looked_at_and_athena_is(clients: list[str], tmp_path: Any) -> None:
    assert {"trino", "athena"} <= AREAS.keys()
    assert list(look("trino", tmp_path, "run-1")) == []

    (found,) = look("athena", tmp_path, "run-1")  # the client here is None

    assert found.checked == "workgroup clickstream"
    assert "athena:GetWorkGroup" in found.fix
    assert "athena" in clients
