"""A lake that an earlier version made is brought to this one: its rows stay, and it loads, models and checks.

Each file of earlier_lakes has what an earlier version's create.sql files rendered to. At a release, its own is added.
"""

from pathlib import Path

import pytest

from clickstream.evolution import evolve, lake_comments, lake_shapes, present_shapes, renew_comments
from clickstream.sql import TableNames
from tests.scratch import ScratchLake

LAKES = sorted((Path(__file__).parent / "earlier_lakes").glob("*.sql"), key=lambda file: file.name)
CREATES = [f"lake/{table}/create.sql" for table in TableNames.LAKE_TABLES]
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


@pytest.mark.parametrize("file", LAKES, ids=lambda file: file.stem)
def test_a_lake_of_an_earlier_version_is_brought_to_this_one(lake: ScratchLake, file: Path) -> None:
    database = lake.settings.lake_database
    wanted = lake_shapes(CREATES, lake.settings)
    make_earlier(lake, file)

    # What create_tables of each DAG does.
    for path in CREATES:
        lake.run(path)
    evolve(lake.run, wanted, present_shapes(lake.run, lake.settings, [database]))
    renew_comments(lake.run, lake_comments(CREATES, lake.settings), lake.settings)

    there = present_shapes(lake.run, lake.settings, [database])
    for table, columns in wanted.items():
        assert {c.name: (c.plain_type, c.comment) for c in there[table]} == {
            c.name: (c.plain_type, c.comment) for c in columns
        }, table
    lake.stage("20261124T010203004Z-a.ndjson", LINE % (1, 1) + LINE % (2, 2))
    assert lake.load("run-1").adds_up
    (report,) = lake.model("model-1")
    assert report.sessions_new > 0
    assert sorted(row["message_id"] for row in lake.rows("events")) == ["m-1", "m-2", "old"]
    assert [finding.text() for finding in lake.check("model-1", lake.t.SESSION_TABLES).failures] == []
