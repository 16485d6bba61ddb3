"""The machine that tests with servers share, and the order and the levels of all tests.

With `-n` several processes run the tests, on one machine: the first that needs it starts it, the run stops it.
"""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from xdist.scheduler import LoadScopeScheduling

from local import services
from local.lake.machine import Machine, forget_lakes, scratch_lake
from local.lake.scratch import ScratchLake
from local.places import open_places

STATE = "TESTS_STATE"
"""Names the folder of the run's stack, for all its processes."""

# Folders that are a level of their own. All other tests are of the level `sql` if they need Trino, else `unit`.
LEVELS = {"end_to_end": "end_to_end", "permissions": "sql", "faults": "faults"}
# Folders that run in one process: their tests share one Airflow and its tables, or kill servers of their own.
GROUPS = ("tests/end_to_end/", "tests/faults/")
# The longest begin first; the many short tests without a server fill up at the end.
ORDER = ("end_to_end", "faults", "sql", "unit")


class GroupScheduling(LoadScopeScheduling):
    """Keeps the tests of a file in one process, and those of GROUPS."""

    def _split_scope(self, nodeid: str) -> str:
        return next((group for group in GROUPS if nodeid.startswith(group)), nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    """Which process runs which test, with `-n`."""
    return GroupScheduling(config, log)


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test its level, and the levels their order."""
    for item in items:
        item.add_marker(level_of(item))
    items.sort(key=lambda item: ORDER.index(level_of(item)))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a parameter of bytes by its place: gzip writes the time into them, and processes must agree."""
    return argname if isinstance(val, bytes) else None


def level_of(item: pytest.Item) -> str:
    """The level of a test: by its folder, or by whether it uses the machine."""
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    return LEVELS.get(folder, "sql" if "machine" in getattr(item, "fixturenames", ()) else "unit")


def pytest_configure(config: pytest.Config) -> None:
    """In the run's first process: make the folder of the stack. A terminated run stops its servers."""
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated"))
    if not hasattr(config, "workerinput"):
        os.environ[STATE] = tempfile.mkdtemp(prefix="clickstream-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """In the run's first process: stop what any of them started."""
    if hasattr(config, "workerinput"):
        return
    folder = Path(os.environ.pop(STATE))
    if (folder / "stack").exists():
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CLICKSTREAM_STATE", str(folder / "stack"))
            Machine(open_places()).stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def machine() -> Machine:
    """The local AWS with the deployed template, and Trino; in a state folder of its own, beside any running demo.

    With CLICKSTREAM_AWS_URL in the environment, the stack that runs there, such as containers.
    """
    if os.environ.get("CLICKSTREAM_AWS_URL"):
        return Machine(open_places())
    folder = Path(os.environ[STATE])
    for name in [name for name in os.environ if name.startswith("CLICKSTREAM_")]:
        del os.environ[name]
    os.environ["CLICKSTREAM_STATE"] = str(folder / "stack")
    # Hundreds of tests and their tables share this one Trino; with 2 GB it ran out after twenty minutes.
    os.environ["CLICKSTREAM_TRINO_HEAP"] = "4g"
    with FileLock(folder / "lock"), pytest.MonkeyPatch.context() as patch:
        if "PYTEST_XDIST_WORKER" in os.environ:  # all tests, not some
            patch.setattr(services, "TRINO", services.trino_with(services.FOR_MANY_STATEMENTS))
        places = open_places()
        return Machine(places) if places.settings_file.exists() else Machine.start()


@pytest.fixture(scope="module", autouse=True)
def lakes_of_one_module() -> Iterator[None]:
    """Forget the lakes of a module's tests after its last one."""
    yield
    forget_lakes()


@pytest.fixture
def lake(machine: Machine) -> ScratchLake:
    """Empty tables and an empty staging folder that no other test sees."""
    return scratch_lake(machine)
