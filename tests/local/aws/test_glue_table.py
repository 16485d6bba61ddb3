"""Each folder of tables/: what a crawl found, the crawler's policy, the table before, and the table after."""

import json
from pathlib import Path

import pytest

from local.aws.glue_table import CrawledTable, CrawlPolicy, changed_table, deprecated_table, new_table, table_name

CASES = sorted((Path(__file__).parent / "tables").iterdir())
NOW_MS = 1_795_000_000_000


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_table_after_a_crawl(case):
    given = json.loads((case / "case.json").read_text())
    found, policy = CrawledTable(**given["found"]), CrawlPolicy(**given["policy"])
    existing = given["existing"]
    result = new_table(found, policy) if existing is None else changed_table(existing, found, policy, NOW_MS)
    assert result == json.loads((case / "expected.json").read_text())


def test_a_deprecated_table_keeps_everything_and_has_the_mark_twice():
    existing = json.loads((CASES[0].parent / "merge_adds_columns_only" / "case.json").read_text())["existing"]
    table = deprecated_table(existing, NOW_MS)
    assert table["StorageDescriptor"]["Columns"] == existing["StorageDescriptor"]["Columns"]
    assert table["Parameters"] == {**existing["Parameters"], "DEPRECATED_BY_CRAWLER": str(NOW_MS)}
    assert table["StorageDescriptor"]["Parameters"]["DEPRECATED_BY_CRAWLER"] == str(NOW_MS)
    assert "VersionId" not in table
    assert "DEPRECATED_BY_CRAWLER" not in existing["Parameters"]


@pytest.mark.parametrize(
    ("prefix", "folder", "expected"),
    [
        ("events_", "staging", "events_staging"),
        ("", "My-Folder.2026", "my_folder_2026"),
        ("a-", "day=2026-11-24", "a_day_2026_11_24"),
        ("", "이름", "__"),
    ],
)
def test_names_of_tables(prefix, folder, expected):
    assert table_name(prefix, folder) == expected
