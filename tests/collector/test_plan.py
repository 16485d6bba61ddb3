"""The plan at the door: what it says of messages (plan_cases.yaml), what becomes of them, and what it may cost."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.plan import names
from clickstream.plan.file import TrackingPlan, parse_plan, read_plan
from clickstream.plan.pattern_cost import LONGEST_TEXT
from clickstream.staging.redrive import failed_records
from clickstream_collector import plan as door_plan
from clickstream_collector.collector import log_fields, metrics_of
from clickstream_collector.http_event import Request
from clickstream_collector.plan import Effort, Judge, Plan
from clickstream_collector.sources import Sources, SourcesError, read_sources
from tests.collector.doors import KEYS, RECEIVED_AT, MemorySink, basic, make_door, send, sources_of
from tests.collector.plan_cases import PLAN_TEXT, Case, cases
from tests.model import typed
from tests.model.expected import expected_tables, staged_file
from tools.door_plan import compile_plan
from tools.sources_file import compile_sources, read_file

PLAN = parse_plan(PLAN_TEXT, "plan.yaml")


def compiled(plan: TrackingPlan) -> Plan:
    """The plan as the function has it: by way of JSON."""
    return door_plan.read_plan(json.loads(json.dumps(compile_plan(plan))))


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.id)
def test_case(case: Case) -> None:
    found = Judge(compiled(PLAN)).judge(json.loads(case.text))

    assert {(one.property, one.rule) for one in found} == case.broken
    assert len(found) == len(case.broken)


def test_a_text_of_more_than_4000_characters_matches_no_pattern() -> None:
    def judged(length: int) -> list[str]:
        message = {"type": "track", "event": "orderDone", "properties": {"order_id": "MO-" + "1" * length, "total": 1}}
        return [one.rule for one in Judge(compiled(PLAN)).judge(message)]

    assert door_plan.LONGEST_TEXT == LONGEST_TEXT == 4_000
    assert judged(3_997) == []
    assert judged(3_998) == ["pattern"]


def test_what_would_take_too_long_is_not_judged_and_is_counted() -> None:
    long = {"type": "track", "event": "orderDone", "properties": {"order_id": "MO-" + "1" * 3_997, "total": "x"}}
    judge = Judge(compiled(PLAN), Effort(2 * 4_000**2 + 10_000))

    assert [len(judge.judge(long)) for _ in range(3)] == [1, 1, 0]
    assert (judge.unjudged, dict(judge.violating)) == (1, {"order_done": 2})


def test_many_values_are_bounded_too_and_a_full_batch_of_usual_ones_is_judged() -> None:
    tags = {"type": "track", "event": "orderDone", "properties": {"products": [{"tags": ["old"] * 300_000}]}}
    usual = {"type": "track", "event": "orderDone", "properties": {"order_id": "MO-1", "total": 1, "letters": "ab"}}
    many, batch = Judge(compiled(PLAN)), Judge(compiled(PLAN))
    many.judge(tags)
    for _ in range(2_500):
        batch.judge(usual)

    assert (many.unjudged, batch.unjudged) == (1, 0)


@given(st.text())
def test_a_name_is_the_same_event_here_and_in_the_tables(name: str) -> None:
    assert door_plan.slug(name) == names.slug(name)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
PROPERTIES = st.dictionaries(st.sampled_from([*PLAN.events[0].entry["properties"], "other"]), JSON, max_size=6)


@given(JSON | PROPERTIES)
def test_any_properties_are_judged(properties: Any) -> None:
    judge = Judge(compiled(PLAN))

    found = judge.judge({"type": "track", "event": "orderDone", "properties": properties})

    assert judge.unjudged == 0
    assert {one.rule for one in found} <= {"type", "required", "enum", "format", "pattern", "minimum", "maximum"}


def known(at_door: str, plan: TrackingPlan = PLAN) -> Sources:
    made = sources_of(
        {"server": {"id": "id_server", "kind": "server", "plan": at_door}},
        {KEYS["server"]: {"source": "server", "number": 1, "state": "active"}},
    )
    return Sources(made.by_name, made.keys, plan=compiled(plan))


GOOD = {"type": "track", "event": "orderDone", "messageId": "good", "properties": {"order_id": "MO-1", "total": 1}}
BAD = {"type": "track", "event": "orderDone", "messageId": "bad", "properties": {"order_id": "MO-1", "total": "1"}}
NOTED = {"violations": [{"rule": "type", "property": "total"}]}
BODY = json.dumps({"batch": [GOOD, BAD]}).encode()


class TestAtDoor:
    """off, flag and refuse."""

    def test_off(self) -> None:
        sink = MemorySink()
        _, tally = send(make_door(sink, known("off")), "POST", "/v1/batch", BODY, basic(KEYS["server"]))

        assert [message.get("context") for message in sink.messages] == [None, None]
        assert "ViolatingMessages" not in metrics_of(tally)

    def test_flag_notes_it_in_the_message(self) -> None:
        sink = MemorySink()
        found, tally = send(make_door(sink, known("flag")), "POST", "/v1/batch", BODY, basic(KEYS["server"]))

        assert json.loads(found.body) == {"success": True, "accepted": 2, "refused": 0}
        assert [message.get("context") for message in sink.messages] == [None, NOTED]
        assert metrics_of(tally)["ViolatingMessages"] == ("Count", 1)
        request = Request("POST", "/v1/batch", RECEIVED_AT)
        assert log_fields(tally, 200, request)["violating"] == {"order_done": 1}

    def test_refuse_keeps_it_so_that_it_can_be_sent_again(self) -> None:
        sink = MemorySink()
        found, tally = send(make_door(sink, known("refuse")), "POST", "/v1/batch", BODY, basic(KEYS["server"]))

        assert json.loads(found.body) == {"success": True, "accepted": 1, "refused": 1}
        assert [message["messageId"] for message in sink.messages] == ["good"]
        assert dict(tally.reasons) == {"plan_violation": 1}
        (kept,) = (json.loads(one) for body in sink.objects.values() for one in failed_records(body))
        assert (kept["messageId"], kept["projectId"], kept["context"]) == ("bad", "id_server", NOTED)

    def test_what_a_client_says_of_violations_is_replaced(self) -> None:
        sink = MemorySink()
        batch = {"batch": [{**BAD, "context": {"violations": "none", "app": {"name": "A"}}}]}
        send(make_door(sink, known("flag")), "POST", "/v1/batch", json.dumps(batch).encode(), basic(KEYS["server"]))

        assert sink.messages[0]["context"] == {**NOTED, "app": {"name": "A"}}


class TestPlanAndValidate:
    """GET /v1/plan and POST /v1/validate."""

    def test_plan(self) -> None:
        door = make_door(MemorySink(), known("flag"))
        found, _ = send(door, "GET", "/v1/plan", headers=basic(KEYS["server"]))
        again, _ = send(
            door,
            "GET",
            "/v1/plan",
            query={"writeKey": KEYS["server"]},
            headers={"If-None-Match": found.headers["etag"]},
        )

        told = json.loads(found.body)["events"]
        assert list(told) == ["Order Completed"]
        assert told["Order Completed"]["properties"]["order_id"] == {"type": "string", "pattern": "^MO-[0-9]+$"}
        assert told["Order Completed"]["required"] == ["order_id", "total"]
        assert (found.status, again.status, again.body) == (200, 304, "")

    def test_plan_is_not_told_to_everybody(self) -> None:
        assert send(make_door(MemorySink(), known("flag")), "GET", "/v1/plan")[0].status == 401
        assert (
            send(make_door(MemorySink(), known("off")), "GET", "/v1/plan", headers=basic(KEYS["server"]))[0].status
            == 404
        )

    @pytest.mark.parametrize(("at_door", "reason"), [("off", None), ("flag", None), ("refuse", "plan_violation")])
    def test_validate_says_what_would_become_of_messages_and_keeps_nothing(
        self, at_door: str, reason: str | None
    ) -> None:
        sink = MemorySink()
        body = json.dumps({"batch": [GOOD, BAD, 7]}).encode()
        found, tally = send(make_door(sink, known(at_door)), "POST", "/v1/validate", body, basic(KEYS["server"]))

        assert json.loads(found.body) == {"success": True, "messages": [
            {"refused": None, "violations": []},
            {"refused": reason, "violations": NOTED["violations"]},
            {"refused": "not_an_object", "violations": []},
        ]}  # fmt: skip
        assert (sink.stream, sink.objects, tally.received) == ([], {}, 0)

    def test_validate_takes_one_message_too(self) -> None:
        door = make_door(MemorySink(), known("flag"))
        found, _ = send(door, "POST", "/v1/validate", json.dumps(BAD).encode(), basic(KEYS["server"]))
        broken, _ = send(door, "POST", "/v1/validate", b"nonsense", basic(KEYS["server"]))
        unknown, _ = send(door, "POST", "/v1/validate", BODY)

        assert json.loads(found.body)["messages"] == [{"refused": None, "violations": NOTED["violations"]}]
        assert (broken.status, unknown.status) == (400, 401)


def test_the_shipped_plan_is_compiled_with_the_sources() -> None:
    made = read_sources(compile_sources(read_file(), read_plan()).encode()).plan

    assert len(made.schemas) == len(read_plan().live)
    assert set(made.rules) == {name for event in read_plan().live for name in event.slugs}
    assert "column" not in json.dumps(made.schemas)


@pytest.mark.parametrize(
    "over",
    [
        {"rules": []},
        {"names": {"a": "not there"}},
        {"rules": {"A": [{"path": [], "property": "", "pattern": "("}]}},
        {"rules": {"A": [{"path": [], "property": "", "format": "hostname"}]}},
    ],
)
def test_a_broken_plan_is_a_broken_version(over: dict[str, Any]) -> None:
    read = json.loads(compile_sources(read_file()))
    read["plan"] |= over

    with pytest.raises(SourcesError):
        read_sources(json.dumps(read).encode())


def test_the_door_says_what_the_model_of_the_tables_says() -> None:
    """Beside the cases: the model judges by the jsonschema library."""
    folder = Path(__file__).parents[1] / "sql" / "typed"
    text, body = (folder / "plan.yaml").read_text(encoding="utf-8"), (folder / "lines.ndjson").read_bytes()
    events = expected_tables([staged_file("s3://b/staging/20261124T010203004Z-a.ndjson", body)]).events
    wanted = {one[:3] for table in typed.expected_typed(text, events).values() for one in table.violations}
    judge = Judge(compiled(parse_plan(text, "plan.yaml")))
    found = set()
    for event in events:
        properties = None if event["properties"] is None else json.loads(event["properties"])
        message = {"type": event["type"], "event": event["event_text"], "properties": properties}
        found |= {(event["message_id"], one.property, one.rule) for one in judge.judge(message)}

    assert found == wanted
    assert len(wanted) > 10
