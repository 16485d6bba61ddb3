"""Ten questions on a month of messages: on our tables, on the raw JSON, and on a table an event."""

import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined

from bench.declared_events import USUAL_EVENTS, usual_plan
from bench.effort import Effort
from bench.load import Several, load_everything, stage
from bench.measure import Stopwatch, trino_processes
from bench.messages import write_sample
from clickstream.engine.query import Result
from clickstream.engine.sql import Statement, instant_literal, literal
from clickstream.plan import typed_tables
from clickstream.plan.file import TrackingPlan
from local.lake.machine import Machine, scratch_lake
from local.lake.scratch import ScratchLake

OURS, RAW, EACH = "ours", "raw JSON", "a table an event"
QUESTIONS: list[dict[str, str]] = yaml.safe_load((Path(__file__).parent / "questions.yaml").read_text(encoding="utf-8"))


def run(machine: Machine, effort: Effort, say: Callable[[str], None]) -> dict[str, Any]:
    """Query every question of each of the three, in rounds.

    Raises AssertionError when they answer differently, or a question has no answer.
    """
    days, day_bytes, rounds = effort.choose((2, 10**6, 1), (30, 10 * 10**6, 3), (30, 20 * 10**6, 5))
    plan = usual_plan()
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    lake = _month(machine, plan, now, days, day_bytes)
    first = now - timedelta(days=days)
    (most,) = lake.query(
        f"select coalesce(user_id, anonymous_id) as person from {lake.t.events} where type = 'track' "
        "group by 1 order by count(*) desc, 1 limit 1"
    )
    given = {"now": instant_literal(now), "first": instant_literal(first), "person": literal(most["person"])}
    relations = _relations(lake, plan)
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - SQL
    rows = []
    for question in QUESTIONS:
        template = environment.from_string(question["sql"])
        asked = {name: Statement(template.render({**given, **relation})) for name, relation in relations.items()}
        found: dict[str, list[Result]] = {name: [] for name in asked}
        for _ in range(rounds):
            for name, statement in asked.items():
                found[name].append(lake.runner.run(statement))
        _require_same(question["title"], found)
        rows.append(_row(question["title"], found))
        say(f"{question['title']}: {rows[-1]}")
    (count,) = lake.query(f"select count(*) as n from {lake.t.events}")
    return {"title": "Ten questions", "about": {"messages": count["n"], "days": days}, "rows": rows}


def _month(machine: Machine, plan: TrackingPlan, now: datetime, days: int, day_bytes: int) -> ScratchLake:
    """Return a lake into which an hour of each day was loaded."""
    lake = scratch_lake(machine)
    several = Several(machine, lake)
    for day in range(days):
        with tempfile.TemporaryDirectory(prefix="clickstream-bench-") as place:
            hour = now - timedelta(days=day, hours=1)
            stage(lake, write_sample(Path(place), day_bytes, USUAL_EVENTS, hour, first_id=day * 10**6))
    typed_tables.create_missing(lake.run, several, plan, lake.settings)
    load_everything(lake, several, plan, Stopwatch(trino_processes(machine.places)))
    return lake


def _relations(lake: ScratchLake, plan: TrackingPlan) -> dict[str, Mapping[str, str]]:
    """Return `tracks` and `orders` of each, with the same columns."""
    common = "message_id, {event} as event, coalesce(user_id, anonymous_id) as person, received_at"
    page = "context_page_path as page_path"

    def of_table(event: str) -> str:
        return f"select {common.format(event=literal(event))}, {page} from {lake.t.typed(event)}"

    ours = f"(select {common.format(event='event')}, {page} from {lake.t.events} where type = 'track')"
    each = f"({' union all '.join(of_table(event.table) for event in plan.live)})"
    orders = lake.t.typed(plan.live[0].table)
    values = {
        "message_id": "messageId", "event": "event", "user_id": "userId", "anonymous_id": "anonymousId",
        "received_at": "receivedAt", "page_path": "context.page.path", "price": "properties.price",
    }  # fmt: skip
    raw = {name: f"json_extract_scalar(line, '$.{path}')" for name, path in values.items()}
    of_line = (
        f"{raw['message_id']} as message_id, lower(replace({raw['event']}, ' ', '_')) as event, "
        f"coalesce({raw['user_id']}, {raw['anonymous_id']}) as person, "
        f"from_iso8601_timestamp({raw['received_at']}) as received_at, {raw['page_path']} as page_path, "
        f"try_cast({raw['price']} as double) as price"
    )
    lines = f"select {of_line} from {lake.t.lines} where json_extract_scalar(line, '$.type') = 'track'"
    return {
        OURS: {"tracks": ours, "orders": orders},
        RAW: {
            "tracks": f"({lines})",
            "orders": f"(select * from ({lines}) where event = {literal(plan.live[0].table)})",
        },
        EACH: {"tracks": each, "orders": orders},
    }


def _require_same(title: str, found: Mapping[str, list[Result]]) -> None:
    answers = {
        name: sorted(map(repr, (tuple(row.values()) for row in results[0].rows))) for name, results in found.items()
    }
    assert answers[OURS], f"{title}: no answer"
    for name, answer in answers.items():
        assert answer == answers[OURS], f"{title}: {name} gives {answer[:3]}, {OURS} {answers[OURS][:3]}"


def _row(title: str, found: Mapping[str, list[Result]]) -> dict[str, Any]:
    seconds = {name: [one.elapsed_ms / 1e3 for one in results] for name, results in found.items()}
    row: dict[str, Any] = {"case": title, "seconds": seconds[OURS], "of each": seconds}
    for name, results in found.items():
        row[f"MB read, {name}"] = [one.read_bytes / 1e6 for one in results]
        if name != OURS:
            pairs = zip(results, found[OURS], strict=True)
            row[f"ratio, {name}"] = [one.elapsed_ms / base.elapsed_ms for one, base in pairs]
    return row
