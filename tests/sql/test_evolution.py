"""Tables of an earlier version get the columns of this one, on real Trino."""

from dataclasses import replace
from typing import Any

import pytest

from clickstream.engine.evolution import evolve, lake_comments, lake_shapes, present_shapes, renew_comments
from clickstream.engine.query import Result
from clickstream.engine.sql import TableNames
from clickstream.engine.table_shape import Change, DestructiveChangeError, TableColumn
from local.lake.scratch import ScratchLake

LINE = b'{"messageId":"m-%d","type":"track","event":"A","context":{"locale":"ko-KR","screen":{"width":3}}}\n'


def bring_up_to_date(lake: ScratchLake) -> list[Change]:
    wanted = lake_shapes(TableNames.LAKE_TABLES, lake.settings)
    present = present_shapes(lake.run, lake.settings, [lake.settings.lake_database])
    return evolve(lake.run, wanted, present, lake.settings)


def shape(lake: ScratchLake, table: str) -> list[TableColumn]:
    return present_shapes(lake.run, lake.settings, [lake.settings.lake_database])[(lake.settings.lake_database, table)]


def make_older(lake: ScratchLake, table: str, *columns: str) -> None:
    for column in columns:
        lake.query(f"alter table {lake.t.lake(table)} drop column {column}")


def test_tables_of_an_earlier_version_take_new_columns_and_keep_their_rows(lake: ScratchLake) -> None:
    wanted = {column.name: column for column in shape(lake, "events")}
    make_older(lake, "events", "context_locale", "context_screen_width")
    make_older(lake, "load_runs", "rows_by_delay")
    make_older(lake, "sessions", "former_ids")
    make_older(lake, "plan_diff", "example")
    lake.query(
        f"insert into {lake.t.events} (message_id, received_at) values ('old', timestamp '2026-11-24 00:00 UTC')"
    )

    done = bring_up_to_date(lake)

    assert sorted(change.column.name for change in done) == [
        "context_locale", "context_screen_width", "example", "former_ids", "rows_by_delay",
    ]  # fmt: skip
    assert {column.name: column for column in shape(lake, "events")} == wanted
    assert bring_up_to_date(lake) == []
    lake.stage("20261124T010203004Z-a.ndjson", LINE % 1)
    lake.load("run-1")
    rows = {row["message_id"]: (row["context_locale"], row["context_screen_width"]) for row in lake.rows("events")}
    assert rows == {"old": (None, None), "m-1": ("ko-KR", 3.0)}


def test_what_would_lose_values_is_refused_and_nothing_is_changed(lake: ScratchLake) -> None:
    make_older(lake, "events", "context_locale", "is_late")
    lake.query(f"alter table {lake.t.events} add column is_late varchar")
    lake.query(f"alter table {lake.t.load_runs} add column of_another_version bigint")
    before = shape(lake, "events")

    with pytest.raises(DestructiveChangeError) as refused:
        bring_up_to_date(lake)

    schema = lake.settings.lake_database
    assert f"{schema}.events: column is_late is varchar and would become boolean" in str(refused.value)
    assert f"{schema}.load_runs: column of_another_version (bigint)" in str(refused.value)
    assert shape(lake, "events") == before


def test_a_narrower_column_is_widened_with_its_values(lake: ScratchLake) -> None:
    make_older(lake, "load_runs", "objects")
    lake.query(f"alter table {lake.t.load_runs} add column objects integer")
    lake.query(f"insert into {lake.t.load_runs} (run_id, objects) values ('r', 7)")

    kinds = sorted((change.kind.name, change.column.name) for change in bring_up_to_date(lake))

    assert kinds == [("COMMENT", "objects"), ("WIDEN", "objects")]
    assert bring_up_to_date(lake) == []
    assert lake.query(f"select objects + 3000000000 as n from {lake.t.load_runs}") == [{"n": 3000000007}]


def test_a_load_whose_commit_a_new_column_undid_fails_its_run_and_leaves_its_objects_to_be_loaded(
    lake: ScratchLake,
) -> None:
    # Trino alters a table without asking whether Glue's entry moved on meanwhile: see docs/adr/0016-table-evolution.md.
    lake.stage("20261124T010203004Z-a.ndjson", LINE % 1)
    lake.load("before")
    lake.stage("20261124T010203004Z-b.ndjson", LINE % 2 + LINE % 3)
    taken = lake.take("undone")
    undo_after(lake, "lake/events/load.sql", "events")

    undone = lake.load("undone", taken)

    assert not undone.adds_up
    assert "2 rows are nowhere" in undone.text()
    assert [row["message_id"] for row in lake.rows("events")] == ["m-1"]
    assert lake.take("next") == replace(taken, run_id="next")
    assert lake.load("undone", taken).adds_up
    assert sorted(row["message_id"] for row in lake.rows("events")) == ["m-1", "m-2", "m-3"]


def test_a_table_takes_the_comment_that_it_should_have_and_keeps_its_rows(lake: ScratchLake) -> None:
    wanted = lake_comments(TableNames.LAKE_TABLES, lake.settings)
    events = (lake.settings.lake_database, "events")
    lake.stage("20261124T010203004Z-a.ndjson", LINE % 1)
    lake.load("run-1")
    lake.query(f"comment on table {lake.t.events} is 'of an earlier version'")

    assert renew_comments(lake.run, wanted, lake.settings) == [events]

    assert lake.comments()[events] == wanted[events]
    assert renew_comments(lake.run, wanted, lake.settings) == []
    assert [row["message_id"] for row in lake.rows("events")] == ["m-1"]


def undo_after(lake: ScratchLake, path: str, table: str) -> None:
    """The next time this file is run, its commit is gone afterwards, as if another one had replaced it."""
    run = lake.run

    def run_and_undo(ran: str, **values: Any) -> Result:
        result = run(ran, **values)
        if ran == path:
            lake.run = run  # type: ignore[method-assign]
            name = getattr(lake.t, table)
            snapshots = lake.query(f'select parent_id from {name[:-1]}$snapshots" order by committed_at desc limit 1')
            lake.query(f"alter table {name} execute rollback_to_snapshot({snapshots[0]['parent_id']})")
        return result

    lake.run = run_and_undo  # type: ignore[method-assign]
