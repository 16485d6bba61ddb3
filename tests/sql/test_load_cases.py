"""The shipped SQL on real Trino, against the hand-written expectations of tests/model/cases.

A case is a folder: staged files as they are, and expected.json with the rows of `events` and `rejects`. The same
folders check the model in tests/model; here they check the SQL.
"""

from pathlib import Path

import pytest

from tests.model import compare, expected
from tests.scratch import ScratchLake

CASES = sorted(path for path in (Path(__file__).parents[1] / "model" / "cases").iterdir() if path.is_dir())


@pytest.mark.scenario("X18", "X24", "X30", "X34")
@pytest.mark.promise("P1", "P5")
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_load_gives_the_expected_rows(case: Path, lake: ScratchLake) -> None:
    files = [
        expected.staged_file(lake.stage(path.name, path.read_bytes()), path.read_bytes())
        for path in sorted(case.glob("*.ndjson*"))
    ]
    assert files
    tables = expected.expected_tables(files)

    report = lake.load("run-1")

    assert compare.compare(tables.events, lake.rows("events")) == []
    assert compare.compare_rejects(tables.rejects, lake.rows("rejects")) == []
    assert report.unaccounted == 0
    assert (report.rows_read, report.rows_loaded, report.rows_duplicate, report.rows_rejected) == (
        tables.line_count,
        len(tables.events),
        tables.duplicate_count,
        len(tables.rejects),
    )
