"""Another Trino on this machine's AWS: of several nodes, with own processors, or with a heap of its own."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from local import processes, services, stack
from local.lake.machine import Machine
from local.places import LocalError, Places, renew_port

COORDINATOR_HEAP_GB, WORKERS_HEAP_GB = 2, 6


@dataclass(frozen=True)
class Node:
    """One node; without processors, on all of them."""

    name: str
    heap_gb: int
    processors: Sequence[int] = ()


COORDINATOR = Node("trino", COORDINATOR_HEAP_GB)


@contextmanager
def trino_cluster(machine: Machine, workers: Sequence[Sequence[int]]) -> Iterator[Machine]:
    """Yield the machine's AWS with another Trino, which has a worker for each list of processors, on those alone.

    All workers together have the same heap, however many they are. Raises LocalError when the workers do not come, and
    where there is no `taskset` (it is Linux's).
    """
    if shutil.which("taskset") is None:
        raise LocalError("there is no taskset: processors are given to workers on Linux only")
    heap = WORKERS_HEAP_GB // len(workers)
    nodes = [COORDINATOR, *(Node(f"trino-worker-{number}", heap, on) for number, on in enumerate(workers, start=1))]
    with tempfile.TemporaryDirectory(prefix="clickstream-bench-") as folder:
        places = _own_places(machine.places, Path(folder))
        try:
            for node in nodes:
                _start(node, places)
            stack.wait(replace(services.TRINO, is_healthy=lambda places: _has_workers(places, len(workers))), places)
            yield Machine(places)
        finally:
            for node in reversed(nodes):
                processes.stop(node.name, places.state, services.TRINO.stop_timeout)


@contextmanager
def trino_of_heap(machine: Machine, heap_gb: int) -> Iterator[Machine]:
    """Yield the machine's AWS with another Trino, which has that heap."""
    with tempfile.TemporaryDirectory(prefix="clickstream-bench-") as folder:
        places = _own_places(machine.places, Path(folder))
        command = _changed(services.TRINO.command(places), {"-Xmx": f"-Xmx{heap_gb}g"})
        try:
            environment = services.TRINO.environment(places)
            processes.start("trino", command, environment, places.state, places.log("trino"), places.state)
            stack.wait(services.TRINO, places)
            yield Machine(places)
        finally:
            processes.stop("trino", places.state, services.TRINO.stop_timeout)


def _changed(command: Sequence[str], changes: Mapping[str, str]) -> list[str]:
    """Return the command with other words where a word begins so."""
    return [next((value for start, value in changes.items() if word.startswith(start)), word) for word in command]


def _own_places(places: Places, folder: Path) -> Places:
    (folder / "logs").mkdir()
    shutil.copy(places.settings_file, folder)
    return renew_port(replace(places, state=folder), "trino")


def _start(node: Node, places: Places) -> None:
    """Return the local Trino's command and settings, but for its place in the cluster."""
    folder = places.state / node.name
    folder.mkdir()
    lines = (services.TRINO_ETC / "config.properties").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if line) | {
        "node.id": node.name,
        "node.environment": "bench",
        "coordinator": str(node is COORDINATOR).lower(),
        "node-scheduler.include-coordinator": "false",
        "discovery.uri": places.trino_url,
    }
    config = folder / "config.properties"
    config.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    own = places if node is COORDINATOR else renew_port(places, "trino")
    command = _changed(services.TRINO.command(own), {"-Xmx": f"-Xmx{node.heap_gb}g", "-Dconfig=": f"-Dconfig={config}"})
    pinned = ["taskset", "--cpu-list", ",".join(map(str, node.processors))] if node.processors else []
    environment = services.TRINO.environment(own)
    processes.start(node.name, [*pinned, *command], environment, folder, places.log(node.name), places.state)


def _has_workers(places: Places, wanted: int) -> bool:
    with services.connect_trino(places) as connection:
        question = "select count(*) from system.runtime.nodes where not coordinator and state = 'active'"
        ((count,),) = connection.cursor().execute(question).fetchall()
        return bool(count == wanted)
