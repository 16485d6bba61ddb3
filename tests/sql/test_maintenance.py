"""Maintenance on real Trino: the rows stay, files and snapshots go, and loads go on beside it."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from trino.exceptions import TrinoQueryError

from clickstream.aws.glue import last_changes
from clickstream.aws.s3 import list_staged
from clickstream.engine.evolution import create_lines
from clickstream.engine.retention import kept_days, kept_since, limited_tables
from clickstream.engine.sql import LINES, Statement, TableNames, instant_literal, lake_tables, literal, render
from clickstream.engine.tables import Table
from clickstream.load.manifest import Manifest
from clickstream.load.parts import with_received
from clickstream.load.report import RunReport
from clickstream.plan.file import read_plan
from clickstream.settings import Settings
from clickstream.upkeep.maintenance import Upkeep, maintain, stray_batches
from clickstream.upkeep.retention import WARNED_FOR, remove_past
from clickstream.watch.alarms import NEAR_END, REJECTS_NEAR_END, KeptAlarm, Notice
from clickstream.window import INSTANT, Bounds
from local.lake.machine import Machine, lake_with_tables_of, scratch_lake
from local.lake.scratch import ScratchLake

NOW = datetime.now(UTC)
LOADS = 2
KEYS = {"events": "message_id", "rejects": "reject_id", "load_ledger": "source_path"}


def stage(lake: ScratchLake, number: int) -> None:
    """An object of two days ago: six events of a closed hour, three of this hour, one reject."""
    hours = [*[NOW - timedelta(days=2)] * 6, *[NOW] * 3]
    lines = [
        json.dumps({"messageId": f"m{number}-{n}", "type": "track", "receivedAt": at.isoformat()})
        for n, at in enumerate(hours)
    ]
    staged_at = NOW - timedelta(days=2) + timedelta(seconds=number)
    body = "".join(f"{line}\n" for line in [*lines, "not json"])
    lake.stage(f"{staged_at:%Y%m%dT%H%M%S000}Z-{number}.ndjson", body.encode())


def load(lake: ScratchLake, number: int) -> RunReport:
    stage(lake, number)
    return lake.load(f"run-{number}")


def keep(lake: ScratchLake, table: str, retention: timedelta = timedelta(days=7)) -> Upkeep:
    name, parts = (lake.settings.lake_database, table), lake_tables()[table].partitioned_by
    return maintain(lake.run, name, parts, datetime.now(UTC), retention)


def contents(lake: ScratchLake, table: str) -> list[dict[str, Any]]:
    return sorted(lake.rows(table), key=lambda row: row[KEYS[table]])


def allow_any_retention(lake: ScratchLake) -> None:
    """For the one Trino session in which nothing else writes: the server's floor of 7 days is for the others."""
    for name in ("expire_snapshots_min_retention", "remove_orphan_files_min_retention"):
        lake.query(f"set session {lake.settings.lake_catalog}.{name} = '0s'")


def refused(caplog: pytest.LogCaptureFixture) -> int:
    """How often a commit was refused, and retried, since another got in between."""
    return len([record for record in caplog.records if "retried" in record.getMessage()])


@pytest.fixture(scope="module")
def source(machine: Machine) -> ScratchLake:
    lake = scratch_lake(machine)
    for number in range(LOADS):
        assert load(lake, number).rows_loaded == 9
    return lake


@pytest.fixture
def loaded(machine: Machine, source: ScratchLake) -> ScratchLake:
    """Tables of the test's own; their files are shared, so none may be removed."""
    return lake_with_tables_of(machine, source)


@pytest.mark.parametrize("table", KEYS)
def test_closed_partitions_become_one_file_and_the_rows_stay(loaded: ScratchLake, table: str) -> None:
    before = contents(loaded, table)

    upkeep = keep(loaded, table)
    again = keep(loaded, table)

    print(upkeep.text())
    open_files = LOADS if table == "events" else 0
    assert contents(loaded, table) == before
    assert (upkeep.before.files, upkeep.after.files) == (LOADS + open_files, 1 + open_files)
    assert upkeep.rewritten_files == LOADS
    assert upkeep.after.bytes < upkeep.before.bytes
    assert upkeep.after.snapshots == upkeep.before.snapshots + 1, "none is older than 7 days"
    assert (again.rewritten_files, again.after) == (0, again.before)


