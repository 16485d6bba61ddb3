"""The log definition: every mistake is named with its line, and names, types and rules derive as documented."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clickstream.plan.file import PLAN_FILE, TrackingPlan, TrackingPlanError, parse_plan, read_plan, require_narrow
from clickstream.plan.names import identifier, slug
from clickstream.plan.segment import ForeignPlanError, export_plan, import_plan
from clickstream.plan.typed_tables import rule_pieces
from tools import plan as commands

PLANS = Path(__file__).parent / "plans"


def one_event(properties: str, **more: str) -> TrackingPlan:
    extra = "".join(f", {key}: {value}" for key, value in more.items())
    text = "version: 1\nevents:\n  Some Event: {description: a, owner: b, status: live, sources: [c]"
    return parse_plan(f"{text}, properties: {{{properties}}}{extra}}}\n", "plan")


@pytest.mark.parametrize("case", sorted(PLANS.glob("*.txt")), ids=lambda path: path.stem)
def test_every_mistake_is_told_with_its_line(case: Path) -> None:
    with pytest.raises(TrackingPlanError) as error:
        read_plan(case.with_suffix(".yaml"))

    assert str(error.value).splitlines() == case.read_text(encoding="utf-8").splitlines()


ESCAPES = st.text(st.sampled_from("aé가😀\ud83d\ude00\udfff"), min_size=1, max_size=3)


@pytest.mark.promise("P9")
@given(ESCAPES, st.sampled_from(["description", "owner", "source", "event", "property", "enum", "const", "rename"]))
@example("\ud83d\ude00", "enum")
def test_text_in_any_place_is_refused_with_its_line_or_can_be_sent_to_trino(text: str, place: str) -> None:
    """JSON escapes an emoji as two halves, which YAML does not join."""
    words = dict.fromkeys(["description", "owner", "source", "event", "property", "enum", "const", "rename"], "a word")
    quoted = {name: json.dumps(text if name == place else word) for name, word in words.items()}
    plan = """version: 1
events:
  {event}:
    {{description: {description}, owner: {owner}, status: live, sources: [{source}], renames: [{rename}],
      properties: {{{property}: {{enum: [{enum}]}}, other: {{const: {const}}}}}}}
