"""How soon a message can be queried: from the moment its object lies in the raw bucket, as Firehose leaves it there."""

import json
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bench import airflow_runs
from bench.effort import Effort
from clickstream.engine.sql import Statement, TableNames, literal
from clickstream.settings import load_settings
from local.lake.machine import Machine
from local.segment.events import generate_day

WAIT = 60.0
"""Seconds after which a message counts as lost."""
PAUSE = 0.02
SEED, USERS = 8, 12


def run(machine: Machine, effort: Effort, say: Callable[[str], None]) -> dict[str, Any]:
    """Put objects of one message each, one after another, and query until each is there.

    Raises AssertionError when one is not there in time.
    """
    machine.start_airflow()
    # The first load makes the tables and views.
    airflow_runs.load(machine, list(generate_day(SEED, datetime.now(UTC), USERS).records))
    found = [_follow(machine, number) for number in range(effort.choose(3, 50, 100))]
    rows = []
    for stage in found[0]:
        seconds = sorted(one[stage] for one in found)
        place = math.ceil(0.99 * len(seconds)) - 1
        rows.append({"case": stage, "seconds": seconds, "99 of 100 within": f"{seconds[place]:.2f}"})
        say(f"{stage}: 99 of 100 within {seconds[place]:.2f} s")
    return {"title": "From the raw bucket to a row", "about": {"objects": len(found)}, "rows": rows}


def _follow(machine: Machine, number: int) -> dict[str, float]:
    """Return seconds since the object was put, by what had then been reached."""
    settings = load_settings(machine.places.settings())
    s3, runner, tables = machine.client("s3"), machine.runner(), TableNames(settings)
    now = datetime.now(UTC)
    name = f"fresh-{now:%H%M%S%f}-{number}"
    message = {"messageId": name, "type": "track", "event": "Fresh", "receivedAt": now.isoformat()}
    began = time.monotonic()
    s3.put_object(
        Bucket=settings.raw_bucket,
        Key=f"raw/{now:%Y/%m/%d/%H}/{name}.ndjson",
        Body=json.dumps(message).encode() + b"\n",
    )

    def reached(is_there: Callable[[], Any]) -> float:
        while not is_there():
            assert time.monotonic() - began < WAIT, f"{name} is not there after {WAIT:.0f} s"
            time.sleep(PAUSE)
        return time.monotonic() - began

    def staged() -> bool:
        listed = s3.list_objects_v2(Bucket=settings.staging_bucket, Prefix=f"{settings.staging_prefix}{now:%Y%m%dT%H}")
        return any(name in item["Key"] for item in listed.get("Contents", []))

    def answered(table: str, condition: str) -> bool:
        (row,) = runner.run(Statement(f"select count(*) as n from {table} where {condition}")).rows
        return bool(row["n"])

    return {
        "object staged": reached(staged),
        "line found in the staging table": reached(
            lambda: answered(tables.lines, f'"$path" like {literal("%" + name + "%")}')
        ),
        "row found in events_live": reached(lambda: answered(tables.events_live, f"message_id = {literal(name)}")),
    }
