"""The machine of the fault tests: a stack of its own, since they kill its parts."""

from collections.abc import Iterator
from dataclasses import fields

import pytest

from clickstream.plan.file import TrackingPlan, read_plan
from clickstream.settings import Settings, variable
from local.lake.machine import scratch_lake
from tests.dags.conftest import AIRFLOW
from tests.faults.airflow_tasks import THE_RUN, run_dag
from tests.faults.figures import FIGURES
from tests.faults.lake import NOW, SEED, FaultyLake
from tests.faults.machine import FaultyMachine

# Two events stand for all: a load has the same statements for each, and most of its time would go to the twelve.
PLAN = TrackingPlan(
    tuple(event for event in read_plan().events if event.table in ("order_completed", "product_viewed"))
)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the fault tests did."""
    if FIGURES.faults:
        terminalreporter.section("faults")
        terminalreporter.write_line(FIGURES.text())
        terminalreporter.write_line(f"the day that was staged: seed {SEED}, ending {NOW.isoformat()}")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyMachine]:
    running = FaultyMachine.start_in(tmp_path_factory.mktemp("faults") / "stack")
    try:
        yield running
    finally:
        running.close()


@pytest.fixture
def faulty(stack: FaultyMachine, request: pytest.FixtureRequest) -> Iterator[FaultyMachine]:
    """The stack, whole again after each test."""
    for marker in request.node.iter_markers("scenario"):
        FIGURES.scenarios.update(marker.args)
    yield stack
    stack.heal()


@pytest.fixture
def lake(faulty: FaultyMachine, monkeypatch: pytest.MonkeyPatch) -> FaultyLake:
    """Empty tables and an empty staging folder; tasks run with their settings, and through the proxies."""
    return _lake(faulty, monkeypatch)


@pytest.fixture(scope="session")
def undisturbed(stack: FaultyMachine) -> dict[str, list[str]]:
    """What every table holds when the small day was loaded once and nothing went wrong."""
    with pytest.MonkeyPatch.context() as patch:
        lake = _lake(stack, patch)
        lake.stage_day()
        run_dag("load_events", THE_RUN)
        assert lake.differences() == []
        return lake.contents()


def _lake(machine: FaultyMachine, patch: pytest.MonkeyPatch) -> FaultyLake:
    made = scratch_lake(machine)
    settings = {variable(field.name): str(getattr(made.settings, field.name)) for field in fields(Settings)}
    environment = AIRFLOW | machine.connections() | settings
    for name, value in environment.items():
        patch.setenv(name, value)
    patch.setattr("clickstream.operators.plan.read_plan", lambda: PLAN)
    return FaultyLake(made, environment)
