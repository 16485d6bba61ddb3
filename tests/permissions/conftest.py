"""A machine of its own, whose AWS checks permissions, with one run of the whole path."""

import os
from collections.abc import Iterator

import pytest

from local.lake.machine import Machine
from tests.permissions.path import Walk


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The local AWS with checked permissions, and Trino in its role."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("CLICKSTREAM_")]:
            patch.delenv(name)
        patch.setenv("CLICKSTREAM_STATE", str(tmp_path_factory.mktemp("checked")))
        patch.setenv("CLICKSTREAM_CHECK_PERMISSIONS", "1")
        running = Machine.start()
        try:
            yield running
        finally:
            running.stop()


@pytest.fixture(scope="module")
def walk(checked: Machine) -> Walk:
    """The whole path, walked once."""
    return Walk(checked)