""".format(**quoted)

    try:
        mistakes, events = "", parse_plan(plan, "plan.yaml").events
    except TrackingPlanError as error:
        mistakes, events = str(error), ()

    mistakes.encode()
    json.dumps([[event.name, event.entry, rule_pieces([event])] for event in events], ensure_ascii=False).encode()
    is_broken = re.search(r"\\ud[89a-f]", json.dumps(text)) is not None
    assert is_broken == ("half of a surrogate pair" in mistakes)
    assert not mistakes or re.match(r"plan.yaml:[3-5]: ", mistakes)


def wide(count: int) -> str:
    event = {"description": "Wide.", "owner": "o", "status": "live", "sources": ["web"]}
    properties = {f"p_{number}": {"type": "string"} for number in range(count)}
    return json.dumps({"version": 1, "events": {"Wide": {**event, "properties": properties}}})


def test_an_event_has_no_more_columns_than_a_statement_can_name() -> None:
    """Measured: Trino 483 fills a table of 666 columns, and refuses the text of the statement for 1,111."""
    require_narrow(parse_plan(wide(800), "plan.yaml"), "plan.yaml")
    # A load reads it all the same, so that it stops no other event.
    plan = parse_plan(wide(801), "plan.yaml")
    with pytest.raises(TrackingPlanError, match=r"plan.yaml: events > Wide: it has 801 columns, at most 800: leave"):
        require_narrow(plan, "plan.yaml")


def test_the_shipped_plan_is_right_and_names_what_the_shop_sends() -> None:
    plan = read_plan()

    assert {"order_completed", "product_viewed", "delivery_status_updated"} <= {event.table for event in plan.live}
    assert plan.conversions == {"order_completed"}
    assert [event.table for event in plan.events if event not in plan.with_table] == ["review_written"]


@pytest.mark.parametrize(
    ("schema", "sql_type"),
    [
        ("type: string", "varchar"),
        ("type: integer", "bigint"),
        ("type: number", "double"),
        ("type: boolean", "boolean"),
        ("type: [string, 'null']", "varchar"),
        ("type: [integer, number]", "double"),
        ("type: [string, integer]", "varchar"),
        ("type: [string, object]", "varchar"),
        ("type: array, items: {type: string}", "varchar"),
        ("type: object", "varchar"),
        ("type: string, format: date-time", "timestamp(6) with time zone"),
        ("type: string, format: date", "date"),
        ("type: number, column: {type: 'decimal(18,2)'}", "decimal(18,2)"),
        ("type: array, column: {type: array(varchar)}", "array(varchar)"),
        ("properties: {b: {type: string}}, column: {type: json}", "varchar"),
    ],
)
def test_the_type_of_a_column(schema: str, sql_type: str) -> None:
    assert [(column.name, column.sql_type) for column in one_event(f"a: {{{schema}}}").events[0].columns] == [
        ("a", sql_type)
    ]


def test_objects_are_flattened_and_keep_their_paths() -> None:
    event = one_event("shipTo: {properties: {Geo: {properties: {lat: {}}}, zip: {}}}").events[0]

    assert [(column.name, column.keys) for column in event.columns] == [
        ("ship_to_geo_lat", ("shipTo", "Geo", "lat")),
        ("ship_to_zip", ("shipTo", "zip")),
    ]


def test_a_retired_column_stays_and_a_table_has_each_column_once() -> None:
    event = one_event("price: {type: number, column: {name: price_number}}", retired_columns="{price: bigint}").events[
        0
    ]

    names = [column.name for column in event.shape]
    assert {"price", "price_number"} <= set(names)
    assert len(names) == len(set(names))


# By hand, after facts of Segment's own library where the rule is the same.
@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Order Completed", "order_completed"),
        ("userID", "user_id"),
        ("pageURL", "page_url"),
        ("URLPath", "url_path"),
        ("$price", "price"),
        ("x__y", "x_y"),
        ("utm-source", "utm_source"),
        ("Café Viewed", "café_viewed"),
        ("찜하기 ❤️ Clicked", "찜하기_clicked"),
        ("101 Account", "101_account"),
        ("❤️", ""),
    ],
)
def test_slugs(name: str, wanted: str) -> None:
    assert slug(name) == wanted


def test_an_identifier_is_plain() -> None:
    assert [identifier(name) for name in ("101 Account", "Café", "a" * 129, "❤️")] == ["_101_account", None, None, None]


def test_segment_s_config_api_is_read() -> None:
    entries = import_plan(json.loads((PLANS / "config_api.json").read_text())).entries

    assert entries == {
        "Order Completed": {
            "description": "Who: a customer", "owner": "unknown", "status": "proposed", "sources": ["unknown"],
            "required": ["price"],
            "properties": {
                "price": {"type": ["number"], "description": "quantity times price"},
                "items": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
            },
        }
    }  # fmt: skip


def test_segment_s_public_api_and_plain_json_schema_are_read() -> None:
    public = import_plan(json.loads((PLANS / "public_api.json").read_text())).entries
    plain = import_plan({"title": "Order Completed", "type": "object", "properties": {"price": {"type": "number"}}})

    assert public == plain.entries
    assert public["Order Completed"]["properties"] == {"price": {"type": "number"}}
    with pytest.raises(ForeignPlanError, match="neither a tracking plan"):
        import_plan({"a": 1})


def test_what_is_given_out_is_taken_in_unchanged() -> None:
    plan = read_plan()

    entries = import_plan(json.loads(json.dumps(export_plan(plan, "x")))).entries

    assert entries == {event.name: {"properties": {}} | dict(event.entry) for event in plan.events}


def test_taking_in_adds_to_the_end_and_leaves_the_rest_as_written(tmp_path: Path) -> None:
    mine = tmp_path / "tracking_plan.yaml"
    text = PLAN_FILE.read_text(encoding="utf-8").replace("  Order Completed:", "  Order Paid:")
    mine.write_text(text, encoding="utf-8")

    said = commands.take_in(mine, PLANS / "config_api.json")
    assert said == ["1 events added to tracking_plan.yaml, 0 were there already"]
    longer = mine.read_text(encoding="utf-8")
    assert longer.startswith(text)
    assert read_plan(mine).events[-1].name == "Order Completed"
    assert commands.take_in(mine, PLANS / "config_api.json") == [
        "0 events added to tracking_plan.yaml, 1 were there already"
    ]


@pytest.mark.parametrize(("command", "code"), [("check", 0), ("export", 0), ("import", 1)])
def test_commands(command: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(command, "") == code
    assert capsys.readouterr()[1 if code else 0] != ""
