"""Tables of an earlier version get the columns of this one, on real Trino."""

import threading
from functools import partial
from typing import Any

import pytest

from clickstream.evolution import evolve, lake_shapes, present_shapes
from clickstream.sql import Statement, TableNames
from clickstream.table_shape import Change, DestructiveChangeError, TableColumn
from tests.machine import Machine
from tests.scratch import ScratchLake

PATHS = [f"lake/{table}/create.sql" for table in TableNames.LOAD_TABLES]
LINE = b'{"messageId":"m-%d","type":"track","event":"A","context":{"locale":"ko-KR","screen":{"width":3}}}\n'


def bring_up_to_date(lake: ScratchLake) -> list[Change]:
    wanted = lake_shapes(PATHS, lake.settings)
    return evolve(lake.run, wanted, present_shapes(lake.run, lake.settings, [lake.settings.lake_database]))


def shape(lake: ScratchLake, table: str) -> list[TableColumn]:
    return present_shapes(lake.run, lake.settings, [lake.settings.lake_database])[(lake.settings.lake_database, table)]


def make_older(lake: ScratchLake, table: str, *columns: str) -> None:
    for column in columns:
        lake.query(f"alter table {lake.t.lake(table)} drop column {column}")


def test_tables_of_an_earlier_version_take_new_columns_and_keep_their_rows(lake: ScratchLake) -> None:
    wanted = {column.name: column for column in shape(lake, "events")}
    make_older(lake, "events", "context_locale", "context_screen_width")
    make_older(lake, "load_runs", "rows_by_delay")
    lake.query(
        f"insert into {lake.t.events} (message_id, received_at) values ('old', timestamp '2026-11-24 00:00 UTC')"
    )

    done = bring_up_to_date(lake)

    assert sorted(change.column.name for change in done) == ["context_locale", "context_screen_width", "rows_by_delay"]
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


def test_columns_come_beside_running_loads(lake: ScratchLake, machine: Machine) -> None:
    make_older(lake, "events", "context_locale", "context_timezone", "context_channel")
    failures: list[Any] = []

    def insert(number: int) -> None:
        runner = machine.runner()
        for turn in range(4):
            text = (
                f"merge into {lake.t.events} as t using (values 'n-{number}-{turn}') as s (id) on t.message_id = s.id"
            )
            text += " when not matched then insert (message_id) values (s.id)"
            try:
                runner.run(Statement(text))
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=partial(insert, number)) for number in range(3)]
    for thread in threads:
        thread.start()
    done = bring_up_to_date(lake)
    for thread in threads:
        thread.join(timeout=300)

    assert len(done) == 3
    assert failures == []
    assert len(lake.rows("events")) == 12
