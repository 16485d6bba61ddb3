"""A release has its lake, to which every later version is held, and its section of the changelog."""

import re
import tomllib
from pathlib import Path

from clickstream.engine.sql import TableNames
from tools.earlier_lake import statements

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def test_the_version_has_its_lake_and_a_dated_section() -> None:
    lake = ROOT / "tests" / "sql" / "earlier_lakes" / f"{VERSION}.sql"
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert "create table" in lake.read_text(encoding="utf-8")
    [unreleased, newest, *_] = re.findall(r"^## (.+)$", changelog, re.MULTILINE)
    assert unreleased == "[Unreleased]"
    assert re.fullmatch(rf"\[{re.escape(VERSION)}\] - \d{{4}}-\d\d-\d\d", newest)


def test_the_lake_that_is_written_has_every_table() -> None:
    made = [re.findall(r'create table if not exists "lake"\."clickstream"\."(\w+)"', text) for text in statements()]

    assert made == [[table] for table in TableNames.LAKE_TABLES]
