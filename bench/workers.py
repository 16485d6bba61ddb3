"""Whether a load spreads over workers: one worker with all processors beside as many workers as processors."""

import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import ways
from bench.cluster import trino_cluster
from bench.declared_events import USUAL_EVENTS, usual_plan
from bench.effort import Effort
from bench.measure import Cost, compared
from bench.messages import Sample, recent_hour, write_sample
from clickstream.engine.sql import Statement
from clickstream.plan.file import TrackingPlan
from local.lake.machine import Machine

ONE = "1 worker"
NOTED = 0.02
"""Share of all CPU time from which a stage on one worker is told."""


@dataclass(frozen=True)
class Stage:
    """One stage of one query, with how the query begins: seconds of CPU by node."""

    query: str
    number: int
    seconds: Mapping[str, float]

    @property
    def total(self) -> float:
        """On all nodes."""
        return sum(self.seconds.values())


@dataclass(frozen=True)
class Balance:
    """Shares of the CPU time of all stages, 0 to 1: in stages that ran on one worker, and of the busiest worker."""

    on_one_worker: float
    of_the_busiest: float


def run(machine: Machine, effort: Effort, say: Callable[[str], None]) -> dict[str, Any]:
    """Load the same sample on both in rounds. Raises AssertionError when a message is missing."""
    processors = sorted(os.sched_getaffinity(0))
    clusters = {ONE: [processors], f"{len(processors)} workers": [[one] for one in processors]}
    json_bytes, rounds = effort.choose((10**6, 0), (60 * 10**6, 2), (200 * 10**6, 3))
    hour = recent_hour()
    plan = usual_plan()
    costs: dict[str, list[Cost]] = defaultdict(list)
    balances: dict[str, list[Balance]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="clickstream-bench-") as place, ExitStack() as running:
        sample = write_sample(Path(place), json_bytes, USUAL_EVENTS, hour)
        machines = {name: running.enter_context(trino_cluster(machine, of)) for name, of in clusters.items()}
        for turn in range(rounds + 1):
            for name, cluster in machines.items():
                cost, stages = _load(cluster, sample, plan)
                if turn or not rounds:  # the first is Java warming up
                    costs[name].append(cost)
                    balances[name].append(balance_of(stages))
                say(f"{name}: {cost.seconds:.1f} s, {cost.cpu_seconds:.1f} s of CPU")
                for told in _noted(stages) if cluster is not machines[ONE] else []:
                    say(f"  on one of the workers: {told}")
    rows = [
        {
            "case": name,
            **compared(costs[name], costs[ONE]),
            **({} if name == ONE else _shares(balances[name])),
        }
        for name in clusters
    ]
    about = {"messages": sample.messages, "JSON bytes": sample.json_bytes}
    return {"title": "Two workers", "about": about, "rows": rows}


def _shares(balances: list[Balance]) -> dict[str, list[float]]:
    return {
        "% of CPU in stages on one worker": [100 * one.on_one_worker for one in balances],
        "% of CPU of the busiest worker": [100 * one.of_the_busiest for one in balances],
    }


def balance_of(stages: Iterable[Stage]) -> Balance:
    """Return how the work of these stages lay on the workers."""
    by_node: dict[str, float] = defaultdict(float)
    on_one = 0.0
    for stage in stages:
        on_one += stage.total if len(stage.seconds) == 1 else 0.0
        for node, seconds in stage.seconds.items():
            by_node[node] += seconds
    whole = sum(by_node.values()) or 1.0
    return Balance(on_one / whole, max(by_node.values(), default=0.0) / whole)


def _load(cluster: Machine, sample: Sample, plan: TrackingPlan) -> tuple[Cost, list[Stage]]:
    began = datetime.now(UTC)
    made = ways.ours(cluster, sample, plan)
    stages = _stages(cluster, began)
    assert made.count("events") == sample.messages, f"{made.count('events')} of {sample.messages} were loaded"
    return made.cost, stages


def _stages(cluster: Machine, began: datetime) -> list[Stage]:
    """Return the shares of the queries since then, without the coordinator's planning and commits."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    text = (
        "select tasks.stage_id, tasks.node_id, max(substr(queries.query, 1, 80)) as began, "
        "sum(tasks.split_cpu_time_ms) / 1e3 as seconds "
        "from system.runtime.tasks as tasks inner join system.runtime.nodes as nodes on tasks.node_id = nodes.node_id "
        "inner join system.runtime.queries as queries on tasks.query_id = queries.query_id "
        f"where not nodes.coordinator and queries.created >= timestamp '{began:%Y-%m-%d %H:%M:%S} UTC' "
        "group by 1, 2"
    )
    queries: dict[str, str] = {}
    for row in cluster.runner().run(Statement(text)).rows:
        found[row["stage_id"]][row["node_id"]] = float(row["seconds"])
        queries[row["stage_id"]] = " ".join(row["began"].split())
    return [Stage(queries[stage], int(stage.split(".")[-1]), seconds) for stage, seconds in found.items()]


def _noted(stages: list[Stage]) -> list[str]:
    whole = sum(stage.total for stage in stages)
    alone = [stage for stage in stages if len(stage.seconds) == 1 and stage.total > NOTED * whole]
    return [f"{stage.total:.1f} s of CPU, stage {stage.number} of {stage.query}" for stage in alone]
