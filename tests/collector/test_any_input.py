"""Properties that hold for any request: no exception, the sum, and what the transform makes of what leaves the door."""

import base64
import gzip
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clickstream_collector.collector import answer
from clickstream_collector.http_event import read_event
from clickstream_stream.records import transform_batch
from tests.collector.doors import RECEIVED_AT, MemorySink, event, make_door, send, sources

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.from_regex(r"\A[0-9]{4}-[0-9T:.Z+-]+\Z"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
NAMES = (
    "type", "event", "userId", "anonymousId", "messageId", "timestamp", "sentAt", "originalTimestamp", "context",
    "integrations", "writeKey", "projectId", "channel", "version", "traits", "properties", "ip",
)  # fmt: skip
CONTEXT = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("ip", "userAgent", "direct", "consent", "collector", "library", "traits"), JSON)
)
MESSAGE = st.fixed_dictionaries(
    {}, optional={**dict.fromkeys(NAMES, JSON), "type": st.just("track") | JSON, "context": CONTEXT | JSON}
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        name: st.text(max_size=20) for name in ("authorization", "sentat", "anonymousid", "x-retry-count", "origin")
    }
    | {"sec-gpc": st.just("1"), "idempotency-key": st.text(max_size=5), "user-agent": st.text(max_size=9)},
)
STRICT = {
    "web": {
        "ip": "truncate",
        "clock": "robust",
        "strict": True,
        "origins": ["https://*.shop.example"],
        "consent": {"need": ["a"], "honour_gpc": True},
    },
    "mobile": {"ip": "drop", "clock": "robust", "consent": {"need": ["a"], "else": "drop"}},
}


def taken_by_the_transform(sink: MemorySink) -> list[Any]:
    """Every message that the transform lets through of what is on the stream. Fails if it refuses any."""
    records = [{"recordId": "1", "data": base64.b64encode(record.data).decode()} for record in sink.stream]
    answered = transform_batch(records)
    assert not answered.failed
    lines = b"".join(base64.b64decode(result["data"]) for result in answered.results)
    return [json.loads(line) for line in lines.split(b"\n") if line]


@pytest.mark.promise("P11")
@pytest.mark.scenario("X49")
@given(
    st.lists(MESSAGE | JSON, max_size=6),
    st.fixed_dictionaries({}, optional={"context": JSON, "integrations": JSON, "sentAt": JSON}),
    HEADERS,
    st.sampled_from(["wk_web", "wk_mobile", "wk_server", "wk_pixel"]),
    st.booleans(),
)
@settings(max_examples=150)
def test_accepted_and_refused_are_all_messages_and_the_transform_takes_the_accepted(
    batch: list[Any], shared: dict[str, Any], headers: dict[str, str], key: str, is_strict: bool
) -> None:
    sink = MemorySink()
    door = make_door(sink, sources(STRICT if is_strict else None))
    body = json.dumps({**shared, "batch": batch}).encode()
    headers = {**headers, "authorization": "Basic " + base64.b64encode(key.encode()).decode()}
    if is_strict:
        headers.pop("origin", None)

    found, tally = send(door, "POST", "/v1/batch", body, headers)

    assert found.status == 200
    assert tally.received == len(batch) == tally.accepted + tally.refused
    assert json.loads(found.body) == {"success": True, "accepted": tally.accepted, "refused": tally.refused}
    taken = taken_by_the_transform(sink)
    assert len(taken) == tally.accepted
    for message in taken:
        assert message["receivedAt"] == "2026-11-28T12:00:00.123Z"
        assert isinstance(message["messageId"], str)
        assert message["messageId"].strip()
        assert message["projectId"] == key.replace("wk", "id")
        assert "writeKey" not in message


PATHS = st.sampled_from(["/v1/batch", "/v1/t", "/v1/pixel/track", "/v1/projects/wk_web/settings", "/health", "/"])


@pytest.mark.promise("P11")
@pytest.mark.scenario("X49")
@given(
    st.sampled_from(["POST", "GET", "OPTIONS", "PUT"]),
    PATHS | st.text(max_size=12).map(lambda text: "/" + text),
    st.binary(max_size=200) | st.binary(max_size=200).map(gzip.compress) | st.text(max_size=50),
    HEADERS,
    st.none() | st.dictionaries(st.sampled_from(["data", "writeKey"]), st.text(max_size=20)),
)
@example("POST", "/v1/batch", b'{"batch":[' + b"[" * 3_000 + b"]" * 3_000 + b"]}", {"x-write-key": "wk_web"}, None)
@example("POST", "/v1/batch", b'{"batch":[{},"', {"x-write-key": "wk_web"}, None)
@settings(max_examples=200)
def test_any_bytes_are_answered(
    method: str, path: str, body: bytes | str, headers: dict[str, str], query: dict[str, str] | None
) -> None:
    sink = MemorySink()

    found, tally = send(make_door(sink), method, path, body, headers, query)

    assert 200 <= found.status < 600
    assert tally.received == tally.accepted + tally.refused
    assert len(taken_by_the_transform(sink)) == tally.accepted
    json.dumps(found.to_event())
    if method == "POST":
        assert isinstance(json.loads(found.body), dict)


@given(st.dictionaries(st.sampled_from(list(event("GET", "/"))), JSON | st.dictionaries(st.text(max_size=6), JSON)))
def test_any_event_is_answered(any_event: dict[str, Any]) -> None:
    found, _ = answer(read_event(any_event, RECEIVED_AT), make_door(MemorySink()))

    assert 200 <= found.status < 600


@pytest.mark.promise("P11")
@pytest.mark.scenario("X46", "X47")
@given(
    st.lists(
        st.sampled_from([None, "gone", "lost", frozenset({0}), frozenset({1, 2}), frozenset(range(9))]), max_size=7
    ),
    st.lists(st.booleans(), max_size=4),
    st.integers(0, 40),
)
def test_whatever_fails_each_message_is_somewhere_or_its_sender_is_told(
    put_faults: list[Any], object_faults: list[bool], count: int
) -> None:
    sink = MemorySink([set(one) if isinstance(one, frozenset) else one for one in put_faults], object_faults)
    batch = [{"type": "track", "messageId": str(number), "pad": "x" * 9_000} for number in range(count)]

    found, tally = send(
        make_door(sink), "POST", "/v1/b", json.dumps({"batch": batch, "writeKey": "wk_server"}).encode()
    )

    spilled = [json.loads(line) for body in sink.objects.values() for line in gzip.decompress(body).splitlines()]
    kept = {message["messageId"] for message in [*sink.messages, *spilled]}
    assert found.status in (200, 503)
    if found.status == 200:
        assert kept == {str(number) for number in range(count)}
        assert tally.spilled == len(spilled)
    else:
        assert tally.received == 0
