"""What a person edits in the plan, and what then happens: the cases of docs/tracking-plan.md."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from clickstream.plan.file import TrackingPlan, parse_plan
from clickstream.plan.rebuild import PendingChangesError
from clickstream.window import Window
from local.lake.scratch import ScratchLake

START = datetime(2026, 11, 24, tzinfo=UTC)
ABOUT = "description: a, owner: b, status: live, sources: [c]"
LINE = b'{"messageId":"%s","type":"track","event":"%s","receivedAt":"2026-11-24T0%d:00:00Z","properties":%s}\n'


def plan(*entries: str) -> TrackingPlan:
    return parse_plan("version: 1\nevents:\n" + "".join(f"  {entry}\n" for entry in entries), "plan")


BEFORE = plan(f"Order Completed: {{{ABOUT}, properties: {{quantity: {{type: integer}}}}}}")


def load(lake: ScratchLake, hour: int, event: bytes, properties: bytes, new: TrackingPlan) -> list[dict[str, object]]:
    message = b"m%d" % hour
    lake.stage(f"20261124T0{hour}0203004Z-a.ndjson", LINE % (message, event, hour, properties))
    lake.load(f"run-{hour}", plan=new)
    return lake.query(f"select * from {lake.t.typed('order_completed')} order by received_at")


def test_a_new_event_and_a_new_property(lake: ScratchLake) -> None:
    load(lake, 1, b"Order Completed", b'{"quantity":1,"color":"red"}', BEFORE)
    told = ABOUT.replace("description: a", "description: Paid.")
    new = plan(
        f"Order Completed: {{{told}, properties: {{quantity: {{type: integer}}, color: {{type: string}}}}}}",
        f"Order Sent: {{{ABOUT}, properties: {{carrier: {{type: string}}}}}}",
    )

    with pytest.raises(PendingChangesError) as refused:
        lake.rebuild("too early", new, Window(START, START + timedelta(hours=2)))
    schema = lake.settings.events_database
    assert str(refused.value).splitlines()[:2] == [
        f"create {schema}.order_sent",
        f"add_column {schema}.order_completed.color",
    ]
    load(lake, 2, b"Order Sent", b'{"carrier":"CJ"}', new)
    rows = load(lake, 3, b"Order Completed", b'{"quantity":2,"color":"blue"}', new)

    assert [(row["quantity"], row["color"], row["extras"]) for row in rows] == [
        (1, None, '{"color":"red"}'),
        (2, "blue", None),
    ]
    assert lake.query(f"select carrier from {lake.t.typed('order_sent')}") == [{"carrier": "CJ"}]
    assert lake.comments()[schema, "order_completed"] == "Paid."

    lake.rebuild("again", new, Window(START, START + timedelta(hours=30)), "Order Completed")

    rows = lake.query(f"select * from {lake.t.typed('order_completed')} order by received_at")
    assert [(row["color"], row["extras"], row["load_run_id"]) for row in rows] == [
        ("red", None, "again"),
        ("blue", None, "again"),
    ]
    assert [row["load_run_id"] for row in lake.query(f"select * from {lake.t.typed('order_sent')}")] == ["run-2"]


def test_a_rename_lands_in_the_same_table(lake: ScratchLake) -> None:
    load(lake, 1, b"Order Completed", b'{"quantity":1}', BEFORE)
    new = plan(
        f"Order Placed: {{{ABOUT}, table: order_completed, renames: [Order Completed], "
        "properties: {quantity: {type: integer}}}"
    )

    load(lake, 2, b"Order Placed", b'{"quantity":2}', new)
    rows = load(lake, 3, b"Order Completed", b'{"quantity":3}', new)

    assert [(row["event_text"], row["quantity"]) for row in rows] == [
        ("Order Completed", 1),
        ("Order Placed", 2),
        ("Order Completed", 3),
    ]


def test_a_type_change_is_refused_and_a_column_beside_it_is_the_way(lake: ScratchLake) -> None:
    load(lake, 1, b"Order Completed", b'{"quantity":1}', BEFORE)
    changed = f"Order Completed: {{{ABOUT}, properties: {{quantity: {{type: number}}}}}}"

    assert len(load(lake, 2, b"Order Completed", b'{"quantity":2.5}', plan(changed))) == 1
    message = f"{lake.settings.events_database}.order_completed: column quantity is bigint and would become double"
    (told,) = lake.query(f"select tables_failed from {lake.t.load_runs} where tables_failed <> '{{}}'")
    assert message in json.loads(told["tables_failed"])["order_completed"]

    beside = "quantity: {type: number, column: {name: quantity_number}}"
    new = plan(f"Order Completed: {{{ABOUT}, properties: {{{beside}}}, retired_columns: {{quantity: bigint}}}}")
    rows = load(lake, 3, b"Order Completed", b'{"quantity":3.5}', new)

    # The run that was refused had loaded `events`; its objects had their ledger row, so its message waits for a re-run.
    assert [(row["quantity"], row["quantity_number"]) for row in rows] == [(1, None), (None, 3.5)]
