"""What is secret of the connections is nowhere to be read: not in a task's log, an XCom, a rendered template, a table.

The connections come from Airflow's environment, so not even its table of connections may have them.
"""

import contextlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from local import processes
from local.airflow_api import Airflow
from local.lake.machine import PLANTED, Machine
from local.places import LocalError

ROOT = Path(__file__).parents[2]
# Every DAG, so that each operator opens its connections; these need a form.
FORMS = {
    "rebuild_typed_events": {"from": "2026-11-24T00:00:00Z", "to": "2026-11-25T00:00:00Z"},
    "expire_staging": {"dry_run": True},
}
# This one fails, after its task has asked AWS: what a failure tells must not have secrets either.
FAILS = {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}

Quiet: Callable[[str], None] = lambda message: None  # noqa: E731


@pytest.fixture(scope="module")
def texts(machine: Machine) -> dict[str, str]:
    """All that can be read of runs of every DAG, by where it is: each file of the logs, each table of the database."""
    machine.start_airflow()
    airflow = Airflow(machine.places)
    dags = sorted(path.stem for path in (ROOT / "dags").glob("*.py"))
    runs = [(dag, airflow.trigger(dag, FORMS.get(dag))) for dag in dags]
    runs.append(("load_events", airflow.trigger("load_events", FAILS)))
    for dag, run in runs:
        # Some fail: of what they have nothing to do with, or on purpose.
        with contextlib.suppress(LocalError):
            airflow.wait(dag, run, Quiet)
    home = machine.places.state / "airflow"
    files = [path for path in (home / "logs").rglob("*") if path.is_file()]
    read = {str(path): path.read_text(encoding="utf-8", errors="replace") for path in files}
    read["airflow's output"] = machine.places.log("airflow").read_text(encoding="utf-8", errors="replace")
    return read | tables(home / "airflow.db")


def tables(file: Path) -> dict[str, str]:
    """The rows of each table, as text."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        names = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        return {name: "\n".join(map(str, database.execute(f'select * from "{name}"'))) for name in names}


def test_the_secrets_are_in_use_and_all_is_looked_through(machine: Machine, texts: dict[str, str]) -> None:
    process = processes.find("airflow", machine.places.state)
    assert process is not None
    connections = {name: value for name, value in process.environ().items() if name.startswith("AIRFLOW_CONN_")}
    for secret in PLANTED.values():
        assert any(secret in value for value in connections.values())
    bucket = machine.places.settings()["CLICKSTREAM_STAGING_BUCKET"]

    assert all(texts[name] for name in ("xcom", "rendered_task_instance_fields", "task_instance", "log"))
    logs = {name: text for name, text in texts.items() if "dag_id=" in name}
    assert any(bucket in text for text in logs.values())
    assert any("Traceback" in text or "exc_type" in text for text in logs.values())
    for dag in (ROOT / "dags").glob("*.py"):
        assert any(f"dag_id={dag.stem}/" in name for name in logs), dag.stem


@pytest.mark.parametrize("secret", PLANTED.values())
def test_no_secret_can_be_read(texts: dict[str, str], secret: str) -> None:
    assert [name for name, text in texts.items() if secret in text] == []
