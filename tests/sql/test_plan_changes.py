"""What a person edits in the plan, and what then happens: the cases of docs/tracking-plan.md."""

import json
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pytest

from clickstream.plan.file import TrackingPlan, parse_plan
from clickstream.plan.rebuild import PendingChangesError
from clickstream.window import Window
from local.lake.machine import Machine, scratch_lake
from local.lake.scratch import ScratchLake

START = datetime(2026, 11, 24, tzinfo=UTC)
ABOUT = "description: a, owner: b, status: live, sources: [c]"
QUANTITY = "properties: {quantity: {type: integer}}"


def plan(*entries: str) -> TrackingPlan:
    return parse_plan("version: 1\nevents:\n" + "".join(f"  {entry}\n" for entry in entries), "plan")


def load(lake: ScratchLake, hour: int, new: TrackingPlan, **sent: str) -> None:
    """Load one message of each event, received at that hour, with these properties as JSON."""
    lines = [
        f'{{"messageId":"{name}-{hour}","type":"track","event":"{name.replace("_", " ")}",'
        f'"receivedAt":"2026-11-24T0{hour}:00:00Z","properties":{properties}}}\n'
        for name, properties in sent.items()
    ]
    lake.stage(f"20261124T0{hour}0203004Z-a.ndjson", "".join(lines).encode())
    lake.load(f"run-{hour}", plan=new)


# Each case has events of its own, and all take the same three loads: by case, the entries of the plan at each.
NEW = [
    [f"Order Completed: {{{ABOUT}, {QUANTITY}}}"],
    *2 * [[
        f"Order Completed: {{{ABOUT.replace('description: a', 'description: Paid.')}, "
        "properties: {quantity: {type: integer}, color: {type: string}}}",
        f"Order Sent: {{{ABOUT}, properties: {{carrier: {{type: string}}}}}}",
    ]],
]  # fmt: skip
RENAMED = [
    [f"Cart Filled: {{{ABOUT}, {QUANTITY}}}"],
    *2 * [[f"Cart Ready: {{{ABOUT}, table: cart_filled, renames: [Cart Filled], {QUANTITY}}}"]],
]
BESIDE = "quantity: {type: number, column: {name: quantity_number}}"
CHANGED = [
    [f"Price Seen: {{{ABOUT}, {QUANTITY}}}"],
    [f"Price Seen: {{{ABOUT}, properties: {{quantity: {{type: number}}}}}}"],
    [f"Price Seen: {{{ABOUT}, properties: {{{BESIDE}}}, retired_columns: {{quantity: bigint}}}}"],
]
PLANS = [plan(*chain(*cases)) for cases in zip(NEW, RENAMED, CHANGED, strict=True)]


@pytest.fixture(scope="module")
def lake(machine: Machine) -> ScratchLake:
    """After three loads, each with the plan of its hour."""
    lake = scratch_lake(machine)
    load(
        lake, 1, PLANS[0], Order_Completed='{"quantity":1,"color":"red"}', Cart_Filled='{"quantity":1}',
        Price_Seen='{"quantity":1}',
    )  # fmt: skip
    schema = lake.settings.events_database
    with pytest.raises(PendingChangesError) as refused:
        lake.rebuild("too early", plan(*NEW[1]), Window(START, START + timedelta(hours=2)))
    assert str(refused.value).splitlines()[:2] == [
        f"create {schema}.order_sent",
        f"add_column {schema}.order_completed.color",
    ]
    load(lake, 2, PLANS[1], Order_Sent='{"carrier":"CJ"}', Cart_Ready='{"quantity":2}', Price_Seen='{"quantity":2.5}')
    load(
        lake, 3, PLANS[2], Order_Completed='{"quantity":2,"color":"blue"}', Cart_Filled='{"quantity":3}',
        Price_Seen='{"quantity":3.5}',
    )  # fmt: skip
    return lake


def rows(lake: ScratchLake, table: str) -> list[dict[str, Any]]:
    return lake.query(f"select * from {lake.t.typed(table)} order by received_at")


def test_a_new_event_and_a_new_property(lake: ScratchLake) -> None:
    assert [(row["quantity"], row["color"], row["extras"]) for row in rows(lake, "order_completed")] == [
        (1, None, '{"color":"red"}'),
        (2, "blue", None),
    ]
    assert [row["carrier"] for row in rows(lake, "order_sent")] == ["CJ"]
    assert lake.comments()[lake.settings.events_database, "order_completed"] == "Paid."

    lake.rebuild("again", plan(*NEW[1]), Window(START, START + timedelta(hours=30)), "Order Completed")

    assert [(row["color"], row["extras"], row["load_run_id"]) for row in rows(lake, "order_completed")] == [
        ("red", None, "again"),
        ("blue", None, "again"),
    ]
    assert [row["load_run_id"] for row in rows(lake, "order_sent")] == ["run-2"]


def test_a_rename_lands_in_the_same_table(lake: ScratchLake) -> None:
    assert [(row["event_text"], row["quantity"]) for row in rows(lake, "cart_filled")] == [
        ("Cart Filled", 1),
        ("Cart Ready", 2),
        ("Cart Filled", 3),
    ]


def test_a_type_change_is_refused_and_a_column_beside_it_is_the_way(lake: ScratchLake) -> None:
    message = f"{lake.settings.events_database}.price_seen: column quantity is bigint and would become double"
    (told,) = lake.query(f"select run_id, tables_failed from {lake.t.load_runs} where tables_failed <> '{{}}'")
    assert told["run_id"] == "run-2"
    failed = json.loads(told["tables_failed"])
    assert failed.keys() == {"price_seen"}
    assert message in failed["price_seen"]
    # The run that was refused had loaded `events`; its objects had their ledger row, so its message waits for a re-run.
    assert [(row["quantity"], row["quantity_number"]) for row in rows(lake, "price_seen")] == [(1, None), (None, 3.5)]
