"""docs/existing-trino.md: its files are those that the tests run on, and fit the settings."""

import json
import re
from pathlib import Path

import pytest

from clickstream.settings import Settings
from local.trino import assemble

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "existing-trino.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```(\S+ \S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
# What only a stand-in for AWS needs: where it is, its keys, and its gaps.
LOCAL_ONLY = re.compile(r"endpoint|key$|path-style|partitions-segments")


def properties(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


def test_every_block_is_read_by_a_test_or_was_tried_by_hand() -> None:
    assert PAGE.count("```") == 2 * len(BLOCKS)
    assert BLOCKS.keys() == {
        "properties staging", "properties lake", "properties resource-groups", "json resource-groups",
        "properties config", "properties exchange-manager",
    }  # fmt: skip
    assert f"The tests run on **Trino {assemble.version()}**" in PAGE


@pytest.mark.parametrize("catalog", ["staging", "lake"])
def test_a_catalog_is_the_one_of_the_tests_without_what_is_local(catalog: str) -> None:
    local = properties((ROOT / "local" / "trino" / "etc" / "catalog" / f"{catalog}.properties").read_text())
    region = {name: "eu-west-1" for name in local if name.endswith("region")}

    assert properties(BLOCKS[f"properties {catalog}"]) == {
        name: value for name, value in (local | region).items() if not LOCAL_ONLY.search(name)
    }


def test_resource_groups_hold_what_the_pipeline_runs_at_once() -> None:
    file = properties(BLOCKS["properties resource-groups"])["resource-groups.config-file"]
    assert f"`{file}`" in PAGE
    groups = json.loads(BLOCKS["json resource-groups"])
    limits = {group["name"]: group["hardConcurrencyLimit"] for group in groups["rootGroups"]}
    first, *_, last = groups["selectors"]
    by_the_clock = [path for path in (ROOT / "dags").glob("*.py") if "schedule=None" not in path.read_text()]
    threads = Settings(staging_bucket="a", lake_bucket="b", crawler="c").typed_load_threads

    assert {selector["group"] for selector in groups["selectors"]} == limits.keys()
    assert last.keys() == {"group"}, "whoever is in no other group is in the last"
    assert limits[first["group"]] >= threads + len(by_the_clock) - 1
    airflow = (ROOT / "docs" / "existing-airflow.md").read_text(encoding="utf-8")
    assert f'"login": "{first["user"]}"' in airflow
