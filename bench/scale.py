"""Whether ten times the data takes ten times as long: the load as it is shipped, nothing beside it."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import ways
from bench.declared_events import USUAL_EVENTS, usual_plan
from bench.effort import Effort
from bench.measure import Cost, compared
from bench.messages import recent_hour, write_sample
from local.lake.machine import Machine

TIMES = 10


def run(machine: Machine, effort: Effort, say: Callable[[str], None]) -> dict[str, Any]:
    """Load both samples in rounds. Raises AssertionError when a message is missing."""
    json_bytes, rounds = effort.choose((10**5, 1), (20 * 10**6, 2), (40 * 10**6, 3))
    hour = recent_hour()
    plan = usual_plan()
    found: dict[int, list[Cost]] = {json_bytes: [], json_bytes * TIMES: []}
    for turn in range(rounds + 1):
        for size, costs in found.items():
            with tempfile.TemporaryDirectory(prefix="clickstream-bench-") as place:
                sample = write_sample(Path(place), size, USUAL_EVENTS, hour)
                made = ways.ours(machine, sample, plan)
            assert made.count("events") == sample.messages, f"{made.count('events')} of {sample.messages} were loaded"
            if turn:  # the first is Java warming up
                costs.append(made.cost)
            say(f"{size / 1e6:g} MB: {made.cost.seconds:.1f} s, {made.cost.cpu_seconds:.1f} s of CPU")
    bases = found[json_bytes]
    rows = [{"case": f"{size / 1e6:g} MB of JSON", **compared(costs, bases)} for size, costs in found.items()]
    return {"title": "Ten times the data", "about": {"events": USUAL_EVENTS}, "rows": rows}
