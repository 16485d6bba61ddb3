"""What the loads of some files record in `schema_changes`, against hand-written expectations.

A case is a folder: 1.ndjson, 2.ndjson, ... are each loaded by a run of its own, and expected.json has what each run
must record, in order of path and type. A row of it has the columns that the case is about.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from clickstream.load.steps import keys_met
from clickstream.settings import Settings
from local.lake.scratch import ScratchLake

CASES = sorted(path for path in (Path(__file__).parent / "schema_changes").iterdir() if path.is_dir())


def recorded(lake: ScratchLake, run_id: str) -> list[dict[str, Any]]:
    rows = [row for row in lake.rows("schema_changes") if row["load_run_id"] == run_id]
    return sorted(rows, key=lambda row: (row["path"], row["json_type"]))


@pytest.mark.scenario("X20")
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_run_records_what_it_meets_first(case: Path, lake: ScratchLake) -> None:
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    assert expected.keys() == {path.stem for path in case.glob("*.ndjson")}

    for run_id, rows in sorted(expected.items()):
        body = (case / f"{run_id}.ndjson").read_bytes()
        lake.stage(f"20261124T0{run_id}0203004Z-a.ndjson", body)
        report = lake.load(run_id)
        assert report.rows_read == len(body.splitlines())

        found = recorded(lake, run_id)
        columns = rows[0].keys() if rows else []
        assert [{column: row[column] for column in columns} for row in found] == rows

    # The same again, under other names, records nothing.
    count = len(lake.rows("schema_changes"))
    for path in case.glob("*.ndjson"):
        lake.stage(f"20261124T1{path.stem}0203004Z-again.ndjson", path.read_bytes())
    lake.load("again")
    assert len(lake.rows("schema_changes")) == count
    assert lake.check("again").failures == ()


def test_keys_without_end_are_recorded_up_to_the_limit_and_the_common_ones_first(
    lake: ScratchLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """600 messages with 600 ids as keys, and one key of 3 messages, which comes first."""
    lines = [{"messageId": f"m{n}", "properties": {f"id {n}": n}} for n in range(600)]
    lines += [{"messageId": f"n{n}", "properties": {"real": "x" * 300}} for n in range(3)]
    lake.stage("20261124T010203004Z-a.ndjson", "".join(f"{json.dumps(line)}\n" for line in lines).encode())
    monkeypatch.setattr(Settings, "schema_changes_max", 100)

    lake.load("run-1")

    rows = {row["path"]: row for row in recorded(lake, "run-1")}
    assert len(rows) == 100
    assert {"$.messageId", "$.properties", "$.properties.real"} <= rows.keys()
    assert rows["$.properties.real"]["example"] == "x" * 200


def test_top_level_keys_that_can_be_columns_are_those_that_the_crawled_table_gets(lake: ScratchLake) -> None:
    lines = [
        {
            "messageId": "a",
            "newKey": {"inner": 1},
            "my-key": 1,
            "a.b": 1,
            'a"b': 1,
            "": 1,
            "1st": 1,
            "properties": {"p": 1},
        },
        {"messageId": "b", "_under": 1, "키": 1},
    ]
    lake.stage("20261124T010203004Z-a.ndjson", "".join(f"{json.dumps(line)}\n" for line in lines).encode())
    assert keys_met(lake.run) == []

    lake.load("run-1")

    assert sorted(keys_met(lake.run)) == ["_under", "messageId", "newKey", "properties"]
