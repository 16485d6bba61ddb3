"""Processes of the local stack: started in a group of their own, found and stopped by pid, never by name."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil

Number = TypeVar("Number", int, float)


def start(name: str, command: list[str], environment: dict[str, str], folder: Path, log: Path, state: Path) -> None:
    """Start a process that outlives this one, its output appended to `log`, its pid kept in `state`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    mark = {"pid": process.pid, "created": psutil.Process(process.pid).create_time()}
    _file(state, name).write_text(json.dumps(mark))


def find(name: str, state: Path) -> psutil.Process | None:
    """Return the running process of that name; None when it has ended. A reused pid is recognised by its start time."""
    with contextlib.suppress(OSError, ValueError, psutil.NoSuchProcess):
        mark = json.loads(_file(state, name).read_text())
        process = psutil.Process(mark["pid"])
        if abs(process.create_time() - mark["created"]) < 1 and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def stop(name: str, state: Path, timeout: float) -> bool:
    """End a process and its group: SIGTERM, and SIGKILL after `timeout` seconds. False when it was not running."""
    process = find(name, state)
    _file(state, name).unlink(missing_ok=True)
    if process is None:
        return False
    family = [process, *process.children(recursive=True)]
    _signal_group(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while any(_is_running(member) for member in family) and time.monotonic() < deadline:
        _reap(process.pid)
        time.sleep(0.1)
    for member in family:
        if _is_running(member):
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
    _signal_group(process.pid, signal.SIGKILL)
    return True


def resident_bytes(process: psutil.Process) -> int:
    """Return the memory of a process and its children, in bytes."""
    return sum(_of_all(process, lambda member: int(member.memory_info().rss)))


def cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU time of a process and its children so far, in seconds."""
    return sum(_of_all(process, lambda member: float(sum(member.cpu_times()))))


def _of_all(process: psutil.Process, measure: Callable[[psutil.Process], Number]) -> Iterator[Number]:
    """Measure a process and its children; those that end meanwhile are left out."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for member in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                yield measure(member)


def _file(state: Path, name: str) -> Path:
    return state / f"{name}.pid"


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _is_running(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
