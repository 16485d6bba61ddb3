"""The commands of the docs, as typed, on the stack of the other end-to-end tests. The list has them in this order."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.lake.machine import Machine
from tests.docs_commands import ROOT, listed_under
from tests.local.test_docs_commands import plain_environment

HERE = "tests/end_to_end/test_typed_commands.py::test_commands_on_a_running_stack"
# What a command must print; of the others it is enough that they end well.
PRINTS = {
    "make status": "healthy",
    "make send FILE=events.ndjson WAIT=1": "1 records sent",
    "make run": "rows read from",
    'make sql Q="select type, count(*) from events group by 1"': "type,_col1",
    'make sql Q="select 1"': "_col0\n1\n",
    "make sql": '"42"',
    'make sql Q="select * from load_ledger order by loaded_at desc limit 5"': "staging/",
    "make archive FILE=x.ndjson": "1 messages archived in 1 objects",
    "make redrive SOURCE=rejects": "(dry run: DRY_RUN=0 sends)",
    "make plan-diff": "test_commands",
    "make plan-suggest": "test_commands",
    "make check-config": "WARN",
}


@pytest.fixture(scope="module")
def running(machine: Machine) -> Machine:
    machine.start_airflow()
    return machine


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """One message, of an event that no plan has."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    message = {"messageId": f"command-{now}", "type": "track", "event": "test_commands", "anonymousId": "a"}
    path = tmp_path / "one.ndjson"
    path.write_text(json.dumps(message | {"timestamp": now, "receivedAt": now}) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("command", listed_under(HERE))
def test_commands_on_a_running_stack(running: Machine, file: Path, command: str) -> None:
    typed = command.replace("events.ndjson", str(file)).replace("x.ndjson", str(file))

    done = subprocess.run(
        ["bash", "-c", typed], cwd=ROOT, env=plain_environment(CLICKSTREAM_STATE=str(running.places.state)),
        input="select 40 + 2;\n", capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert PRINTS.get(command, "") in done.stdout
