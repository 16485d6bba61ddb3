"""Airflow on one machine: upgrades its database, then runs its parts as children of this process.

`airflow standalone` does that too, but serves logs on fixed ports of every interface, and imports Airflow, boto3 and
the providers again in each part and each task. Here they are imported once, and a part that ends ends all of them.

`python -m local.airflow_parts [--held FILE]`, in the environment of Airflow. With --held, every DAG is paused until
`Airflow.release` (local/airflow_api.py): FILE gets the ids of those that were paused before.
"""

import argparse
import importlib
import json
import multiprocessing
import signal
import sys
import traceback
from collections.abc import Sequence
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from airflow import settings
from airflow.__main__ import main as airflow_main
from airflow.configuration import write_default_airflow_configuration_if_needed
from airflow.models import DagModel
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from sqlalchemy import select, update

OPERATORS = Path(__file__).resolve().parents[1] / "plugins" / "clickstream" / "operators"
# The API server reads logs from the folder that all parts share: no server of logs is needed.
PARTS = {
    "api-server": [],
    "scheduler": ["--skip-serve-logs"],
    "dag-processor": [],
    "triggerer": ["--skip-serve-logs"],
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM, or until a part ends; return the exit code."""
    parser = argparse.ArgumentParser(description="Run the parts of Airflow on one machine.")
    parser.add_argument("--held", type=Path, help="pause every DAG, and write which were paused before to this file")
    options = parser.parse_args(arguments)
    write_default_airflow_configuration_if_needed()  # before the parts begin: it makes the secrets that they share
    initdb()
    if options.held is not None:
        hold(options.held)
    import_what_tasks_import()
    settings.dispose_orm(do_log=False)
    # macOS cannot fork a process that has used its frameworks.
    context: Any = multiprocessing.get_context("spawn" if sys.platform == "darwin" else "fork")
    parts = [context.Process(target=run_part, args=(name, more), name=name) for name, more in PARTS.items()]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        for part in parts:
            part.start()
        wait([part.sentinel for part in parts])
    finally:
        ended = [part for part in parts if part.pid is not None and not part.is_alive()]
        for part in parts:
            if part.is_alive():
                part.terminate()
        for part in parts:
            if part.pid is not None:
                part.join()
    print(f"ended: {', '.join(f'{part.name} with {part.exitcode}' for part in ended)}", file=sys.stderr)
    return 1


def run_part(name: str, more: list[str]) -> None:
    """Be `airflow NAME`, in a child of this process."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    settings.configure_orm()
    sys.argv = ["airflow", name, *more]
    airflow_main()


def hold(file: Path) -> None:
    """Pause every DAG. A file that is there stays: the DAGs are held already."""
    with create_session() as session:
        if not file.exists():
            file.write_text(json.dumps(sorted(session.scalars(select(DagModel.dag_id).where(DagModel.is_paused)))))
        session.execute(update(DagModel).values(is_paused=True))


def import_what_tasks_import() -> None:
    """Import what the operators here import, so that the processes of tasks begin with it.

    Not the package itself: a task reads that as it is on disk when the task begins, and says so if it cannot be read.
    """
    for file in OPERATORS.glob("[a-z]*.py"):
        try:
            importlib.import_module(f"clickstream.operators.{file.stem}")
        except Exception:  # somebody is just editing it
            traceback.print_exc()
    for name in [name for name in sys.modules if name.partition(".")[0] == "clickstream"]:
        del sys.modules[name]


if __name__ == "__main__":
    sys.exit(main())
