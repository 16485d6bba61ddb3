"""The shipped SQL on real Trino, against the hand-written expectations of tests/model/cases.

A case is a folder: staged files as they are, and expected.json with the rows of `events` and `rejects`. The same
folders check the model in tests/model; here they check the SQL. All cases are one load: each is told by its files.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.lake.machine import Machine, scratch_lake
from tests.model import compare, expected

CASES = sorted(path for path in (Path(__file__).parents[1] / "model" / "cases").iterdir() if path.is_dir())
COUNTS = ("rows_read", "rows_loaded", "rows_duplicate", "rows_rejected")


@dataclass
class Loaded:
    """The files of each case, as the model reads them, and the rows of all."""

    files: dict[str, list[expected.StagedFile]]
    rows: dict[str, list[dict[str, Any]]]
    unaccounted: int

    def of(self, table: str, case: str) -> list[dict[str, Any]]:
        """The rows that came from a case."""
        paths = {file.path for file in self.files[case]}
        return [row for row in self.rows[table] if row["source_path"] in paths]


@pytest.fixture(scope="module")
def loaded(machine: Machine) -> Loaded:
    lake = scratch_lake(machine)
    files = {}
    for case in CASES:
        bodies = {path.name.replace("Z-", f"Z-{case.name}-"): path.read_bytes() for path in case.glob("*.ndjson*")}
        files[case.name] = [expected.staged_file(lake.stage(*item), item[1]) for item in sorted(bodies.items())]
    report = lake.load("run-1")
    rows = {table: lake.rows(table) for table in ("events", "rejects", "load_ledger")}
    return Loaded(files, rows, report.unaccounted)


def test_cases_do_not_touch_each_other(loaded: Loaded) -> None:
    """An id in two cases would be a duplicate across them."""
    ids = [row["message_id"] for case in loaded.files.values() for row in expected.expected_tables(case).events]

    assert len(ids) == len(set(ids)) == len(loaded.rows["events"])
    assert loaded.unaccounted == 0


@pytest.mark.scenario("X18", "X24", "X30", "X34")
@pytest.mark.promise("P1", "P5")
@pytest.mark.parametrize("case", [path.name for path in CASES])
def test_load_gives_the_expected_rows(loaded: Loaded, case: str) -> None:
    assert loaded.files[case]
    tables = expected.expected_tables(loaded.files[case])

    assert compare.compare(tables.events, loaded.of("events", case)) == []
    assert compare.compare_rejects(tables.rejects, loaded.of("rejects", case)) == []
    ledger = loaded.of("load_ledger", case)
    assert [sum(row[count] for row in ledger) for count in COUNTS] == [
        tables.line_count,
        len(tables.events),
        tables.duplicate_count,
        len(tables.rejects),
    ]
