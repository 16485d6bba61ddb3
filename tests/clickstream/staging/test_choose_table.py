"""Which table a crawl left. Each file of crawled_tables is a case: the database's tables, and the one or the error."""

import json
from pathlib import Path
from typing import Any

import pytest

from clickstream.staging.glue_schema import CrawledTableError, choose_table

CASES = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parent / "crawled_tables").iterdir())
}
LOCATION = "s3://clickstream-staging-000000000000/staging/"


def choose(tables: list[dict[str, Any]]) -> Any:
    return choose_table(tables, LOCATION, "events_staging", "clickstream-staging")


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "chosen" in case])
def test_chosen(name: str) -> None:
    case = CASES[name]

    assert choose(case["tables"])["Name"] == case["chosen"]
    assert choose(case["tables"][::-1])["Name"] == case["chosen"]


@pytest.mark.scenario("X22")
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "error" in case])
def test_refused_by_name(name: str) -> None:
    case = CASES[name]

    with pytest.raises(CrawledTableError) as refusal:
        choose(case["tables"][::-1])

    assert [part for part in case["error"] if part not in str(refusal.value)] == []
    assert [part for part in case.get("unnamed", []) if part in str(refusal.value)] == []