@pytest.mark.parametrize("table", ["discards", "quarantine"])
def test_tables_that_are_seldom_written_are_maintained_too(lake: ScratchLake, table: str) -> None:
    for number in range(3):
        clock = "received_at" if table == "discards" else "staged_at"
        at = instant_literal(NOW - timedelta(days=3))
        lake.query(f"insert into {lake.t.lake(table)} (source_path, {clock}) values ('{number}', {at})")

    upkeep = keep(lake, table)

    assert (upkeep.before.files, upkeep.after.files) == (3, 1)
    assert sorted(row["source_path"] for row in lake.rows(table)) == ["0", "1", "2"]


def test_the_table_of_an_event_is_maintained_too(lake: ScratchLake) -> None:
    event = read_plan().with_table[0]
    name = (lake.settings.events_database, event.table)
    lake.run("evolution/create_table.sql", altered=name, table=event.description)
    for number in range(3):
        at = instant_literal(NOW - timedelta(days=3))
        lake.query(f"insert into {lake.t.typed(event.table)} (message_id, received_at) values ('{number}', {at})")

    upkeep = maintain(lake.run, name, event.description.partitioned_by, datetime.now(UTC), timedelta(days=7))

    assert (upkeep.table, upkeep.before.files, upkeep.after.files) == (event.table, 3, 1)
    assert len(lake.query(f"select * from {lake.t.typed(event.table)}")) == 3


class Planted:
    """A table with four rows: two older than it keeps them, one of the first instant that it keeps, and one of now."""

    def __init__(self, lake: ScratchLake, name: tuple[str, str], table: Table) -> None:
        self.lake, self.name, self.table = lake, name, table
        self.t = lake.t.evolving(name)
        self.days = kept_days(table, replace(lake.settings, retention="events=35,sessions=35")) or 0
        self.since = kept_since(NOW, self.days)
        self.key, self.clock = table.columns[0].name, table.retention.after
        self.insert(
            {
                "old": self.since - timedelta(days=30),
                "older by an instant": self.since - INSTANT,
                "kept": self.since,
                "new": NOW,
            }
        )

    def insert(self, instants: dict[str, datetime], **others: str) -> None:
        """One row each; the columns of the clock and of the partitions have the same instant."""
        partition = self.table.partitioned_by
        columns = {self.clock, partition.column if partition else self.clock}
        fixed = {self.table.retention.blank: "'a value'"} if self.table.retention.blank else {}
        if self.table.name == "rejects":
            fixed = {"reason": "'not_json'", "redriven_at": "current_timestamp"}
        fixed |= others
        listed = ", ".join((self.key, *columns, *fixed))
        rows = [
            ", ".join((literal(key), *[f"timestamp '{at:%Y-%m-%d %H:%M:%S.%f} UTC'"] * len(columns), *fixed.values()))
            for key, at in instants.items()
        ]
        self.lake.query(f"insert into {self.t} ({listed}) values ({'), ('.join(rows)})")

    def remove(self) -> int:
        return remove_past(self.lake.run, self.name, self.table, self.days, NOW).rows

    def left(self) -> set[str]:
        """The rows that are there, less those of which the value is gone."""
        kept = f"where {self.table.retention.blank} is not null" if self.table.retention.blank else ""
        return {row[self.key] for row in self.lake.query(f"select {self.key} from {self.t} {kept}")}

    @property
    def delete_files(self) -> int:
        files = self.lake.t.metadata(self.name, "files")
        (row,) = self.lake.query(f"select count_if(content <> 0) as number from {files}")
        return row["number"]


