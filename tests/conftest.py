"""The machine that tests with servers share: the local AWS and Trino, started once a run."""

import os
import signal
from collections.abc import Iterator

import pytest

from local.places import open_places
from tests.machine import Machine, scratch_lake
from tests.scratch import ScratchLake


@pytest.fixture(scope="session", autouse=True)
def ends_whole() -> None:
    """A terminated run takes its servers with it: let the fixtures clean up."""
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated"))


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The local AWS with the deployed template, and Trino; in a state folder of its own, beside any running demo.

    With CLICKSTREAM_AWS_URL in the environment, the stack that runs there, such as containers.
    """
    if os.environ.get("CLICKSTREAM_AWS_URL"):
        yield Machine(open_places())
        return
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
