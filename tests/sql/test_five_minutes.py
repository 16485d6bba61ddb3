"""An hour that is loaded and modelled every five minutes gives the rows of one that is loaded once."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clickstream.engine.sql import quote
from clickstream.plan.file import read_plan
from local.lake.machine import Machine, scratch_lake
from local.lake.scratch import ScratchLake
from local.segment.events import generate_day

HOUR = datetime(2026, 11, 24, 12, tzinfo=UTC)
PARTS = 12
# What says which load a row came by, and when.
OF_THE_LOAD = {
    "loaded_at", "load_run_id", "source_path", "staged_at", "discarded_at", "found_at", "rejected_at", "reject_id",
    "created_run_id", "updated_run_id", "modelled_at", "former_ids",
}  # fmt: skip


def records() -> list[bytes]:
    """A generated day, received within the hour: bad lines and duplicates too."""
    day = list(generate_day(5, HOUR, users=30))
    found = []
    for number, record in enumerate(day):
        at = HOUR + timedelta(hours=number / len(day))
        try:
            message = json.loads(record)
            message["receivedAt"] = at.isoformat()
        except (ValueError, TypeError):
            found.append(record)
        else:
            found.append(json.dumps(message).encode())
    return found


def stage(lake: ScratchLake, number: int, lines: list[bytes]) -> None:
    at = HOUR + timedelta(minutes=5 * (number + 1))
    lake.stage(f"{at:%Y%m%dT%H%M%S}000Z-a.ndjson", b"\n".join(lines) + b"\n")


def contents(lake: ScratchLake) -> dict[str, list[str]]:
    own = lake.settings
    tables = [lake.t.lake(name) for name in ("events", "rejects", "discards", "violations", "sessions")]
    typed = sorted(name for schema, name in lake.comments() if schema == own.events_database)
    found = {}
    for table in (*tables, *(lake.t.typed(name) for name in typed)):
        columns = [row["Column"] for row in lake.query(f"describe {table}")]
        kept = ", ".join(quote(column) for column in columns if column not in OF_THE_LOAD)
        found[table.rpartition(".")[2]] = sorted(map(str, lake.query(f"select {kept} from {table}")))
    return found


@pytest.mark.slow
@pytest.mark.promise("P2")
def test_twelve_loads_of_an_hour_give_the_rows_of_one(machine: Machine) -> None:
    plan, lines = read_plan(), records()
    size = -(-len(lines) // PARTS)
    parts = [lines[first : first + size] for first in range(0, len(lines), size)]
    often, once = scratch_lake(machine), scratch_lake(machine)
    sums: dict[str, int] = {}

    for number, part in enumerate(parts):
        stage(often, number, part)
        report: Any = often.load(f"run-{number}", plan=plan)
        assert report.adds_up
        often.model(f"run-{number}")
        for name in ("rows_read", "rows_loaded", "rows_duplicate", "rows_rejected"):
            sums[name] = sums.get(name, 0) + getattr(report, name)
    for number, part in enumerate(parts):
        stage(once, number, part)
    report = once.load("run", plan=plan)
    once.model("run")

    assert len(parts) == PARTS
    assert sums == {name: getattr(report, name) for name in sums}
    assert report.rows_loaded > 300
    assert contents(often) == contents(once)
    assert often.check("run-11").failures == ()
