"""No statement grows with what is staged, sent or waits: with its values it stays within what both engines take."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from clickstream.athena.sql import LONGEST_BYTES, inlined
from clickstream.engine.sql import SQL_DIR, render
from clickstream.load import manifest
from clickstream.load.archive import ArchivedObject, divide
from clickstream.load.manifest import Manifest
from clickstream.load.parts import object_parts
from clickstream.load.report import RunReport
from clickstream.load.unreadable import Unreadable
from clickstream.plan.event import Event
from clickstream.plan.file import parse_plan
from clickstream.plan.typed_tables import (
    COMPARED_AT_ONCE,
    RULES_A_STATEMENT,
    Present,
    declared,
    rule_pieces,
    rule_statements,
)
from clickstream.reconcile.states import Cell, Compared
from clickstream.reconcile.steps import CELLS_A_STATEMENT, MOST_FAILING, MOST_LEFT_OUT, Archive
from clickstream.sessions.model import MOST_LOADS, MOST_SPANS, Changes, Load, SessionReport, SessionRules
from clickstream.staging.keys import StagedObject
from clickstream.watch.alarms import KeptAlarm
from clickstream.window import DAY, HOUR, LONGEST, Bounds, Span, Window, hours
from tools.sample_values import FILES, NOON, SETTINGS, WINDOW, values

OBJECTS = 10_000
EVENTS = 500
PROPERTIES = 300
RUN_ID = "backfill__".ljust(250, "r")  # Airflow's ids have no more
BUCKET = "b" * 63

OF_THE_PLAN = {
    "events/event/load.sql": "It has an expression for each property of one event of the plan.",
    "lake/load_runs/load.sql": "It has counts and failures of each event of the plan.",
}
"""Statements that grow with the plan, which people write, and so may be longer: Trino takes a million characters."""


def event(number: int, properties: int) -> Event:
    members = (f"p_{number}_{place}: {{type: integer, description: {'d' * 80}}}" for place in range(properties))
    head = "{description: d, owner: o, status: live, sources: [web], properties: {"
    text = f"version: 1\nevents:\n  Event {'N' * 60} {number}:\n    {head}{', '.join(members)}}}}}\n"
    return parse_plan(text, "plan").events[0]


def taken() -> Manifest:
    """Of the staging folder and of the archive, which is read for every second hour of a year."""
    times = [NOON + number * DAY / 100 for number in range(OBJECTS)]
    folders = [f"{number:020}/1764288000000" for number in range(OBJECTS)]
    staged = [StagedObject(f"s3://{BUCKET}/staging/{at:%Y%m%dT%H%M%S}000Z-{'x' * 80}.gz", 10**9, at) for at in times]
    archived = [
        ArchivedObject(f"s3://{BUCKET}/segment-logs/{folder}/é{'x' * 80}.gz", 10**9, NOON + number % 366 * DAY, folder)
        for number, folder in enumerate(folders)
    ]
    asked = Window(NOON, NOON + LONGEST)
    staging, received = divide(asked, list(hours(asked))[::2], archived)
    assert len(received) > 4_000
    return manifest.take_windows(RUN_ID, staged, [asked, *staging], archived, received)


PLAN = [event(number, 20) for number in range(EVENTS)]
LOADS = tuple(
    Load(f"{number:03}".ljust(250, "r"), NOON, NOON + number * DAY, NOON + number * DAY + HOUR, 1)
    for number in range(MOST_LOADS)
)
ALL_TABLES = {one.table: "e" * 100 for one in PLAN}
LARGE: dict[str, Any] = {
    "changes": Changes(LOADS, None, 30),
    "session_report": SessionReport(RUN_ID, Changes(LOADS)),
    "received": Bounds(NOON, NOON, (Span(NOON, NOON),) * MOST_SPANS),
    "rules": SessionRules(30, 24, 30, tuple(ALL_TABLES)),
    "declared": declared(PLAN),
    "compared": {"events": [Present(one, 1, WINDOW) for one in PLAN[:COMPARED_AT_ONCE]]},
    "event": event(0, PROPERTIES),
    "reject_ids": ["A" * 64] * 500,
    "archive": Archive(
        tuple(f"{number:020}/1764288000000" for number in range(200)),
        (Window(NOON, NOON + DAY),),
        ("s3://b/".ljust(250, "x"),) * MOST_LEFT_OUT,
        ("A" * 64,) * MOST_FAILING,
    ),
    "cells_json": json.dumps([[NOON.isoformat(), "s" * 20, [*range(64)]]] * CELLS_A_STATEMENT),
    "hours_json": json.dumps(
        [[*Compared(Cell(NOON, "s" * 20), *[10**6] * 8).to_dict().values(), "copy"]] * CELLS_A_STATEMENT
    ),
    "unreadable": Unreadable("s3://b/".ljust(1024, "x"), "s3://b/".ljust(1024, "x"), 10, "e" * 200, NOON),
    "alarm": KeptAlarm("name", RUN_ID, "critical", ", ".join(ALL_TABLES), {"tables": list(ALL_TABLES)}, NOON, NOON),
    "report": RunReport(
        RUN_ID,
        first_received_at=NOON,
        tables_failed=ALL_TABLES,
        violations_by_event={table: {"messages": 10**6, "violating": 10**6} for table in ALL_TABLES},
    ),
}
# What operators run part by part: see clickstream.load.parts and clickstream.plan.typed_tables.
PARTS = {
    "manifest": list(object_parts(taken())),
    "rule_pieces": rule_statements(rule_pieces(PLAN), RULES_A_STATEMENT),
}


def lengths(file: str) -> Iterator[int]:
    """The bytes of each statement that the file becomes, values and all."""
    text, given = (SQL_DIR / file).read_text(encoding="utf-8"), values(RUN_ID) | LARGE
    (name, parts), *_ = [*((name, parts) for name, parts in PARTS.items() if name in text), ("none", [None])]
    for part in parts:
        yield len(inlined(render(file, SETTINGS, given | {name: part})).encode())


@pytest.mark.parametrize("file", FILES)
def test_it_is_no_longer_than_an_engine_takes(file: str) -> None:
    assert max(lengths(file)) < (10**6 if file in OF_THE_PLAN else LONGEST_BYTES)


def test_these_are_values_that_would_not_fit_into_one_statement() -> None:
    everything = inlined(render("work/batch/load.sql", SETTINGS, values(RUN_ID) | {"manifest": taken()}))

    assert len(everything) > 2 * 10**6
    assert len(PARTS["manifest"]) > 20
    assert len(PARTS["rule_pieces"]) > 5
