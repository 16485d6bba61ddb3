"""What a comparator cost: seconds by the clock, and of CPU of this process and all below it."""

import time

import psutil


class Cost:
    """Counts from when it is made."""

    def __init__(self) -> None:
        self._began, self._used = time.monotonic(), self._cpu()

    def so_far(self) -> dict[str, float]:
        """Return seconds and CPU seconds since then."""
        return {"seconds": time.monotonic() - self._began, "cpu_seconds": self._cpu() - self._used}

    def _cpu(self) -> float:
        this = psutil.Process()
        times = [process.cpu_times() for process in (this, *this.children(recursive=True))]
        return sum(one.user + one.system for one in times)
