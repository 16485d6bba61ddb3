"""The machine of the fault tests: a stack of its own, since they kill its parts."""

import time
from collections.abc import Iterator

import pytest

from clickstream.settings import Settings, variable
from tests.dags.conftest import AIRFLOW
from tests.faults.lake import FaultyLake
from tests.faults.machine import FaultyMachine
from tests.machine import scratch_lake


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyMachine]:
    running = FaultyMachine.start_in(tmp_path_factory.mktemp("faults") / "stack")
    try:
        yield running
    finally:
        running.close()


@pytest.fixture
def faulty(stack: FaultyMachine) -> Iterator[FaultyMachine]:
    """The stack, whole again after each test."""
    yield stack
    stack.heal()


@pytest.fixture
def lake(faulty: FaultyMachine, monkeypatch: pytest.MonkeyPatch) -> FaultyLake:
    """Empty tables and an empty staging folder; tasks run with their settings, and through the proxies."""
    made = scratch_lake(faulty)
    environment = AIRFLOW | faulty.connections() | settings_environment(made.settings)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return FaultyLake(made, environment)


def settings_environment(settings: Settings) -> dict[str, str]:
    """Settings as their environment variables."""
    return {variable(name): str(getattr(settings, name)) for name in Settings.__dataclass_fields__}