@pytest.mark.scenario("X51")
def test_rows_older_than_their_table_keeps_them_go_and_no_others(lake: ScratchLake) -> None:
    """In each table that has a retention, and in one of an event, with the statements of maintain_tables."""
    event = read_plan().with_table[0]
    typed = (lake.settings.events_database, event.table)
    lake.run("evolution/create_table.sql", altered=typed, table=event.description)
    tables = {(lake.settings.lake_database, name): lake_tables()[name] for name in limited_tables()}

    for name, table in {**tables, typed: event.description}.items():
        planted = Planted(lake, name, table)
        removed = planted.remove(), planted.left(), planted.delete_files
        assert removed == (2, {"kept", "new"}, 0), table.name
        assert planted.remove() == 0, table.name
    assert len(lake.rows("schema_changes")) == 4, "a key that was met stays known"


@pytest.mark.scenario("X51")
def test_a_rejected_line_that_nobody_sent_again_goes_only_after_a_week_of_its_alarm(lake: ScratchLake) -> None:
    rejects = Planted(lake, (lake.settings.lake_database, "rejects"), lake_tables()["rejects"])
    never, waits = rejects.since - timedelta(days=1), rejects.since + timedelta(days=13)
    rejects.insert({"open": never, "open, and ends soon": waits}, redriven_at="null")
    rejects.insert({"blank": never}, redriven_at="null", reason="'blank'")

    assert rejects.remove() == 3
    assert rejects.left() == {"kept", "new", "open", "open, and ends soon"}

    ending = lake.run("lake/rejects/ending.sql", rejected_before=rejects.since + NEAR_END).rows
    assert ending == [{"ending_lines": 2, "first_rejected_at": never}]
    opened = Notice(
        KeptAlarm(REJECTS_NEAR_END, "", "warning", "2 lines", {}, NOW - WARNED_FOR, NOW, None), False, ("log",)
    )
    lake.run("lake/alarms/load.sql", alarm=opened.kept)
    assert rejects.remove() == 0, "nobody was notified"
    lake.run("lake/alarms/load.sql", alarm=opened.after(["log"], NOW - WARNED_FOR))
    assert rejects.remove() == 1
    assert rejects.left() == {"kept", "new", "open, and ends soon"}


def test_trino_itself_refuses_to_forget_the_last_7_days(loaded: ScratchLake) -> None:
    with pytest.raises(TrinoQueryError, match="shorter than the minimum retention"):
        keep(loaded, "events", timedelta(days=6))


@pytest.mark.parametrize("path", ["maintenance/figures.sql", "maintenance/compact.sql"])
def test_a_table_that_is_not_there_has_an_error_of_its_own(machine: Machine, path: str) -> None:
    settings = Settings(staging_bucket="a", lake_bucket="b", crawler="c", database_prefix="nowhere")
    values = {
        "altered": ("nowhere", "events"),
        "partition_column": "received_at",
        "closed_before": NOW.replace(minute=0, second=0),
    }

    with pytest.raises(TrinoQueryError) as failure:
        machine.runner().run(render(path, settings, values))

    assert failure.value.error_name in {"TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND"}


@pytest.mark.promise("P2", "P3")
@pytest.mark.slow
def test_loads_and_maintenance_beside_each_other_both_end_well(
    machine: Machine, loaded: ScratchLake, caplog: pytest.LogCaptureFixture
) -> None:
    """Every load adds to the partitions that are being compacted."""
    caplog.set_level(logging.INFO, "clickstream.engine.query")
    beside = ScratchLake(loaded.settings, loaded.s3, loaded.glue, machine.runner())
    numbers = range(LOADS, LOADS + 3)

    with ThreadPoolExecutor(1) as pool:
        loads = pool.submit(lambda: [load(beside, number) for number in numbers])
        rounds = 0
        while not loads.done():
            for table in TableNames.LOAD_TABLES:
                keep(loaded, table)
            rounds += 1

    print(f"{rounds} rounds beside {len(numbers)} loads, commits refused {refused(caplog)} times")
    assert rounds >= 1
    assert {(report.rows_loaded, report.rows_rejected, report.unaccounted) for report in loads.result()} == {(9, 1, 0)}
    everything = [*range(LOADS), *numbers]
    assert [row["message_id"] for row in contents(loaded, "events")] == sorted(
        f"m{number}-{n}" for number in everything for n in range(9)
    )
    assert len(loaded.rows("rejects")) == len(loaded.rows("load_ledger")) == len(everything)
    assert loaded.check(f"run-{everything[-1]}").failures == ()


