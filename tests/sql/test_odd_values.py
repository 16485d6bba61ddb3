"""Values that a careless reader takes for others, on the whole load: what the tables hold is written down by hand."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from clickstream.tracking_plan import parse_plan
from tests.machine import Machine, scratch_lake
from tests.scratch import ScratchLake

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


@pytest.mark.promise("P5")
@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: case["query"])
def test_a_table_holds_what_a_person_says(lake: ScratchLake, case: dict[str, Any]) -> None:
    names = {event.table: lake.t.typed(event.table) for event in PLAN.events}
    names |= {view: lake.t.segment(view) for view in lake.t.SEGMENT_VIEWS} | {"discards": lake.t.discards}

    rows = lake.query(case["query"].format(**names))

    assert [list(row.values()) for row in rows] == [
        [value.format() if isinstance(value, str) else value for value in row] for row in case["rows"]
    ]
