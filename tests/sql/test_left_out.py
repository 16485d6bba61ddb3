"""A message with which a statement fails, planted in the engine: the others load, and it has its place."""

import json
from dataclasses import replace
from typing import Any

import pytest

from clickstream.engine.query import Result
from clickstream.engine.sql import Statement
from clickstream.plan.file import parse_plan
from tests.machine import Machine, scratch_lake
from tests.scratch import ScratchLake

pytestmark = [pytest.mark.promise("P1", "P5"), pytest.mark.scenario("X40")]

PLAN = parse_plan(
    """
version: 1
events:
  Paid: {description: Paid., owner: shop, status: live, sources: [web], properties: {total: {type: number}}}
  Seen: {description: Seen., owner: shop, status: live, sources: [web], properties: {page: {type: string}}}
""",
    "plan.yaml",
)
FAIL = "cast(json_parse('no json') as bigint)"


def message(case: str, number: int, event: str = "Paid") -> dict[str, Any]:
    """One message; the bad one of a case has the number 0."""
    return {
        "messageId": f"{case}-{number}" if number else f"{case}-bad-0",
        "type": "track",
        "event": event,
        "userId": "u",
        "timestamp": "2026-11-24T12:00:00Z",
        "receivedAt": f"2026-11-24T12:{number % 60:02}:00Z",
        # A value that does not fit its column and a key of its own, so that the message is in every table.
        "context": {"screen": {"width": "wide"}},
        case: True,
        "properties": {"total": number, "page": "x"},
    }


def stage(lake: ScratchLake, case: str, messages: list[dict[str, Any]]) -> None:
    lake.stage(f"20261124T120000000Z-{case}.ndjson", "".join(json.dumps(one) + "\n" for one in messages).encode())


def rows(lake: ScratchLake, table: str, columns: str, run_id: str) -> list[tuple[Any, ...]]:
    found = lake.query(f"select {columns} from {getattr(lake.t, table)} where load_run_id = '{run_id}'")
    return sorted(tuple(row.values()) for row in found)


class Planted:
    """Makes a statement of one file fail for each row that it reads with a column that holds the text 'bad-'."""

    def __init__(self, lake: ScratchLake, file: str, *edits: tuple[str, str]) -> None:
        self._lake, self._run = lake, lake.runner.run
        self._file, self._edits = file, edits
        self.met = 0

    def run(self, statement: Statement) -> Result:
        text = statement.text
        if statement.path == self._file:
            for old, new in self._edits:
                assert old in text, f"{old!r} is not in {self._file}"
                text = text.replace(old, new, 1)
            self.met += 1
        return self._run(replace(statement, text=text))

    def __enter__(self) -> "Planted":
        self._lake.runner.run = self.run  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        self._lake.runner.run = self._run  # type: ignore[method-assign]


def bad(column: str) -> str:
    """A condition that holds, and fails for the bad."""
    return f"if(strpos(coalesce({column}, ''), 'bad-') > 0, {FAIL}, 1) = 1"


@pytest.fixture(scope="module")
def lake(machine: Machine) -> ScratchLake:
    return scratch_lake(machine)


EDITS: dict[str, tuple[str, tuple[str, str]]] = {
    "unpack": ("work/batch/load.sql", ("from lines\n", f"from lines where {bad('line')}\n")),
    "events": (
        "lake/events/load.sql",
        ("where batch.received_at between", f"where {bad('batch.message_id')} and batch.received_at between"),
    ),
    "discards": (
        "lake/discards/load.sql",
        ("cardinality(batch.discarded) > 0", f"{bad('batch.message_id')} and cardinality(batch.discarded) > 0"),
    ),
    "schema_changes": (
        "lake/schema_changes/find.sql",
        ("where shape is not null", f"where shape is not null and {bad('message_id')}"),
    ),
    "load_ledger": (
        "lake/load_ledger/load.sql",
        ("batch.reject_reason,\n", f"if({bad('batch.message_id')}, batch.reject_reason) as reject_reason,\n"),
    ),
}
# How many good messages are before and after the bad one.
AT = {"alone": (0, 0), "first": (0, 5), "last": (5, 0), "between": (3, 3), "among-a-thousand": (500, 500)}


CASES = [
    *((step, "between") for step in EDITS if step != "load_ledger"),
    *(("unpack", place) for place in ("alone", "first", "last")),
    ("events", "alone"),
    ("discards", "first"),
    ("events", "among-a-thousand"),
    # The last one: what the ledger does not count, the checks of later runs of the hour find too.
    ("load_ledger", "between"),
]


@pytest.mark.parametrize(("step", "place"), CASES)
def test_a_message_with_which_a_step_fails_does_not_stop_the_others(lake: ScratchLake, step: str, place: str) -> None:
    case = f"{step}-{place}"
    before, after = AT[place]
    numbers = [*range(1, before + 1), 0, *range(before + 1, before + after + 1)]
    stage(lake, case, [message(case, number) for number in numbers])
    ids = {f"{case}-{number}" for number in numbers if number}
    bad_id, file, edit = f"{case}-bad-0", *EDITS[step]

    with Planted(lake, file, edit) as planted:
        report = lake.load(case, plan=PLAN)

    assert planted.met
    assert report.adds_up
    assert "INVALID_FUNCTION_ARGUMENT (query " in report.tables_failed[step]
    is_rejected, is_counted = step in ("unpack", "events"), step != "load_ledger"
    loaded = ids if is_rejected else ids | {bad_id}
    assert {row for (row,) in rows(lake, "events", "message_id", case)} == loaded
    rejects = [(reason, json.loads(line)["messageId"]) for reason, line in rows(lake, "rejects", "reason, line", case)]
    assert rejects == ([("load_failed", bad_id)] if is_rejected else [])
    assert (report.rows_loaded, report.rows_rejected) == (len(loaded) if is_counted else len(ids), int(is_rejected))
    discarded = {row for (row,) in rows(lake, "discards", "message_id", case)}
    assert discarded == (ids if is_rejected or step == "discards" else loaded)
    assert bool(rows(lake, "schema_changes", "path", case)) == bool(ids or step == "discards")
    # A message that the ledger does not count is one that the table has more: its check says so.
    found = [finding.check.name for finding in lake.check(case).failures]
    assert found == ([] if is_counted else ["events.rows_agree_with_the_ledger"])
