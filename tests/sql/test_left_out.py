"""A message with which a statement fails, planted in the engine: the others load, and it has its place."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from clickstream.engine import failures
from clickstream.engine.query import Result
from clickstream.engine.sql import Statement
from clickstream.load import left_out
from clickstream.load.unreadable import copy_key
from clickstream.plan.file import parse_plan
from local.lake.machine import Machine, scratch_lake
from local.lake.scratch import ScratchLake

pytestmark = [pytest.mark.promise("P1", "P5"), pytest.mark.scenario("X40")]

PLAN = parse_plan(
    """
version: 1
events:
  Paid: {description: Paid., owner: shop, status: live, sources: [web], properties: {total: {type: number}}}
""",
    "plan.yaml",
)
FAIL = "cast(json_parse('no json') as bigint)"


def message(message_id: str, step: str = "") -> dict[str, Any]:
    """A message; with a step, one with which it fails."""
    return {
        "messageId": message_id,
        "type": "track",
        "event": "Paid",
        # No column by which tables are joined: Trino would look for it on both sides.
        "userId": f"bad-{step}" if step else "u",
        "timestamp": "2026-11-24T12:00:00Z",
        "receivedAt": "2026-11-24T12:00:00Z",
        # A value that does not fit its column and a key of its own, so that the message is in every table.
        "context": {"screen": {"width": "wide"}},
        message_id: True,
        "properties": {"total": 1},
    }


def stage(lake: ScratchLake, name: str, messages: list[dict[str, Any]]) -> None:
    lake.stage(f"20261124T120000000Z-{name}.ndjson", "".join(json.dumps(one) + "\n" for one in messages).encode())


def rows(lake: ScratchLake, table: str, columns: str, run_id: str) -> list[tuple[Any, ...]]:
    found = lake.query(f"select {columns} from {getattr(lake.t, table)} where load_run_id = '{run_id}'")
    return sorted(tuple(row.values()) for row in found)


def ids(lake: ScratchLake, table: str, run_id: str) -> set[str]:
    return {message_id for (message_id,) in rows(lake, table, "message_id", run_id)}


def bad(column: str, step: str) -> str:
    """A condition that holds, and fails for the bad messages of a step."""
    return f"if(strpos(coalesce({column}, ''), 'bad-{step}') > 0, {FAIL}, 1) = 1"


# By step: the file, a part of its text, and what stands there instead.
EDITS: dict[str, tuple[str, str, str]] = {
    "unpack": (
        "work/batch/load.sql",
        "cross join suppressed_ids\n",
        f"cross join suppressed_ids where {bad('line', 'unpack')}\n",
    ),
    "events": (
        "lake/events/load.sql",
        "where batch.received_at between",
        f"where {bad('batch.user_id', 'events')} and batch.received_at between",
    ),
    "discards": (
        "lake/discards/load.sql",
        "cardinality(batch.discarded) > 0",
        f"{bad('batch.user_id', 'discards')} and cardinality(batch.discarded) > 0",
    ),
    "schema_changes": (
        "lake/schema_changes/find.sql",
        "where shape is not null",
        f"where shape is not null and {bad('user_id', 'schema_changes')}",
    ),
    "load_ledger": (
        "lake/load_ledger/load.sql",
        "batch.reject_reason,\n",
        f"if({bad('batch.user_id', 'load_ledger')}, batch.reject_reason) as reject_reason,\n",
    ),
    "rejects": (
        "lake/rejects/load.sql",
        "reject_reason is not null\n",
        f"reject_reason is not null and {bad('rejected_line', 'rejects')}\n",
    ),
}
OF_MESSAGES = [step for step in EDITS if step != "rejects"]


@pytest.fixture(scope="module")
def lake(machine: Machine) -> Iterator[ScratchLake]:
    """Its statements fail for the messages of EDITS."""
    lake, met = scratch_lake(machine), set()
    run = lake.runner.run_unchecked

    def run_planted(statement: Statement) -> Result:
        text = statement.text
        for file, old, new in EDITS.values():
            if statement.path == file:
                assert old in text, f"{old!r} is not in {file}"
                text = text.replace(old, new, 1)
                met.add(file)
        return run(replace(statement, text=text))

    lake.runner.run_unchecked = run_planted  # type: ignore[method-assign]
    yield lake
    assert met == {file for file, _, _ in EDITS.values()}


def test_the_one_message_of_a_load_with_which_events_fails_is_left_out(lake: ScratchLake) -> None:
    stage(lake, "only", [message("only", "events")])

    report = lake.load("only", plan=PLAN)

    assert report.adds_up
    assert (report.rows_loaded, report.rejected_by_reason) == (0, {"load_failed": 1})
    assert ids(lake, "events", "only") == ids(lake, "discards", "only") == set()
    assert [finding.check.name for finding in lake.check("only").failures] == []


def test_those_with_which_unpacking_or_events_fails_are_left_out_wherever_they_are(lake: ScratchLake) -> None:
    many = [message(f"lot-{number}") for number in range(30)]
    few = [message(f"good-{number}") for number in range(2)]
    stage(lake, "lot", [*many[:15], message("among", "events"), *many[15:]])
    stage(lake, "alone", [message("alone", "unpack")])
    stage(lake, "ends", [message("first", "unpack"), *few, message("last", "unpack")])

    report = lake.load("places", plan=PLAN)

    assert report.adds_up
    rejects = rows(lake, "rejects", "reason, line", "places")
    assert {json.loads(line)["messageId"] for _, line in rejects} == {"among", "alone", "first", "last"}
    assert (report.rows_loaded, report.rejected_by_reason) == (32, {"load_failed": 4})
    good = {one["messageId"] for one in (*many, *few)}
    assert ids(lake, "events", "places") == ids(lake, "discards", "places") == good
    assert [finding.check.name for finding in lake.check("places").failures] == []


# The last one: what the ledger does not count, the checks of later runs of the hour find too.
def test_each_step_leaves_out_its_own_and_loads_all_others(lake: ScratchLake) -> None:
    stage(lake, "some", [message("good-a"), *(message(step, step) for step in OF_MESSAGES)])
    stage(lake, "others", [message("good-b")])
    broken = lake.stage("20261124T120000000Z-broken.ndjson", b"no json\nno json of bad-rejects\n")

    report = lake.load("each", plan=PLAN)

    assert report.adds_up
    assert set(report.tables_failed) == set(EDITS)
    assert all("INVALID_FUNCTION_ARGUMENT (query " in reason for reason in report.tables_failed.values())
    rejects = rows(lake, "rejects", "reason, line", "each")
    assert [(reason, json.loads(line)["messageId"]) for reason, line in rejects if reason == "load_failed"] == [
        ("load_failed", "events"),
        ("load_failed", "unpack"),
    ]
    # A line that is not even kept as rejected is in the copy of its object.
    assert rejects[2:] == [("not_json", "no json")]
    copy = lake.s3.get_object(Bucket=lake.settings.lake_bucket, Key=copy_key(broken))["Body"].read()
    assert copy.endswith(b"no json of bad-rejects\n")
    assert ids(lake, "events", "each") == {"good-a", "good-b", "discards", "schema_changes", "load_ledger"}
    assert ids(lake, "discards", "each") == {"good-a", "good-b", "schema_changes", "load_ledger"}
    new_keys = {path for (path,) in rows(lake, "schema_changes", "path", "each")}
    assert new_keys == {'$["good-a"]', '$["good-b"]', "$.discards", "$.load_ledger"}
    # A message that the ledger does not count is one that the table has more, a line that rejects does not have is one
    # that the ledger counts: their checks say so.
    assert (report.rows_loaded, report.rows_rejected) == (4, 4)
    assert [finding.check.name for finding in lake.check("each").failures] == [
        "events.rows_agree_with_the_ledger",
        "rejects.rows_agree_with_the_ledger",
    ]


@pytest.mark.slow
def test_of_an_object_with_more_than_a_few_all_messages_are_left_out(
    lake: ScratchLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (failures, left_out):
        monkeypatch.setattr(module, "MOST_LEFT_OUT", 2)
    many = [message(f"many-{number}", "events" if number else "") for number in range(6)]
    few = [message(f"few-{number}", "discards" if number else "") for number in range(6)]
    stage(lake, "many", many)
    stage(lake, "few", few)
    stage(lake, "other", [message(f"other-{number}") for number in range(3)])

    report = lake.load("many", plan=PLAN)

    assert report.adds_up
    assert (report.rows_loaded, report.rejected_by_reason) == (9, {"load_failed": 6})
    rejects = rows(lake, "rejects", "reason, line", "many")
    assert {json.loads(line)["messageId"] for _, line in rejects} == {one["messageId"] for one in many}
    # What was written while the messages were looked for stays.
    assert ids(lake, "discards", "many") >= {f"other-{number}" for number in range(3)}
    assert not ids(lake, "discards", "many") & {one["messageId"] for one in few[1:]}
    assert report.tables_failed["discards"].startswith("6 lines were left out")
