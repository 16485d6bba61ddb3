"""What Athena is sent, run on Trino: the rows are those of the model, and those that Trino's own SQL gives.

Every shipped query and change that these steps have runs in the words that Athena gets, over tables with the column
types that it gives them: local/lake/athena_on_trino.py. What only Athena can tell is listed in docs/athena.md.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from clickstream.athena.runner import AthenaRunner
from clickstream.athena.sql import lines_table
from clickstream.engine.sql import TableNames, render
from clickstream.plan.diff import differences, fitting
from clickstream.plan.file import parse_plan
from clickstream.plan.seen import look
from clickstream.window import Bounds, Window
from local.lake.athena_on_trino import AthenaOnTrino
from local.lake.machine import Machine, scratch_lake
from local.lake.scratch import ScratchLake
from tests.model import compare, expected
from tests.sql.shop_days import START, shop_days

MODEL_CASES = Path(__file__).parents[1] / "model" / "cases"
TYPED = Path(__file__).parent / "typed"
DAY = Bounds(datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 26, tzinfo=UTC))
# When and by what a row was written, and where its object lies.
OF_THE_RUN = ("loaded_at", "discarded_at", "rejected_at", "found_at", "recorded_at", "modelled_at", "reported_at")


@pytest.fixture
def athena(machine: Machine) -> ScratchLake:
    return scratch_lake(machine, AthenaOnTrino(machine.runner()))


def test_every_case_of_the_model_gives_its_rows(athena: ScratchLake) -> None:
    """All at once: a run a case in the other tests, one run here."""
    files = []
    for number, path in enumerate(sorted(MODEL_CASES.glob("*/*.ndjson*"))):
        name = f"{path.name[:18]}Z-{number}{''.join(path.suffixes)}"
        body = path.read_bytes()
        files.append(expected.staged_file(athena.stage(name, body), body))
    tables = expected.expected_tables(files)

    report = athena.load("run-1")

    assert compare.compare(tables.events, athena.rows("events")) == []
    assert compare.compare_rejects(tables.rejects, athena.rows("rejects")) == []
    assert report.unaccounted == 0


@pytest.mark.slow
def test_the_tables_of_a_whole_run_are_those_of_trino(machine: Machine, athena: ScratchLake) -> None:
    """Typed events, violations, sessions, views, the comparison with the plan, checks; then the same range again."""
    trino = scratch_lake(machine)
    plan = parse_plan((TYPED / "plan.yaml").read_text(encoding="utf-8"), "plan.yaml")
    body = b"".join(json.dumps(message).encode() + b"\n" for message in shop_days(3, 300))

    for lake in (athena, trino):
        lake.stage("20261124T010203004Z-a.ndjson", (TYPED / "lines.ndjson").read_bytes())
        lake.stage("20261124T010203004Z-b.ndjson", body)
        lake.load("run-1", plan=plan)
        lake.model("model-1")
        lake.publish_views()
        lake.publish_event_views(plan)
        found = differences(plan, look(lake.run, DAY.earliest))
        values = {"seen_since": DAY.earliest, "now": DAY.latest, "differences_json": fitting(found)[0]}
        lake.run("lake/plan_diff/load.sql", **values)
        lake.rebuild("again", plan, Window(DAY.earliest, DAY.latest))
        lake.model("model-2", Window(START, START + timedelta(days=5)))
        assert [finding.text() for finding in lake.check("run-1").failures] == []

    reports = {"load_runs", "session_runs"}  # they say when which run was
    tables = [name for name in (*TableNames.LAKE_TABLES, *TableNames.SESSION_VIEWS) if name not in reports]
    different = [name for name in tables if shown(athena, name) != shown(trino, name)]
    assert different == []
    assert [len(shown(athena, name)) > 0 for name in ("events", "sessions", "violations", "plan_diff")] == [True] * 4
    for event in plan.live:
        assert typed(athena, event.table) == typed(trino, event.table)


def shown(lake: ScratchLake, table: str) -> list[str]:
    rows = lake.rows(table)
    if table == "schema_changes":
        # Of messages that were received at once, a random id of the line decides which is the example.
        rows = [
            {name: row[name] for name in ("path", "json_type", "change", "message_count", "received_at")}
            for row in rows
        ]
    return plain(lake, rows)


def typed(lake: ScratchLake, table: str) -> list[str]:
    return plain(lake, lake.query(f"select * from {lake.t.typed(table)}"))


def plain(lake: ScratchLake, rows: list[dict[str, Any]]) -> list[str]:
    """The rows as text without what differs between two lakes, in order."""
    kept = [{name: value for name, value in row.items() if name not in OF_THE_RUN} for row in rows]
    texts = (json.dumps(row, sort_keys=True, default=written) for row in kept)
    return sorted(text.replace(lake.settings.staging_bucket, "bucket") for text in texts)


def written(value: Any) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


@pytest.mark.parametrize("table", ["lines", "archive_lines"])
def test_the_tables_over_raw_lines_are_made_as_trino_makes_them(lake: ScratchLake, table: str) -> None:
    statement = render(f"staging/{table}/create.sql", lake.settings)
    lake.runner.run(statement)
    database, made = lines_table(statement)

    found = lake.glue.get_table(DatabaseName=database, Name=table)["Table"]

    made["StorageDescriptor"]["SerdeInfo"].pop("Parameters")  # for Athena alone
    assert list(differing(made, found)) == []


def differing(made: Any, found: Any, where: str = "") -> Iterator[str]:
    """Where something that was made is otherwise, or not there."""
    if isinstance(made, dict):
        for key, value in made.items():
            yield from differing(value, found.get(key), f"{where}.{key}")
    elif isinstance(made, list):
        for number, value in enumerate(made):
            yield from differing(value, found[number], f"{where}[{number}]")
    elif made != found and not (where == ".StorageDescriptor.Location" and made.rstrip("/") == found.rstrip("/")):
        yield f"{where}: {made!r}, and Trino makes {found!r}"


def test_trino_reads_a_table_over_raw_lines_that_was_made_through_glue(lake: ScratchLake) -> None:
    lake.query(f"drop table {lake.t.lines}")
    lines = [b'{"a": "\xff \xc3\xbe, \x01 stays"}', b"\\N", b"", b"a\tb"]
    lake.stage("20261124T010203004Z-a.ndjson", b"\n".join(lines) + b"\n")

    AthenaRunner(None, lake.glue, lake.settings).run(render("staging/lines/create.sql", lake.settings))

    rows = lake.query(f"select to_utf8(line) as line from {lake.t.lines}")
    assert [bytes(row["line"]) for row in rows] == lines
