"""`make demo`, the README's first command, on a stack of its own, where DAGs run by their schedules and assets."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local import demo, pipeline
from local.airflow_api import Airflow
from local.places import ENVIRONMENTS, ROOT, Places, open_places

TAKEN = "select load.run_id from session_runs cross join unnest(loads) as load (run_id, reported_at)"
TOLD = re.compile(r"sent (\d+) = loaded (\d+) \+ duplicate (\d+) \+ rejected (\d+): adds up")


def local_command(state: Path, *arguments: str) -> str:
    """What a command of the local stack prints; it must not fail."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("CLICKSTREAM_", "AIRFLOW"))
    }
    environment |= {"CLICKSTREAM_STATE": str(state), "COLUMNS": "200"}
    done = subprocess.run(
        [ENVIRONMENTS / "local" / "bin" / "python", "-m", "local", *arguments],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=sys.stderr, text=True, timeout=540, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Places]]:
    """What the demo printed, and its stack, which is still there."""
    state = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLICKSTREAM_STATE", str(state))
        try:
            yield local_command(state, "demo", "--seed", "7", "--users", "30"), open_places()
        finally:
            local_command(state, "clean")


def test_every_event_is_accounted_for_and_every_table_has_rows(shown: tuple[str, Places]) -> None:
    text, _ = shown

    told = TOLD.search(text)
    assert told, text
    sent, loaded, duplicate, rejected = map(int, told.groups())
    assert sent == loaded + duplicate + rejected
    assert min(loaded - 200, duplicate, rejected) > 0
    for title, _ in demo.SHOWN:
        _, head, row, *_ = text[text.index(title) :].splitlines()
        assert head.strip(), title
        assert row.strip(), title


def test_sessions_are_modelled_because_a_load_announced_its_events(shown: tuple[str, Places]) -> None:
    _, places = shown
    loads, taken = ("select run_id from load_runs where rows_loaded > 0", TAKEN)

    def waiting() -> set[str]:
        return {run_id for [run_id] in pipeline.query(places, loads)[1]} - {
            run_id for [run_id] in pipeline.query(places, taken)[1]
        }

    # The demo waits for one run; a load by the clock may have come in between.
    deadline = time.monotonic() + 120
    while waiting() and time.monotonic() < deadline:
        time.sleep(1)

    assert waiting() == set()
    runs = Airflow(places).runs("model_sessions", datetime.now(UTC) - timedelta(days=1))
    assert runs
    assert {run_id.partition("__")[0] for run_id in runs} == {"asset_triggered"}
