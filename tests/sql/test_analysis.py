"""Every query of docs/analysis.md runs on real Trino and gives what was worked out by hand.

On the same lake: what docs/tables.md says of tables, views and columns is what Trino says, and its examples run.
"""

import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from clickstream.engine.evolution import present_shapes
from clickstream.engine.sql import quote
from clickstream.engine.table_shape import TableColumn
from clickstream.plan.file import TrackingPlan, read_plan
from local.lake.machine import Machine, scratch_lake
from local.lake.scratch import ScratchLake
from tools.dictionary import Table, shipped

HERE = Path(__file__).parent / "analysis"
PAGE = (Path(__file__).parents[2] / "docs" / "analysis.md").read_text(encoding="utf-8")
QUERIES = dict(re.findall(r"```sql\n-- (\w+)\n(.*?)```", PAGE, re.DOTALL))
EXPECTED = json.loads((HERE / "expected.json").read_text())

# One event stands for all: their tables and views are made by one file each.
PLAN = TrackingPlan(tuple(event for event in read_plan().events if event.table == "order_completed"))
DICTIONARY = shipped()
DOCUMENTED = [
    *DICTIONARY.tables,
    *DICTIONARY.views,
    *DICTIONARY.segment,
    *(one for one in (*DICTIONARY.events, *DICTIONARY.segment_events) if one.name.endswith(".order_completed")),
]


@pytest.fixture(scope="module")
def shop(machine: Machine) -> ScratchLake:
    lake = scratch_lake(machine)
    lake.stage("20261124T010203004Z-shop.ndjson", (HERE / "events.ndjson").read_bytes())
    lake.load("run-1", plan=PLAN)
    lake.model("model-1")
    lake.publish_views()
    lake.publish_event_views(PLAN)
    return lake


def schemas(lake: ScratchLake) -> dict[str, str]:
    """The lake's own schemas by the default ones."""
    settings = lake.settings
    return {
        "clickstream": settings.lake_database,
        "clickstream_events": settings.events_database,
        "clickstream_segment": settings.segment_database,
    }


def plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


def test_every_query_of_the_page_has_its_expected_rows() -> None:
    assert QUERIES.keys() == EXPECTED.keys()
    assert len(QUERIES) == PAGE.count("```sql")


@pytest.mark.parametrize("name", EXPECTED)
def test_a_query_of_the_page(shop: ScratchLake, name: str) -> None:
    query = QUERIES[name].replace("lake.clickstream.", f"lake.{quote(shop.settings.lake_database)}.")

    assert [[plain(value) for value in row.values()] for row in shop.query(query)] == EXPECTED[name]


def test_the_dictionary_has_the_tables_views_and_columns_that_trino_has(shop: ScratchLake) -> None:
    """Types of all; meanings of tables' columns, for those of views have no comment."""
    there = present_shapes(shop.run, shop.settings, list(schemas(shop).values()))
    names = {(schemas(shop)[table.schema], table.name.rpartition(".")[2]): table for table in DOCUMENTED}

    assert there.keys() == names.keys()
    for name, table in names.items():
        wanted = [TableColumn(entry.name, entry.type, entry.comment) for entry in table.entries]
        assert {c.name: c.plain_type for c in there[name]} == {c.name: c.plain_type for c in wanted}, name
        if table.layout:
            assert {c.name: c.comment for c in there[name]} == {c.name: c.comment for c in wanted}, name
        else:
            assert [c.name for c in there[name]] == [c.name for c in wanted], name


def test_tables_and_views_have_the_dictionary_s_text_as_their_comment(shop: ScratchLake) -> None:
    comments = shop.comments()

    for table in DOCUMENTED:
        comment = comments[schemas(shop)[table.schema], table.name.rpartition(".")[2]]
        assert comment == table.what if table.layout else (comment or "").startswith(table.what), table.name


@pytest.mark.parametrize("table", DOCUMENTED, ids=lambda table: table.name)
def test_an_example_of_the_dictionary_runs(shop: ScratchLake, table: Table) -> None:
    assert table.name in table.example
    query = table.example
    for schema, own in schemas(shop).items():
        query = query.replace(f"lake.{schema}.", f"lake.{quote(own)}.")

    shop.query(query)
