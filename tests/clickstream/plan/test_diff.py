"""How what is sent differs from the plan, and the entries that are proposed for it."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickstream.plan import seen
from clickstream.plan.diff import Kind, counts, differences, fitting, suggestion
from clickstream.plan.file import TrackingPlan, parse_plan
from clickstream.plan.seen import Seen, read_seen
from local.places import LocalError
from tests.model.expected import Row, expected_tables, staged_file
from tests.model.json_text import read_json, write_json
from tests.model.seen import expected_seen
from tests.model.values import slug
from tools import plan as commands

FOLDER = Path(__file__).parent / "diff"
PLAN = (FOLDER / "plan.yaml").read_text(encoding="utf-8")
EMPTY = "version: 1\nevents:\n"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def plan_of(text: str) -> TrackingPlan:
    return parse_plan(text, "plan.yaml")


def rows_of(events: Sequence[Row]) -> list[dict[str, Any]]:
    """What seen.sql gives for these rows of `events`: tests/sql holds it to the same model."""
    rows = [
        {
            "event": event,
            "path": list(path),
            "json_type": json_type,
            "event_text": place.event_texts[max(place.event_texts)][-1],
            "messages": len(place.received),
            "first_seen_at": min(place.received.values()),
            "last_seen_at": max(place.received.values()),
            "message_id": (first := min(place.first)),
            "example": write_json(place.values[first][0])[:200],
        }
        for (event, path, json_type), place in expected_seen(events).items()
    ]
    rows.sort(key=lambda row: (bool(row["path"]), -row["messages"], row["event"], row["path"]))
    return [{**row, "path": json.dumps(row["path"])} for row in rows]


def sent() -> Seen:
    body = (FOLDER / "sent.ndjson").read_bytes()
    return read_seen(rows_of(expected_tables([staged_file("20261124T010203004Z-a.ndjson", body)]).events))


def test_every_difference_of_the_example_is_found() -> None:
    expected = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))

    found = [one.to_dict() for one in differences(plan_of(PLAN), sent())]

    assert [{name: value for name, value in one.items() if name != "entry"} for one in found] == expected


def test_entries_of_the_example() -> None:
    text = suggestion(differences(plan_of(PLAN), sent()))

    assert text == (FOLDER / "suggested.yaml").read_text(encoding="utf-8")
    assert "u-1" not in text


KEYS = st.one_of(
    st.sampled_from(
        ["id", "userID", "user-id", "timestamp", "찜", "", "<<", "null", "1", "a: b", "#", "a.b", "x" * 1100]
    ),
    st.text(max_size=6),
)
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-5, 5), st.floats(allow_nan=False, allow_infinity=False), st.text()
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
NAMES = st.one_of(
    st.sampled_from(["Order Completed", "찜하기", "❤️", "event", "Event!", "101", "null"]), st.text(max_size=8)
)


def events_of(messages: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Row]:
    return [
        {
            "event": slug(name), "event_text": name, "message_id": f"m{number}", "type": "track", "received_at": NOON,
            "properties": write_json(read_json(json.dumps(properties))),
        }
        for number, (name, properties) in enumerate(messages)
    ]  # fmt: skip


@settings(max_examples=60)
@given(st.lists(st.tuples(NAMES, st.dictionaries(KEYS, VALUES, max_size=5)), max_size=6))
def test_what_is_suggested_can_be_appended_and_then_fits_all_that_was_sent(
    messages: list[tuple[str, dict[str, Any]]],
) -> None:
    seen = read_seen(rows_of(events_of(messages)))
    plan = EMPTY + '  "Order Completed": {description: a, owner: b, status: live, sources: [c], properties: {id: {}}}\n'

    longer = plan_of(plan + suggestion(differences(plan_of(plan), seen)))

    left = [one for one in differences(longer, seen) if one.event != "Order Completed"]
    assert [one for one in left if one.kind != Kind.UNDECLARED_EVENT or slug(one.event)] == []


def test_lines_of_properties_fit_when_a_person_moves_them_where_they_are_said_to_go() -> None:
    found = differences(plan_of(PLAN), sent())
    (twin, other) = (one for one in found if one.event == "Order Completed" and "user" in one.property_name.lower())
    (color,) = (one for one in found if one.property_name == "gift.color")
    moved = PLAN.replace("      order_id:", f"      {twin.entry}\n      {other.entry}\n      order_id:")
    moved = moved.replace(
        "gift: {type: object, properties: {", "gift: {type: object, properties: {color: {type: string}, "
    )
    assert color.entry.startswith("color: {type: string}  #")

    left = {one.property_name for one in differences(plan_of(moved), sent()) if one.kind == Kind.UNDECLARED_PROPERTY}

    assert left == {"timestamp", "products[].price"}


def test_ids_as_keys_stay_an_object_of_anything() -> None:
    ids = {f"id{number}": 1 for number in range(51)}
    seen = read_seen(rows_of(events_of([("Sent", {"stock": ids, "few": {"a": 1}})])))

    text = suggestion(differences(plan_of(EMPTY + "  {}\n"), seen))

    assert "stock: {type: object}" in text
    assert "few: {type: object, properties: {a: {type: integer}}}" in text


def test_what_is_left_out_is_not_called_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "MOST_PLACES", 3)
    rows = rows_of(events_of([("Order Completed", {"order_id": "MO-1", "total": 1, "coupon": "x"})]))[:3]

    assert counts(differences(plan_of(PLAN), read_seen(rows))) == {"unseen_event": 1}


def test_as_many_differences_are_stored_as_one_statement_holds() -> None:
    seen = read_seen(rows_of(events_of([("A", {f"{number}{'x' * 9000}": 1 for number in range(100)})])))
    found = differences(plan_of(EMPTY + "  A: {description: a, owner: b, status: live, sources: [c]}\n"), seen)

    stored, count = fitting(found)

    assert len(json.loads(stored)) == count < len(found) == 100
    assert 175_000 < len(stored) <= 200_001


def test_commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(commands, "seen_in", lambda _: sent())
    suggested = (FOLDER / "suggested.yaml").read_text(encoding="utf-8")
    out = tmp_path / "more.yaml"
    plan = FOLDER / "plan.yaml"

    assert commands.main("suggest", plan_file=plan) == 0
    assert capsys.readouterr().out == suggested
    assert commands.main("suggest", plan_file=plan, out=str(out)) == 0
    assert out.read_text(encoding="utf-8") == suggested
    assert commands.main("suggest", plan_file=plan, out=str(plan)) == 1
    assert plan.read_text(encoding="utf-8") == PLAN
    capsys.readouterr()

    assert commands.main("diff", plan_file=plan) == 0
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines()[1:]] == [
        one.kind.value for one in differences(plan_of(PLAN), sent())
    ]


@pytest.mark.parametrize("days", ["0", "367", "-1", "a week", "٣x", "1.5"])
def test_days_that_are_none(days: str) -> None:
    with pytest.raises(LocalError, match="DAYS="):
        commands.seen_in(days)
