"""All that may not stop a load, in one staging folder beside good objects."""

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clickstream.engine.query import Result
from clickstream.engine.sql import Statement
from clickstream.plan.file import parse_plan
from clickstream.watch.alarms import LOOK_BACK, WatchFigures, find_alarms, run_from_row
from local.lake.machine import Machine, scratch_lake
from tests.sql.test_hostile_lines import LINES

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
# Some of each reason; how long they take is measured beside.
REJECTED_LINES = ["digits", "open_arrays", "exponents_and_no_end", "white_space"]
PLAN = parse_plan(
    """
version: 1
events:
  Probe: {description: A probe., owner: o, status: live, sources: [s], properties: {n: {type: integer}}}
  Broken: {description: Its table fails., owner: o, status: live, sources: [s], properties: {n: {type: integer}}}
""",
    "plan.yaml",
)
FAIL = "cast(json_parse('no json') as boolean)"


def message(message_id: str, received_at: str = NOW.isoformat(), **more: Any) -> dict[str, Any]:
    return {
        "messageId": message_id,
        "type": "track",
        "event": "Probe",
        "anonymousId": "p",
        "receivedAt": received_at,
        "properties": {"n": 1},
    } | more


def good_objects() -> dict[str, list[dict[str, Any]]]:
    """Messages that load, by object."""
    years = ["0002-01-01", "0999-12-31", "1000-06-01", "1970-01-01", "9998-12-31"]
    return {
        "plain": [message("plain-1"), message("plain-2"), message("broken-1", event="Broken")],
        "far-years": [message(f"year-{year}", f"{year}T00:00:00Z") for year in years],
        # More than the hundred partitions that a writer has open.
        "many-hours": [message(f"hour-{n}", (NOW - timedelta(hours=n)).isoformat()) for n in range(110)],
    } | {f"small-{n}": [message(f"small-{n}")] for n in range(200)}


@pytest.mark.promise("P1", "P5", "P9")
@pytest.mark.scenario("X45")
def test_every_good_message_is_loaded_and_every_bad_one_has_a_place_and_an_alarm(machine: Machine) -> None:
    lake, good = scratch_lake(machine), good_objects()
    for count in ("task_min_writer_count", "task_max_writer_count"):
        lake.query(f"set session {count} = 1")
    run = lake.runner.run_unchecked

    def run_planted(statement: Statement) -> Result:
        text = statement.text
        if statement.path == "lake/events/load.sql":
            bad = f"if(batch.user_id = 'bad', {FAIL}, true)"
            text = text.replace("where batch.received_at between", f"where {bad} and batch.received_at between", 1)
        if statement.path == "events/event/load.sql" and '"broken"' in text:
            text = f"select {FAIL}"
        return run(replace(statement, text=text))

    for name, messages in good.items():
        lake.stage(f"20261128T120000000Z-{name}.ndjson", "\n".join(map(json.dumps, messages)).encode())
    huge = json.dumps(message("huge")).replace('"n": 1', '"n": 1e2147483648')
    lines = [huge, *(LINES[name] for name in REJECTED_LINES), json.dumps(message("planted", userId="bad"))]
    lake.stage("20261128T120000000Z-lines.ndjson", "\n".join(lines).encode())
    lake.stage("20261128T120000000Z-cut.ndjson.gz", gzip.compress(json.dumps(message("cut")).encode())[:-9])
    lake.runner.run_unchecked = run_planted  # type: ignore[method-assign]

    report = lake.load("run-1", plan=PLAN)

    ids = {one["messageId"] for messages in good.values() for one in messages} | {"huge"}
    assert {row["message_id"] for row in lake.rows("events")} == ids
    assert report.adds_up
    assert (report.rows_loaded, report.rows_rejected) == (len(ids), len(lines) - 1)
    assert report.rejected_by_reason == {
        "number_too_long": 1, "too_deep": 1, "not_json": 1, "blank": 1, "load_failed": 1,
    }  # fmt: skip
    assert {row["line"] for row in lake.rows("rejects")} == {*lines} - {huge}
    assert [row["source_path"].rpartition("-")[2] for row in lake.rows("quarantine")] == ["cut.ndjson.gz"]
    assert set(report.tables_failed) == {"events", "broken"}
    found = lake.run("lake/load_runs/recent.sql", runs_since=datetime.now(UTC) - LOOK_BACK).rows
    alarms = find_alarms(WatchFigures(now=datetime.now(UTC), runs=[run_from_row(row) for row in found]), lake.settings)
    assert {alarm.name for alarm in alarms} >= {
        "unreadable_objects",
        "event_tables_failed",
        "run_reject_rate",
        "reject_rate",
    }
    assert lake.take("run-2").objects == ()
