"""Whether ten times the data takes ten times as long: the load as it is shipped, nothing beside it."""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import ways
from bench.declared_events import Case, plan_of
from bench.effort import Effort
from bench.measure import Cost, compared
from bench.messages import write_sample
from tests.machine import Machine

EVENTS = 20
TIMES = 10


def run(machine: Machine, effort: Effort, say: Callable[[str], None]) -> dict[str, Any]:
    """Loads both samples in rounds. Raises AssertionError when a message is missing."""
    json_bytes, rounds = effort.choose((10**5, 1), (20 * 10**6, 2), (40 * 10**6, 3))
    hour = (datetime.now(UTC) - timedelta(hours=2)).replace(minute=0, second=0, microsecond=0)
    plan = plan_of(Case(EVENTS, EVENTS, EVENTS))
    found: dict[int, list[Cost]] = {json_bytes: [], json_bytes * TIMES: []}
    for turn in range(rounds + 1):
        for size, costs in found.items():
            with tempfile.TemporaryDirectory(prefix="clickstream-bench-") as place:
                sample = write_sample(Path(place), size, EVENTS, hour)
                made = ways.ours(machine, sample, plan)
            assert made.count("events") == sample.messages, f"{made.count('events')} of {sample.messages} were loaded"
            if turn:  # the first is Java warming up
                costs.append(made.cost)
            say(f"{size / 1e6:g} MB: {made.cost.seconds:.1f} s, {made.cost.cpu_seconds:.1f} s of CPU")
    bases = found[json_bytes]
    rows = [{"case": f"{size / 1e6:g} MB of JSON", **compared(costs, bases)} for size, costs in found.items()]
    return {"title": "Ten times the data", "about": {"events": EVENTS}, "rows": rows}
