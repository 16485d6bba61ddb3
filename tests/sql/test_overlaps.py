"""Runs that overlap, as a backfill's do with the hourly one: nothing that one wrote is lost to another."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Barrier
from typing import Any

import pytest

from clickstream.engine.evolution import evolve, present_shapes
from clickstream.engine.query import QueryRunner, Result
from clickstream.engine.sql import Statement
from clickstream.engine.table_shape import TableColumn
from local.lake.machine import Machine, scratch_lake
from local.lake.scratch import ScratchLake
from tests.faults.lake import COSTS, TIMES
from tests.sql.probe import PLAN

WRITTEN = (
    "events", "rejects", "discards", "violations", "schema_changes", "load_ledger", "load_runs", "probe",
)  # fmt: skip
# When something was done, what it cost, what a digest of a bucket's name is, and the bucket.
VOLATILE = {"found_at", "recorded_at", "reject_id", *TIMES, *COSTS}


def lines(prefix: str, **members: Any) -> bytes:
    """Two messages, one of which breaks the plan and has a value that is no time, and a line that is none."""
    sent = [
        {"messageId": f"{prefix}{n}", "type": "track", "event": "Probe", "anonymousId": prefix, **members}
        | {"receivedAt": f"2026-11-24T01:00:0{n}Z", "sentAt": "no time", "properties": {"n": value}}
        for n, value in enumerate((1, "no number"))
    ]
    return "".join(f"{json.dumps(message)}\n" for message in sent).encode() + f"no json of {prefix}\n".encode()


def rows(lake: ScratchLake, table: str) -> list[str]:
    """The rows of a table as text, comparable between lakes; of `probe`, the table of that event."""
    found = lake.query(f"select * from {lake.t.typed('probe')}") if table == "probe" else lake.rows(table)
    return sorted(
        json.dumps({name: value for name, value in row.items() if name not in VOLATILE}, default=str, sort_keys=True)
        .replace(lake.settings.staging_bucket, "staging-bucket")
        for row in found
    )  # fmt: skip


@dataclass
class Undoing:
    """Runs statements; right after the first commit to each table, puts back what Glue said of it before.

    Just that an `alter table` does which had read the table before that commit.
    """

    lake: ScratchLake
    undone: set[str] = field(default_factory=set)

    def begin(self) -> None:
        runner = self.lake.runner
        assert isinstance(runner, QueryRunner)
        run_once = runner._run_once

        def run_and_undo(statement: Statement) -> Result:
            name = statement.merged_table.replace('"', "")
            if not name or name in self.undone:
                return run_once(statement)
            _, database, table = name.split(".")
            before = self.lake.glue.get_table(DatabaseName=database, Name=table)["Table"]
            result = run_once(statement)
            if result.changed_rows:
                self.undone.add(name)
                kept = {"Name", "TableType", "Parameters", "StorageDescriptor", "Description"}
                entry = {key: value for key, value in before.items() if key in kept}
                self.lake.glue.update_table(DatabaseName=database, TableInput=entry)
            return result

        runner._run_once = run_and_undo  # type: ignore[method-assign]


@pytest.fixture(scope="module")
def undisturbed(machine: Machine) -> ScratchLake:
    """A lake that one run loaded."""
    lake = scratch_lake(machine)
    lake.stage("20261124T010203004Z-a.ndjson", lines("m"))
    lake.load("run-1", plan=PLAN)
    return lake


@pytest.fixture(scope="module")
def undone(machine: Machine) -> tuple[ScratchLake, set[str]]:
    """A lake of which a run's first commit to each table was undone; those tables."""
    lake = scratch_lake(machine)
    lake.stage("20261124T010203004Z-a.ndjson", lines("m"))
    undoing = Undoing(lake)
    undoing.begin()
    assert lake.load("run-1", plan=PLAN).adds_up
    return lake, {name.rpartition(".")[2] for name in undoing.undone}


@pytest.mark.promise("P1", "P6")
@pytest.mark.scenario("X41")
@pytest.mark.parametrize("table", WRITTEN)
def test_a_commit_that_a_change_of_the_table_undid_is_made_again(
    undone: tuple[ScratchLake, set[str]], undisturbed: ScratchLake, table: str
) -> None:
    lake, tables = undone

    assert table in tables
    assert rows(lake, table) == rows(undisturbed, table) != []


@dataclass
class AtOnce:
    """Two lakes in one: the second sees the first one's tables and staging folder, on a connection of its own."""

    first: ScratchLake
    second: ScratchLake

    @classmethod
    def of(cls, machine: Machine) -> "AtOnce":
        lake = scratch_lake(machine)
        return cls(lake, ScratchLake(lake.settings, lake.s3, lake.glue, machine.runner()))


