"""A lake that an earlier version made is brought to this one: its rows stay, and it loads, models and checks.

Each file of earlier_lakes has the statements by which an earlier version made its tables. At a release, add its own.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from clickstream.engine.evolution import bring_up_to_date, create_tables, lake_shapes, present_shapes
from clickstream.engine.sql import TableNames
from clickstream.engine.table_shape import Name, TableColumn
from clickstream.plan.file import read_plan
from clickstream.plan.typed_tables import wanted_shapes
from local.lake.machine import Machine, environment_of
from local.lake.scratch import ScratchLake
from local.places import ENVIRONMENTS, ROOT

RELEASED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
LAKES = sorted((Path(__file__).parent / "earlier_lakes").glob("*.sql"), key=lambda file: file.name)
FIRST_SESSIONS = next(file for file in LAKES if file.stem == "first_sessions")
LINE = (
    b'{"messageId":"m-%d","type":"track","event":"Order Completed","anonymousId":"a",'
    b'"timestamp":"2026-11-24T01:00:00Z",'
    b'"receivedAt":"2026-11-24T01:00:0%dZ","context":{"locale":"ko-KR"}}\n'
)


def make_earlier(lake: ScratchLake, file: Path) -> None:
    """Puts the earlier version's tables in place of this one's, with a row in each."""
    for table in lake.t.LAKE_TABLES:
        lake.query(f"drop table {lake.t.lake(table)}")
    for statement in filter(None, map(str.strip, file.read_text(encoding="utf-8").split(";\n"))):
        lake.query(statement.rstrip(";").replace('"clickstream"', f'"{lake.settings.lake_database}"'))
    lake.query(
        f"insert into {lake.t.events} (message_id, type, received_at) "
        "values ('old', 'page', timestamp '2026-11-24 00:30 UTC')"
    )


def not_as_wanted(lake: ScratchLake, wanted: dict[Name, list[TableColumn]]) -> list[Name]:
    """The tables that are missing, or have other columns or comments of columns."""
    there = present_shapes(lake.run, lake.settings, sorted({schema for schema, _ in wanted}))

    def shape(columns: list[TableColumn]) -> dict[str, tuple[str, str]]:
        return {column.name: (column.plain_type, column.comment) for column in columns}

    return [table for table, columns in wanted.items() if shape(there.get(table, [])) != shape(columns)]


@pytest.mark.parametrize(
    "file",
    [pytest.param(file, id=file.stem, marks=[] if file.stem[0].isdigit() else pytest.mark.slow) for file in LAKES],
)
def test_a_lake_of_an_earlier_version_is_brought_to_this_one(lake: ScratchLake, file: Path) -> None:
    wanted = lake_shapes(TableNames.LAKE_TABLES, lake.settings)
    make_earlier(lake, file)
    # The newest release may be as this version wants it.
    assert not_as_wanted(lake, wanted) != [] or file.stem == RELEASED

    # What create_tables of each DAG does.
    create_tables(lake.run, TableNames.LAKE_TABLES, lake.settings)
    bring_up_to_date(lake.run, TableNames.LAKE_TABLES, lake.settings)

    assert not_as_wanted(lake, wanted) == []
    lake.stage("20261124T010203004Z-a.ndjson", LINE % (1, 1) + LINE % (2, 2))
    assert lake.load("run-1").adds_up
    (report,) = lake.model("model-1")
    assert report.sessions_new > 0
    assert sorted(row["message_id"] for row in lake.rows("events")) == ["m-1", "m-2", "old"]
    assert [finding.text() for finding in lake.check("model-1", lake.t.SESSION_TABLES).failures] == []


def make_migrate(lake: ScratchLake, machine: Machine) -> list[str]:
    """The lines that the command prints; it must not fail."""
    python = ENVIRONMENTS / "airflow" / "bin" / "python"
    done = subprocess.run(
        [python if python.exists() else sys.executable, "-m", "tools.migrate"],
        cwd=ROOT, env=environment_of(lake, machine.places), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_make_migrate_does_the_same_outside_airflow_and_then_nothing(lake: ScratchLake, machine: Machine) -> None:
    database, plan = lake.settings.lake_database, read_plan()
    make_earlier(lake, FIRST_SESSIONS)
    # A typed table of before, too: the last column is new.
    first = plan.live[0]
    new = first.shape[-1].name
    typed = (lake.settings.events_database, first.table)
    lake.run("evolution/create_table.sql", altered=typed, table=first.description)
    lake.query(f'alter table "lake"."{lake.settings.events_database}"."{first.table}" drop column {new}')

    done = make_migrate(lake, machine)

    wanted = {**lake_shapes(TableNames.LAKE_TABLES, lake.settings), **wanted_shapes(plan, lake.settings)}
    live = {(lake.settings.events_database, event.table) for event in plan.live}
    assert not_as_wanted(lake, {name: c for name, c in wanted.items() if name[0] == database or name in live}) == []
    assert f"add_column {lake.settings.events_database}.{first.table}.{new}" in done
    assert {line.split()[0] for line in done} >= {"create", "add_column", "comment_table"}
    assert [row["message_id"] for row in lake.rows("events")] == ["old"]
    assert make_migrate(lake, machine) == ["nothing to do: every table is as this version wants it"]


def test_make_migrate_refuses_what_would_lose_values_before_it_does_anything(
    lake: ScratchLake, machine: Machine
) -> None:
    lake.query(f"alter table {lake.t.alarms} add column no_longer_wanted varchar")
    lake.query(f"drop table {lake.t.sessions}")

    with pytest.raises(AssertionError, match=r"alarms: column no_longer_wanted .* is no longer wanted"):
        make_migrate(lake, machine)

    assert (lake.settings.lake_database, "sessions") not in present_shapes(
        lake.run, lake.settings, [lake.settings.lake_database]
    )
