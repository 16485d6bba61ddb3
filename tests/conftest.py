"""The machine that tests with servers share: the local AWS and Trino, started once a run."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.figures import FIGURES, SECTION
from tests.machine import Machine, scratch_lake
from tests.scratch import ScratchLake

# Tests that share what one process has started, the longest first: `make test` runs them in two processes.
GROUPS = ("end_to_end", "faults", "permissions", "sql")
FIGURES_OF_WORKERS: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process for all tests that use Airflow or the machine of the faults, and for those of one file."""
    places = {item: _place(item.path) for item in items}
    items.sort(key=lambda item: places[item][0])
    for item in items:
        item.add_marker(pytest.mark.xdist_group(places[item][1]))


def _place(path: Path) -> tuple[int, str]:
    """When a test file's turn is, and in which group."""
    folder = path.relative_to(Path(__file__).parent).parts[0]
    order = GROUPS.index(folder) if folder in GROUPS else len(GROUPS)
    # The demo has a stack of its own, and is the last of the long ones.
    if path.name == "test_demo.py":
        return GROUPS.index("sql"), path.name
    return order, folder if folder in ("end_to_end", "faults") else path.name


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of several hands its figures to the one that reports."""
    if FIGURES.faults and hasattr(session.config, "workeroutput"):
        session.config.workeroutput[SECTION] = FIGURES.text()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What such a process has handed over."""
    FIGURES_OF_WORKERS.extend(text for key, text in getattr(node, "workeroutput", {}).items() if key == SECTION)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the fault tests did."""
    for text in [*FIGURES_OF_WORKERS, *([FIGURES.text()] if FIGURES.faults else [])]:
        terminalreporter.section(SECTION)
        terminalreporter.write_line(text)


@pytest.fixture(scope="session", autouse=True)
def ends_whole() -> None:
    """A terminated run takes its servers with it: let the fixtures clean up."""
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated"))


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The local AWS with the deployed template, and Trino; in a state folder of its own, beside any running demo."""
    state = tmp_path_factory.mktemp("stack")
    for name in [name for name in os.environ if name.startswith("CLICKSTREAM_")]:
        del os.environ[name]
    os.environ["CLICKSTREAM_STATE"] = str(state)
    # Hundreds of tests and their tables share this one Trino; with 2 GB it ran out after twenty minutes.
    os.environ["CLICKSTREAM_TRINO_HEAP"] = "4g"
    running = Machine.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def lake(machine: Machine) -> ScratchLake:
    """Empty tables and an empty staging folder that no other test sees."""
    return scratch_lake(machine)