@pytest.fixture(scope="module")
def both(machine: Machine) -> ScratchLake:
    """A lake that two runs loaded at once, each an object of its own, both with keys that were never met."""
    at_once = AtOnce.of(machine)
    lake = at_once.first
    probe = PLAN.live[0]
    lake.run(
        "evolution/create_table.sql", altered=(lake.settings.events_database, probe.table), table=probe.description
    )
    taken = []
    for name in "ab":
        lake.stage(f"20261124T010203004Z-{name}.ndjson", lines(name, never_met={"x": name}))
        taken.append(lake.take(f"run-{name}").only(lambda item, name=name: f"Z-{name}." in item.path))
    with ThreadPoolExecutor(2) as pool:
        loads = [
            pool.submit(one.load, manifest.run_id, manifest, PLAN)
            for one, manifest in zip((lake, at_once.second), taken, strict=True)
        ]
        assert [load.result(300).adds_up for load in loads] == [True, True]
    return lake


# What a table has of each run: distinct values of the column, and their number.
OF_TWO_RUNS = {
    "events": ("message_id", 4),
    "rejects": ("line", 2),
    "discards": ("message_id || column_name", 6),
    "violations": ("message_id", 2),
    "load_ledger": ("source_path || run_id", 2),
    "load_runs": ("run_id", 2),
    "probe": ("message_id", 4),
}


@pytest.mark.promise("P1", "P2")
@pytest.mark.scenario("X13")
@pytest.mark.parametrize("table", WRITTEN)
def test_two_runs_that_commit_at_once_lose_nothing(both: ScratchLake, undisturbed: ScratchLake, table: str) -> None:
    if table == "schema_changes":
        met = [json.loads(row)["path"] for row in rows(both, table)]
        before = [json.loads(row)["path"] for row in rows(undisturbed, table)]
        assert sorted(met) == sorted([*before, "$.never_met"])
        return
    column, count = OF_TWO_RUNS[table]
    name = both.t.typed(table) if table == "probe" else getattr(both.t, table)

    found = both.query(f"select count(*) as n, count(distinct {column}) as differing from {name}")

    assert found == [{"n": count, "differing": count}]


ROUNDS = 5


def columns(count: int) -> list[TableColumn]:
    return [TableColumn(f"new_{number}", "varchar", f"New {number}.") for number in range(count)]


@pytest.mark.promise("P1", "P6")
@pytest.mark.scenario("X41")
def test_columns_that_two_runs_add_beside_the_commits_of_both_cost_no_row_and_no_column(
    machine: Machine, lake: ScratchLake
) -> None:
    """Each round the table gains three columns, which both runs add and then write to; a third run writes beside."""
    database = lake.settings.lake_database
    name, table = (database, "discards"), lake.t.discards
    together = Barrier(2)
    own = present_shapes(lake.run, lake.settings, [database])[name]

    def write(runner: QueryRunner, message_id: str, column: str) -> None:
        runner.run(
            Statement(
                f"merge into {table} as target using (values '{message_id}') as source (id) "
                f"on target.message_id = source.id "
                f"when not matched then insert (message_id, {column}) values (source.id, source.id)"
            )
        )

    def run(number: int) -> Iterator[str]:
        one = ScratchLake(lake.settings, lake.s3, lake.glue, machine.runner())
        for round_number in range(ROUNDS):
            wanted = {name: [*own, *columns(3 * (round_number + 1))]}
            together.wait(400)
            evolve(one.run, wanted, present_shapes(one.run, one.settings, [database]), one.settings)
            write(one.runner, f"{number}-{round_number}", f"new_{3 * round_number + 2}")
            yield f"{number}-{round_number}"

    def beside() -> Iterator[str]:
        runner = machine.runner()
        for number in range(2 * ROUNDS):
            write(runner, f"beside-{number}", "value")
            yield f"beside-{number}"

    def in_turn(begin: Callable[[], Iterator[str]]) -> list[str]:
        return list(begin())

    with ThreadPoolExecutor(3) as pool:
        done = [pool.submit(in_turn, begin) for begin in (lambda: run(0), lambda: run(1), beside)]
        written = [message_id for one in done for message_id in one.result(400)]

    assert sorted(row["message_id"] for row in lake.rows("discards")) == sorted(written)
    there = present_shapes(lake.run, lake.settings, [database])[name]
    assert sorted(column.name for column in there) == sorted(column.name for column in [*own, *columns(3 * ROUNDS)])


def loaded_of_each(lake: ScratchLake, table: str, column: str, rows: str) -> dict[str, int]:
    """How many rows of `events` a table says of each object that has some."""
    found = lake.query(f"select {column} as path, {rows} as loaded from {getattr(lake.t, table)} group by {column}")
    return {row["path"]: row["loaded"] for row in found if row["loaded"]}


