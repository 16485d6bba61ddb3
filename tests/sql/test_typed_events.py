"""The tables of single events on real Trino, row for row against the independent model."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clickstream.plan import typed_tables
from clickstream.plan.file import PLAN_FILE, TrackingPlan, parse_plan
from clickstream.plan.typed_tables import TypedRowsError, rule_pieces, rule_statements
from clickstream.window import Bounds
from local.lake.scratch import ScratchLake
from local.segment.events import generate_day
from tests.model import typed
from tests.model.compare import compare
from tests.model.expected import StagedFile, expected_tables, staged_file
from tests.model.json_text import read_json, same_json
from tests.sql.plan_comparison import check_comparison

FOLDER = Path(__file__).parent / "typed"
PLAN = (FOLDER / "plan.yaml").read_text(encoding="utf-8")
LINES = (FOLDER / "lines.ndjson").read_bytes()
NAME = "20261124T010203004Z-a.ndjson"
DAY = Bounds(datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 26, tzinfo=UTC))


def plan_of(text: str) -> TrackingPlan:
    return parse_plan(text, "plan.yaml")


def stage(lake: ScratchLake, body: bytes, name: str = NAME) -> StagedFile:
    return staged_file(lake.stage(name, body), body)


def differences(lake: ScratchLake, plan_text: str, files: list[StagedFile]) -> list[str]:
    """How tables, violations and discards differ from what the model expects."""
    wanted = typed.expected_typed(plan_text, expected_tables(files).events)
    tables = {event.name: event.table for event in plan_of(plan_text).live}
    found: list[str] = []
    for name, expected in wanted.items():
        rows = lake.query(f"select * from {lake.t.typed(tables[name])}")
        found += [f"{name}: {line}" for line in compare(expected.rows, rows)]
    return found + _violations(lake, wanted) + _discards(lake, wanted)


def _violations(lake: ScratchLake, wanted: dict[str, typed.TypedTable]) -> list[str]:
    expected = {one for table in wanted.values() for one in table.violations}
    columns = ("message_id", "property", "rule", "occurrences", "severity")
    rows = [tuple(row[column] for column in columns) for row in lake.rows("violations")]
    twice = [f"twice: {row}" for row in set(rows) if rows.count(row) > 1]
    return twice + [f"violation {row}" for row in sorted(expected ^ set(rows))]


def _discards(lake: ScratchLake, wanted: dict[str, typed.TypedTable]) -> list[str]:
    expected = {(message, column): value for table in wanted.values() for message, column, value in table.discards}
    rows = [row for row in lake.rows("discards") if "." in row["column_name"]]
    found = {(row["message_id"], row["column_name"]): row["value"] for row in rows}
    twice = [] if len(rows) == len(found) else ["a discard is there twice"]
    missing = [f"discard {key}" for key in sorted(expected.keys() ^ found.keys())]
    return (
        twice
        + missing
        + [
            f"discard {key}: expected {value}, found {found[key]}"
            for key, value in expected.items()
            if key in found and not same_json(read_json(value), read_json(found[key]))
        ]
    )


def test_every_feature_of_a_plan_agrees_with_the_model(lake: ScratchLake, monkeypatch: pytest.MonkeyPatch) -> None:
    # As for hundreds of events: their rules take several statements.
    monkeypatch.setattr(typed_tables, "rule_pieces", lambda events: rule_pieces(events, piece_rules=7))
    monkeypatch.setattr(typed_tables, "RULES_A_STATEMENT", 3_000)
    files = [stage(lake, LINES)]
    report = lake.load("run-1", plan=plan_of(PLAN))

    assert len(rule_statements(rule_pieces(plan_of(PLAN).live, 7), 3_000)) > 2
    assert differences(lake, PLAN, files) == []
    assert report.values_discarded == len(lake.rows("discards")) > 15
    # 19 lines have the event's own name, and 14 of them a violation by jsonschema; blocked ones count too.
    assert report.violations_by_event == {
        "order_completed": {"messages": 19, "violating": 14},
        "parcel_sent": {"messages": 3, "violating": 2},
    }
    (stored,) = lake.rows("load_runs")
    assert json.loads(stored["violations_by_event"]) == report.violations_by_event
    rules = {row["rule"] for row in lake.rows("violations")}
    assert rules == {"type", "required", "enum", "format", "pattern", "minimum", "maximum"}
    assert lake.check("run-1").failures == ()
    check_comparison(lake, plan_of(PLAN), expected_tables(files).events, DAY.earliest)


def test_the_shipped_plan_agrees_with_the_model_on_a_generated_day(lake: ScratchLake) -> None:
    text = PLAN_FILE.read_text(encoding="utf-8")
    day = generate_day(11, datetime(2026, 11, 24, 9, tzinfo=UTC), 36)
    half = len(day.records) // 2
    parts = [b"\n".join(part) + b"\n" for part in (day.records[:half], day.records[half:])]
    files = [stage(lake, parts[0])]
    lake.load("run-1", plan=plan_of(text))
    files.append(stage(lake, parts[1], "20261124T020203004Z-b.ndjson"))
    lake.load("run-2", plan=plan_of(text))

    assert differences(lake, text, files) == []
    assert len(lake.query(f"select 1 from {lake.t.typed('order_completed')}")) > 5


def test_a_run_twice_and_a_run_that_died_before_the_tables_leave_the_same_rows(lake: ScratchLake) -> None:
    files = [stage(lake, LINES)]
    taken = lake.take("run-1")
    lake.load("run-1", taken)
    lake.load("run-2", taken, plan=plan_of(PLAN))
    lake.load("run-2", taken, plan=plan_of(PLAN))
    lake.load("run-3", taken, plan=plan_of(PLAN))

    assert differences(lake, PLAN, files) == []


def test_a_range_is_derived_again_after_a_property_was_added(lake: ScratchLake) -> None:
    before = PLAN.replace("      quantity: {type: integer}\n", "").replace("      isGift: {type: boolean}\n", "")
    files = [stage(lake, LINES)]
    lake.load("run-1", plan=plan_of(before))
    assert differences(lake, before, files) == []

    lake.load_typed("again", plan_of(PLAN), DAY, again=True)

    rows = lake.query(
        f"select quantity, is_gift, extras from {lake.t.typed('order_completed')} where message_id = 'm00'"
    )
    assert rows == [{"quantity": 3, "is_gift": True, "extras": None}]
    assert [line for line in differences(lake, PLAN, files) if not line.startswith(("violation", "discard"))] == []


def test_a_table_that_lacks_a_message_fails_the_run(lake: ScratchLake, monkeypatch: pytest.MonkeyPatch) -> None:
    stage(lake, LINES)
    loaded = lake.run_each

    def lose_one(path: str, many: Any) -> dict[str, str]:
        failed = loaded(path, many)
        if path.endswith("event/load.sql"):
            lake.query(f"delete from {lake.t.typed('order_completed')} where message_id = 'm05'")
        return failed

    monkeypatch.setattr(lake, "run_each", lose_one)

    with pytest.raises(TypedRowsError, match=r"order_completed: 1 messages are missing, 0 are there more than once"):
        lake.load("run-1", plan=plan_of(PLAN))
