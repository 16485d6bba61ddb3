"""What a load costs with more events in the tracking plan: the same messages, other plans.

The whole load is counted: unpacking, `events`, ledger, then the tables of single events, as load_events does it.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.effort import Effort
from bench.load import Several, load_everything
from bench.measure import Cost, Stopwatch, compared, trino_processes
from bench.messages import SEED, clean_messages
from clickstream.plan import typed_tables
from clickstream.plan.file import TrackingPlan, parse_plan
from local.lake.machine import Machine, scratch_lake
from local.lake.scratch import ScratchLake

OBJECT_MESSAGES = 5_000
USUAL_EVENTS = 20
MOST_REPEATED = 50
"""Declared events up to which a case is measured several times: making 500 tables takes minutes."""
TYPED = "select *, cast(received_at as varchar) as received_text from {}"
EVENT = {
    "description": "An order.",
    "owner": "bench",
    "status": "live",
    "sources": ["web"],
    "required": ["product_id"],
    "properties": {
        "product_id": {"type": "string"},
        "name": {"type": "string"},
        "price": {"type": "number"},
        "quantity": {"type": "integer"},
        "currency": {"type": "string", "enum": ["KRW"]},
        "order_id": {"type": "string"},
        "revenue": {"type": "number"},
        "gift": {"type": "object", "properties": {"wrapped": {"type": "boolean"}, "message": {"type": "string"}}},
        "products": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
    },
}


@dataclass(frozen=True)
class Case:
    """`sent` event names in the messages, `declared` events in the plan; `covers`: the names that these stand for."""

    sent: int
    declared: int
    covers: int

    @property
    def title(self) -> str:
        """As a row of the table is called."""
        return f"{self.sent} names sent, {self.declared} declared, {self.covers} typed"


BASE = Case(50, 5, 50)
CASES = (BASE, Case(50, 50, 50), Case(50, 500, 50), Case(50, 5, 5), Case(500, 500, 500))
QUICK_CASES = (Case(6, 2, 6), Case(6, 12, 6))


@dataclass(frozen=True)
class Measured:
    """One load: its steps' costs, the typed rows, and a checksum of them that does not depend on their tables."""

    case: Case
    steps: Mapping[str, Cost]
    total: Cost
    rows: int
    checksum: int


def plan_of(case: Case) -> TrackingPlan:
    """Return events `Bench 0`..., each standing for every `declared`-th of the covered names."""
    events = {}
    for number in range(case.declared):
        renames = [f"Bench {other}" for other in range(number + case.declared, case.covers, case.declared)]
        events[f"Bench {number}"] = {**EVENT, "renames": renames}
    return parse_plan(json.dumps({"version": 1, "events": events}), "bench")


def usual_plan(declared: int = USUAL_EVENTS) -> TrackingPlan:
    """Return what the other benchmarks load with: a table for each of the USUAL_EVENTS names that are sent, or some."""
    return plan_of(Case(USUAL_EVENTS, declared, declared))


def objects(messages: int, names: int, now: datetime) -> Iterator[bytes]:
    """Track messages of a generated day, as many as wanted, with `names` event names in turn; some a staged object."""
    choose = random.Random(SEED)
    tracks = [message for message in clean_messages(now, users=60) if message.get("type") == "track"]
    lines = []
    for number in range(messages):
        received = (now - timedelta(hours=2) + timedelta(milliseconds=number)).isoformat()
        own = {"messageId": f"bench-{number}", "event": f"Bench {number % names}", "receivedAt": received}
        lines.append(json.dumps({**choose.choice(tracks), **own}, ensure_ascii=False))
        if len(lines) == OBJECT_MESSAGES or number == messages - 1:
            yield ("\n".join(lines) + "\n").encode()
            lines = []


def measure(machine: Machine, case: Case, messages: int, now: datetime) -> Measured:
    """Load the messages into empty tables. The tables of events are made before, since that happens once."""
    lake = scratch_lake(machine)
    plan = plan_of(case)
    for number, body in enumerate(objects(messages, case.sent, now)):
        lake.stage(f"{now - timedelta(hours=1):%Y%m%dT%H%M%S}{number:03d}Z-bench.ndjson", body)
    several = Several(machine, lake)
    typed_tables.create_missing(lake.run, several, plan, lake.settings)
    watch = Stopwatch(trino_processes(machine.places))
    load_everything(lake, several, plan, watch)
    rows, checksum = typed_rows(lake, plan)
    return Measured(case, watch.steps, watch.total(), rows, checksum)


def typed_rows(lake: ScratchLake, plan: TrackingPlan) -> tuple[int, int]:
    """Return the row count of all event tables, and a sum over their values, whichever table has them."""
    columns = "message_id, event_text, received_text, product_id, price, quantity, gift_wrapped, products, extras"
    rows = total = 0
    for part in typed_tables.batched_lists(plan.live, 50):
        union = " union all ".join(TYPED.format(lake.t.typed(event.table)) for event in part)
        digest = f"crc32(to_utf8(json_format(cast(row({columns}) as json))))"
        (row,) = lake.query(f"select count(*) as n, coalesce(sum({digest}), 0) as total from ({union})")
        rows, total = rows + row["n"], total + row["total"]
    return rows, total


def run(machine: Machine, effort: Effort, say: Any) -> dict[str, Any]:
    """Run all cases, one after another, so many times; return the table's rows as plain values.

    Raises AssertionError when two plans that type the same messages produce other rows.
    """
    cases, messages, times = effort.choose((QUICK_CASES, 1_000, 1), (CASES[:-1], 30_000, 1), (CASES, 30_000, 3))
    now = datetime.now(UTC)
    if effort is not Effort.QUICK:
        measure(machine, cases[0], min(messages, OBJECT_MESSAGES), now)
    found: list[Measured] = []
    for turn in range(times):
        for case in cases:
            if turn and case.declared > MOST_REPEATED:
                continue
            found.append(measure(machine, case, messages, now))
            say(f"{case.title}: {found[-1].total.seconds:.1f} s, {found[-1].total.cpu_seconds:.1f} s of CPU")
    _require_equal(found)
    rows = [_row(case, found, cases[0]) for case in cases]
    return {"title": "A load, by the events that the plan declares", "about": {"messages": messages}, "rows": rows}


def _require_equal(found: Sequence[Measured]) -> None:
    by_messages: dict[tuple[int, int], set[tuple[int, int]]] = {}
    for one in found:
        by_messages.setdefault((one.case.sent, one.case.covers), set()).add((one.rows, one.checksum))
    for (sent, covers), results in by_messages.items():
        assert len(results) == 1, f"{sent} names sent, {covers} typed: the plans produce other rows: {results}"


def _row(case: Case, found: Sequence[Measured], base: Case) -> dict[str, Any]:
    costs = [one.total for one in found if one.case == case]
    bases = [one.total for one in found if one.case == base][: len(costs)]
    steps = next(one.steps for one in found if one.case == case)
    return {
        "case": case.title,
        "typed rows": next(one.rows for one in found if one.case == case),
        **compared(costs, bases),
        "steps": {name: {"seconds": cost.seconds, "CPU seconds": cost.cpu_seconds} for name, cost in steps.items()},
    }
