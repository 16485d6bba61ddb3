"""Values that a careless reader takes for others, on the whole load: what the tables hold is written down by hand."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from clickstream.engine.query import Result
from clickstream.engine.sql import Statement
from clickstream.plan.file import parse_plan
from clickstream.window import Window
from local.lake.machine import Machine, scratch_lake
from local.lake.scratch import ScratchLake

FOLDER = Path(__file__).parent / "odd_values"
PLAN = parse_plan((FOLDER / "plan.yaml").read_text(encoding="utf-8"), "plan.yaml")
EXPECTED = yaml.safe_load((FOLDER / "expected.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def lake(machine: Machine) -> ScratchLake:
    lake = scratch_lake(machine)
    lake.stage("20261128T120000000Z-a.ndjson", (FOLDER / "events.ndjson").read_bytes())
    assert lake.load("run-1", plan=PLAN).adds_up
    lake.publish_views()
    return lake


@pytest.mark.scenario("X39")
@pytest.mark.promise("P9")
def test_an_event_whose_table_or_values_cannot_be_taken_does_not_stop_the_others(machine: Machine) -> None:
    """Planted in the engine: one event's rows, and another's rules, make their statement fail."""
    lake = scratch_lake(machine)
    lake.stage("20261128T120000000Z-a.ndjson", (FOLDER / "events.ndjson").read_bytes())
    run = lake.runner.run_unchecked

    def failing(statement: Statement) -> Result:
        text, fail = statement.text, "cast(json_parse('no json') as boolean)"
        if statement.path == "work/findings/load.sql":
            text = text.replace(
                "documents.message_id,",
                f"if(rules.table_name = 'lines_listed', {fail}) as planted, documents.message_id,",
                1,
            )
            text = text.replace(
                "judged_values.table_name,", "if(judged_values.planted, '', judged_values.table_name) as table_name,", 1
            )
        if statement.path == "events/event/load.sql" and "numbers_listed" in text:
            text = text.replace(
                "with messages as (\n        select\n            *,",
                f"with messages as (\n        select\n            *, {fail} as planted,",
                1,
            )
            text = text.replace("nullif(json_format(cast(", "if(planted, 'x', '') || nullif(json_format(cast(", 1)
        return run(replace(statement, text=text))

    lake.runner.run_unchecked = failing  # type: ignore[method-assign]

    report = lake.load("run-1", plan=PLAN)

    assert report.adds_up
    assert sorted(report.tables_failed) == ["lines_listed", "numbers_listed"]
    assert all("INVALID_FUNCTION_ARGUMENT" in reason for reason in report.tables_failed.values())
    counts = {
        event.table: lake.query(f"select count(*) as n from {lake.t.typed(event.table)}")[0]["n"] for event in PLAN.live
    }
    assert {table for table, count in counts.items() if not count} == {"lines_listed", "numbers_listed"}
    lake.runner.run_unchecked = run  # type: ignore[method-assign]
    lake.rebuild("again", PLAN, Window(datetime(2026, 11, 28, tzinfo=UTC), datetime(2026, 11, 29, tzinfo=UTC)))
    assert all(lake.query(f"select 1 as n from {lake.t.typed(event.table)} limit 1") for event in PLAN.live)


@pytest.mark.promise("P9")
@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: case["query"])
def test_a_table_holds_what_a_person_says(lake: ScratchLake, case: dict[str, Any]) -> None:
    names = {event.table: lake.t.typed(event.table) for event in PLAN.events}
    names |= {view: lake.t.segment(view) for view in lake.t.SEGMENT_VIEWS} | {"discards": lake.t.discards}

    rows = lake.query(case["query"].format(**names))

    assert [list(row.values()) for row in rows] == [
        [value.format() if isinstance(value, str) else value for value in row] for row in case["rows"]
    ]
