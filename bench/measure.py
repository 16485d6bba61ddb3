"""Times steps by the clock and by the CPU that Trino used, the whole process: planning and commits count too."""

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

from local import processes
from local.places import Places


@dataclass
class Cost:
    """Seconds by the clock, and seconds of CPU of the process that did the work."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0


def compared(costs: Sequence[Cost], bases: Sequence[Cost]) -> dict[str, list[float]]:
    """Several costs as cells of a row, with the ratio of each to that of the base in its round."""
    pairs = list(zip(costs, bases, strict=True))
    return {
        "seconds": [cost.seconds for cost in costs],
        "CPU seconds": [cost.cpu_seconds for cost in costs],
        "ratio": [cost.seconds / base.seconds for cost, base in pairs],
        "CPU ratio": [cost.cpu_seconds / base.cpu_seconds for cost, base in pairs],
    }


@dataclass
class Stopwatch:
    """Add up the cost of named steps. `processes` are the servers whose CPU is counted."""

    processes: Sequence[psutil.Process]
    steps: dict[str, Cost] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count what happens inside towards the step of this name."""
        began, used = time.monotonic(), self._cpu()
        yield
        cost = self.steps.setdefault(name, Cost())
        cost.seconds += time.monotonic() - began
        cost.cpu_seconds += self._cpu() - used

    def total(self) -> Cost:
        """Return all steps together."""
        costs = self.steps.values()
        return Cost(sum(cost.seconds for cost in costs), sum(cost.cpu_seconds for cost in costs))

    def _cpu(self) -> float:
        times = [process.cpu_times() for process in self.processes]
        return float(sum(one.user + one.system for one in times))


@dataclass(frozen=True)
class Spread:
    """The median of several runs, with the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of at least one value."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        """Format to three digits, such as `12.1 (11.8-12.9)`; what was measured once is one number."""
        if self.low == self.high:
            return _digits(self.median)
        return f"{_digits(self.median)} ({_digits(self.low)}-{_digits(self.high)})"


def trino_processes(places: Places) -> list[psutil.Process]:
    """Return the local Trino, all its nodes. Raises RuntimeError when it does not run."""
    marks = sorted(places.state.glob("trino*.pid"))
    found = [process for mark in marks if (process := processes.find(mark.stem, places.state))]
    if not found:
        raise RuntimeError("the local Trino does not run")
    return found


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