def check_that_the_ledger_is_of_the_table(lake: ScratchLake, *run_ids: str) -> None:
    in_ledger = loaded_of_each(lake, "load_ledger", "source_path", "sum(rows_loaded)")
    assert in_ledger == loaded_of_each(lake, "events", "source_path", "count(*)")
    for run_id in run_ids:
        assert [finding.text() for finding in lake.check(run_id).failures] == []


@pytest.mark.promise("P1", "P6")
@pytest.mark.scenario("X42")
def test_what_a_killed_run_left_is_counted_as_its_own_modelled_and_not_lost(lake: ScratchLake) -> None:
    """It is killed after `events`; nobody clears it, and the next run takes its object with another. Then it is."""
    lake.stage("20261124T010203004Z-a.ndjson", lines("a"))
    values = lake.unpack("killed", killed := lake.take("killed"))
    lake.load_table("events", values)
    lake.stage("20261124T020203004Z-b.ndjson", lines("b"))

    report = lake.load("next", plan=PLAN)

    assert report.adds_up
    assert (report.rows_read, report.rows_loaded, report.rows_duplicate, report.rows_rejected) == (6, 2, 2, 2)
    check_that_the_ledger_is_of_the_table(lake, "next")
    assert lake.take("none").objects == ()
    assert len(lake.rows("discards")) == 6
    lake.model("model-1")
    assert lake.query(f"select sum(event_count) as n from {lake.t.sessions}") == [{"n": 4}]

    assert lake.load("killed", killed, PLAN).rows_loaded == 2
    check_that_the_ledger_is_of_the_table(lake, "next", "killed")
    again = lake.load("next", lake.take_all("next"), PLAN)
    assert replace(again, spent=report.spent, dollars=report.dollars) == report
    check_that_the_ledger_is_of_the_table(lake, "next", "killed")
    assert len(lake.rows("discards")) == 6


@pytest.mark.promise("P1")
def test_rows_of_another_run_that_the_ledger_does_not_have_are_found(lake: ScratchLake) -> None:
    lake.stage("20261124T010203004Z-a.ndjson", lines("a"))
    lake.load("first")
    lake.load("again", lake.take_all("again"))
    lake.query(f"delete from {lake.t.load_ledger} where run_id = 'first'")

    (finding,) = lake.check("again").failures

    assert finding.check.name == "events.rows_agree_with_the_ledger"
    assert "load_run_id=first" in finding.text()


@pytest.mark.promise("P1", "P2")
@pytest.mark.scenario("X43")
def test_an_object_that_is_staged_under_two_names_is_rejected_once(lake: ScratchLake) -> None:
    """As S3's event names it, to the millisecond, and as reconcile_raw does, by the time of the listing.

    One object has both names at once, one that of S3 first, one that of reconcile_raw first.
    """
    runs = {
        "run-0": ["S3 once", "reconcile once", "S3 before", "reconcile early"],
        "run-1": ["reconcile before", "S3 early"],
    }
    for run_id, names in runs.items():
        for name in names:
            by, _, which = name.partition(" ")
            staged_at = "20261124T010203004Z" if by == "S3" else "20261124T010158000Z"
            lake.stage(f"{staged_at}-raw_{which}.ndjson", lines(which) + f"no json of {which}\n\n".encode())
        if run_id == "run-1":
            # Others have the same line.
            for which in ("once", "before", "early"):
                lake.stage(f"20261124T010203004Z-raw_other-{which}.ndjson", f"no json of {which}\n".encode())
        assert lake.load(run_id).adds_up

    lake.load("run-again", lake.take_all("run-again"))

    rejected = [(row["reason"], row["line"]) for row in lake.rows("rejects")]
    lines_of_one = [("blank", ""), *[("not_json", "no json of {}")] * 3]
    assert sorted(rejected) == sorted(
        (reason, line.format(which)) for which in ("once", "before", "early") for reason, line in lines_of_one
    )
    assert len({row["reject_id"] for row in lake.rows("rejects")}) == 12
    check_that_the_ledger_is_of_the_table(lake, *runs, "run-again")


@pytest.mark.promise("P1")
def test_a_lost_line_of_an_object_under_two_names_is_found(lake: ScratchLake) -> None:
    for name in ("20261124T010203004Z-raw_a.ndjson", "20261124T010158000Z-raw_a.ndjson"):
        lake.stage(name, lines("a"))
    lake.load("run-1")
    lake.query(f"delete from {lake.t.rejects}")

    (finding,) = lake.check("run-1").failures

    assert finding.check.name == "rejects.rows_agree_with_the_ledger"
    assert len(finding.rows) == 2
