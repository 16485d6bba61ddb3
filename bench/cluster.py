"""A Trino of several nodes on this machine: a coordinator without splits, and workers with own processors."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from local import processes, services, stack
from local.places import LocalError, Places, renew_port
from tests.machine import Machine

COORDINATOR = "trino"
COORDINATOR_HEAP, WORKERS_HEAP_GB = "2g", 6


@contextmanager
def trino_cluster(machine: Machine, workers: Sequence[Sequence[int]]) -> Iterator[Machine]:
    """The machine's AWS with another Trino, which has a worker for each list of processors, on those alone.

    All workers together have the same heap, however many they are. Raises LocalError when the workers do not come, and
    where there is no `taskset` (it is Linux's).
    """
    if shutil.which("taskset") is None:
        raise LocalError("there is no taskset: processors are given to workers on Linux only")
    with tempfile.TemporaryDirectory(prefix="clickstream-bench-") as folder:
        places = _own_places(machine.places, Path(folder))
        names = [COORDINATOR]
        try:
            _start(COORDINATOR, places, places.trino_url, {"coordinator": "true"}, COORDINATOR_HEAP, [])
            for number, processors in enumerate(workers, start=1):
                name = f"{COORDINATOR}-worker-{number}"
                pinned = ["taskset", "--cpu-list", ",".join(map(str, processors))]
                names.append(name)
                worker = renew_port(places, "trino")
                _start(
                    name,
                    worker,
                    places.trino_url,
                    {"coordinator": "false"},
                    f"{WORKERS_HEAP_GB // len(workers)}g",
                    pinned,
                )
            wanted = len(workers)
            stack.wait(replace(services.TRINO, is_healthy=lambda places: _has_workers(places, wanted)), places)
            yield Machine(places)
        finally:
            for name in reversed(names):
                processes.stop(name, places.state, services.TRINO.stop_timeout)


def _own_places(places: Places, folder: Path) -> Places:
    (folder / "logs").mkdir()
    shutil.copy(places.settings_file, folder)
    return renew_port(replace(places, state=folder), "trino")


def _start(
    name: str, places: Places, coordinator: str, role: Mapping[str, str], heap: str, pinned: Sequence[str]
) -> None:
    """One node: the local Trino's command and settings, but for its place in the cluster."""
    folder = places.state / name
    folder.mkdir()
    lines = (services.TRINO_ETC / "config.properties").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if line)
    settings |= {"node.id": name, "node.environment": "bench", "discovery.uri": coordinator, **role}
    settings["node-scheduler.include-coordinator"] = "false"
    config = folder / "config.properties"
    config.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    own = {"-Xmx": f"-Xmx{heap}", "-Dconfig=": f"-Dconfig={config}"}
    command = [
        next((value for start, value in own.items() if word.startswith(start)), word)
        for word in services.TRINO.command(places)
    ]
    environment = services.TRINO.environment(places)
    processes.start(name, [*pinned, *command], environment, folder, places.log(name), places.state)


def _has_workers(places: Places, wanted: int) -> bool:
    with services.connect_trino(places) as connection:
        question = "select count(*) from system.runtime.nodes where not coordinator and state = 'active'"
        ((count,),) = connection.cursor().execute(question).fetchall()
        return bool(count == wanted)
