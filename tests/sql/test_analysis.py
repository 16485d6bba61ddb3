"""Every query of docs/analysis.md runs on real Trino and gives what was worked out by hand."""

import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from clickstream.sql import quote
from tests.machine import Machine, scratch_lake
from tests.scratch import ScratchLake

HERE = Path(__file__).parent / "analysis"
PAGE = (Path(__file__).parents[2] / "docs" / "analysis.md").read_text(encoding="utf-8")
QUERIES = dict(re.findall(r"```sql\n-- (\w+)\n(.*?)```", PAGE, re.DOTALL))
EXPECTED = json.loads((HERE / "expected.json").read_text())


@pytest.fixture(scope="module")
def shop(machine: Machine) -> ScratchLake:
    lake = scratch_lake(machine)
    lake.stage("20261124T010203004Z-shop.ndjson", (HERE / "events.ndjson").read_bytes())
    lake.load("run-1")
    lake.model("model-1")
    return lake


def plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


def test_every_query_of_the_page_has_its_expected_rows() -> None:
    assert QUERIES.keys() == EXPECTED.keys()
    assert len(QUERIES) == PAGE.count("```sql")


@pytest.mark.parametrize("name", EXPECTED)
def test_a_query_of_the_page(shop: ScratchLake, name: str) -> None:
    query = QUERIES[name].replace("lake.clickstream.", f"lake.{quote(shop.settings.lake_database)}.")

    assert [[plain(value) for value in row.values()] for row in shop.query(query)] == EXPECTED[name]