@pytest.mark.promise("P2")
def test_a_cleared_run_updates_the_rows_that_are_being_compacted_and_loses_none(
    machine: Machine, source: ScratchLake, loaded: ScratchLake, caplog: pytest.LogCaptureFixture
) -> None:
    """An update marks rows of the very files that a compaction replaces: one of the two has to be refused."""
    caplog.set_level(logging.INFO, "clickstream.engine.query")
    settings = replace(loaded.settings, staging_bucket=source.settings.staging_bucket)
    beside = ScratchLake(settings, loaded.s3, loaded.glue, machine.runner())
    create_lines(beside.run, LINES, settings)
    staged, _ = list_staged(source.s3, source.settings)
    values: dict[str, Any] = {"run_id": "run-0", "manifest": Manifest("run-0", tuple(staged))}
    beside.run("work/batch/load.sql", **values)
    values["window"] = with_received(beside.run, values["manifest"], "run-0")[0].batch
    values["bounds"] = values["window"].widened(timedelta(days=30))
    values["staged"] = Bounds(staged[0].staged_at, staged[-1].staged_at)
    instants = [NOW + timedelta(seconds=number) for number in range(5)]

    with ThreadPoolExecutor(1) as pool:
        updates = pool.submit(lambda: [beside.run("lake/load_ledger/load.sql", now=now, **values) for now in instants])
        rounds = 0
        while not updates.done():
            keep(loaded, "load_ledger")
            rounds += 1
    updates.result()

    print(f"{rounds} rounds beside {len(instants)} updates, commits refused {refused(caplog)} times")
    ledger = [row for row in contents(loaded, "load_ledger") if row["run_id"] == "run-0"]
    assert [row["source_path"] for row in ledger] == sorted(item.path for item in staged)
    assert {row["loaded_at"] for row in ledger} == {instants[-1]}
    assert len(loaded.rows("load_ledger")) == LOADS + LOADS - 1


def test_a_batch_that_a_failed_run_left_is_dropped_and_nothing_else(machine: Machine, loaded: ScratchLake) -> None:
    glue, work = machine.client("glue"), loaded.settings.work_database
    stray = loaded.t.batch("run that failed")
    mine = f'{loaded.settings.lake_catalog}.{work}."batch_of_mine"'
    for table in (stray, mine):
        loaded.runner.run(Statement(f"create table {table} as select 1 as a"))
    changed = last_changes(glue, work)

    assert stray_batches(changed, NOW) == []
    names = stray_batches(changed, datetime.now(UTC) + timedelta(days=1, minutes=1))
    for name in names:
        loaded.run("maintenance/drop_stray_batch.sql", batch_table=name)

    assert [f'"{name}"' for name in names] == [stray.rpartition(".")[2]]
    assert [name for name, _ in last_changes(glue, work)] == ["batch_of_mine"]


# The last ones: they remove files that the tests before them share. Each looks at another table.
@pytest.mark.parametrize("table", KEYS)
def test_past_their_retention_snapshots_and_orphans_go_and_the_rows_stay(source: ScratchLake, table: str) -> None:
    before = contents(source, table)
    (row,) = source.query(f'select "$path" as path from {source.t.lake(table)} limit 1')
    folder = row["path"].removeprefix(f"s3://{source.settings.lake_bucket}/").rpartition("/")[0]
    orphan = f"{folder}/left-by-a-killed-write.parquet"
    source.s3.put_object(Bucket=source.settings.lake_bucket, Key=orphan, Body=b"PAR1")

    young = keep(source, table)
    assert young.orphan_files == 0, "it may belong to a write that still runs"
    allow_any_retention(source)
    upkeep = keep(source, table, timedelta(0))

    print(upkeep.text())
    listed = source.s3.list_objects_v2(Bucket=source.settings.lake_bucket, Prefix=folder).get("Contents", [])
    assert orphan not in {item["Key"] for item in listed}
    assert upkeep.orphan_files >= 1
    assert upkeep.after.snapshots == 1
    assert contents(source, table) == before
