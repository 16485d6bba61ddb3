"""What each request is answered: protocol/answers.yaml, and what needs more than a table."""

import gzip
import itertools
import json
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from clickstream.staging.redrive import failed_records
from clickstream_collector.body import MAX_BODY_BYTES, MAX_MESSAGES
from clickstream_collector.collector import answer, log_fields, metrics_of
from clickstream_collector.http_event import read_event
from tests.collector.doors import (
    KEYS,
    RECEIVED_AT,
    MemorySink,
    Time,
    basic,
    event,
    make_door,
    send,
    sources,
    sources_of,
)

CASES = yaml.safe_load((Path(__file__).parent / "protocol" / "answers.yaml").read_text(encoding="utf-8"))


def bodies(case: dict[str, Any]) -> list[bytes | str]:
    if "mangled" in case:
        return [case["mangled"]]
    texts = case.get("texts") or [json.dumps(case["json"]) if "json" in case else case.get("text", "")]
    return [text.encode() for text in texts]


def requests() -> list[Any]:
    return [
        pytest.param(case, (case.get("method", "POST"), path, body), query, id=f"{case['why']}: {path} {query or ''}")
        for case in CASES
        for path, body, query in itertools.product(
            case.get("paths", ["/v1/batch"]), bodies(case), case.get("queries", [case.get("query")])
        )
    ]


@pytest.mark.parametrize(("case", "request_line", "query"), requests())
def test_answer(case: dict[str, Any], request_line: tuple[str, str, bytes], query: dict[str, str] | None) -> None:
    over, sink = dict(case.get("source", {})), MemorySink()
    door = make_door(sink, sources({over.pop("kind"): over} if over else {}))
    headers = {**case.get("headers", {}), **(basic(case["basic"]) if "basic" in case else {})}

    found, _ = send(door, *request_line, headers=headers, query=query)

    assert found.status == case["status"]
    if "body" in case:
        told = json.loads(found.body)
        for path, value in case["body"].items():
            assert member(told, path) == value, path
    for name, value in case.get("headers_out", {}).items():
        assert found.headers[name] == value, name
    assert found.cookie == case.get("cookie", "")
    for name in case.get("headers_absent", []):
        assert name not in found.headers
    if "messages" in case:
        assert [
            {name: message[name] for name in expected}
            for message, expected in zip(sink.messages, case["messages"], strict=True)
        ] == case["messages"]


def member(value: Any, path: str) -> Any:
    """By dots, but for `Segment.io`, which is one name."""
    for step in path.replace("Segment.io", "Segment\0io").split("."):
        value = value[step.replace("\0", ".")]
    return value


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("encoding", [{}, {"Content-Encoding": "gzip"}])
def test_gzip_is_known_by_its_bytes(content_type: str, encoding: dict[str, str]) -> None:
    plain = b'{"batch":[{"type":"track"}]}'
    for body in (plain, gzip.compress(plain)):
        headers = {"Content-Type": content_type, **encoding, **basic(KEYS["server"])}
        assert send(make_door(MemorySink()), "POST", "/v1/b", body, headers)[0].status == 200


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(b'{"batch":[]}')[:-9],
        gzip.compress(b'{"batch":[]}')[:12] + b"xxxxxxxxxxxxxxxx",
        b"\x1f\x8b",
        gzip.compress(b'{"batch":[]}') * 2,
    ],
    ids=["cut", "damaged", "head only", "two members"],
)
def test_gzip_that_cannot_be_read(body: bytes) -> None:
    found, tally = send(make_door(MemorySink()), "POST", "/v1/b", body, basic(KEYS["server"]))

    assert found.status == 400
    assert json.loads(found.body)["code"] == "invalid_gzip"
    assert (tally.received, tally.accepted, tally.refused) == (1, 0, 1)


def test_sizes_are_bounded_before_anything_is_parsed() -> None:
    pad = b'{"batch":[],"pad":"%s"}'
    fits = pad % (b"x" * (MAX_BODY_BYTES - len(pad) + 2))
    door = make_door(MemorySink())

    assert len(fits) == 4_194_304
    for body, status in (
        (fits, 200),
        (fits + b" ", 413),
        (gzip.compress(fits), 200),
        (gzip.compress(fits + b" "), 413),
    ):
        assert send(door, "POST", "/v1/b", body, basic(KEYS["server"]))[0].status == status


def test_a_gzip_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(200_000_000))

    tracemalloc.start()
    found, _ = send(make_door(MemorySink()), "POST", "/v1/b", bomb, basic(KEYS["server"]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found.status == 413
    assert peak < 5 * MAX_BODY_BYTES


def test_a_batch_has_a_most_of_messages() -> None:
    door = make_door(MemorySink())
    for count, status in ((MAX_MESSAGES, 200), (MAX_MESSAGES + 1, 413)):
        body = json.dumps({"batch": [{"type": "track"}] * count}).encode()
        assert send(door, "POST", "/v1/b", body, basic(KEYS["server"]))[0].status == status
    assert MAX_MESSAGES == 2500


def too_deep(levels: int) -> str:
    return '{"type":"track","a":' + "[" * levels + "]" * levels + "}"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b'{"type":"track","a":NaN}', "not_finite"),
        (b'{"type":"track","a":1e999}', "not_finite"),
        (b'{"type":"track","a":"\\ud800"}', "not_utf8"),
        (b'{"type":"track","a":"\xff"}', "not_utf8"),
        (b'{"type":"track","a":' + b"9" * 3_000 + b"}", "number_too_long"),
        (b'{"type":"track","a":' + b"9" * 9_000 + b"}", "not_readable"),
        (too_deep(199).encode(), None),
        (too_deep(200).encode(), "too_deep"),
        (too_deep(100_000).encode(), "not_readable"),
        (b'{"type":"track","a":"' + b"x" * 1_048_576 + b'"}', "too_large"),
    ],
    ids=["NaN", "1e999", "surrogate", "no UTF-8", "3,000 digits", "9,000 digits", "deep", "deeper", "deepest", "large"],
)
def test_a_bad_message_costs_no_other_and_is_kept(bad: bytes, reason: str | None) -> None:
    sink = MemorySink()
    body = b'{"writeKey":"wk_server","batch":[{"type":"track","n":1}, ' + bad + b' ,{"type":"page","n":[{},"],["]}]}'

    found, tally = send(make_door(sink), "POST", "/v1/batch", body)

    assert found.status == 200
    assert dict(tally.reasons) == ({reason: 1} if reason else {})
    assert [message["type"] for message in sink.messages] == ["track", "page"] if reason else ["track", "track", "page"]
    assert bool(sink.objects) is bool(reason)


def test_a_deep_body_of_another_shape_is_told_to_the_sender() -> None:
    for body in (
        b"[" * 100_000,
        b'{"batch":[],"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"batch":[' + b"[" * 9_000,
    ):
        assert send(make_door(MemorySink()), "POST", "/v1/b", body, basic(KEYS["server"]))[0].status == 400


class TestKeyStates:
    """Two keys at once, for rotation: active, retiring until a day, paused, disabled."""

    def door(self, **entry: str) -> Any:
        key = {"source": "shop", "number": 2, **entry}
        return make_door(MemorySink(), sources_of({"shop": {"id": "p", "kind": "server"}}, {"wk": key}))

    @pytest.mark.parametrize(
        ("entry", "status", "code"),
        [
            ({"state": "active"}, 200, ""),
            ({"state": "retiring", "until": "2026-11-28"}, 200, ""),
            ({"state": "retiring", "until": "2026-11-27"}, 401, "invalid_write_key"),
            ({"state": "disabled"}, 401, "invalid_write_key"),
            ({"state": "paused"}, 503, "paused"),
        ],
    )
    def test_state(self, entry: dict[str, str], status: int, code: str) -> None:
        found, tally = send(self.door(**entry), "POST", "/v1/b", b'{"batch":[{"type":"track"}],"writeKey":"wk"}')

        assert (found.status, tally.code) == (status, code)
        assert found.headers.get("retry-after") == ("300" if code == "paused" else None)

    def test_the_use_of_a_retiring_key_is_counted(self) -> None:
        door = self.door(state="retiring")
        found, tally = send(door, "POST", "/v1/b", b'{"batch":[{"type":"track"}],"writeKey":"wk"}')

        assert metrics_of(tally)["RetiringKeyMessages"] == ("Count", 1)
        assert log_fields(tally, found.status, read_event({}, RECEIVED_AT))["key"] == 2


def test_no_key_is_in_what_is_logged_or_kept() -> None:
    sink = MemorySink()
    bodies = [b'{"batch":[7,{"type":"track","a":NaN}],"writeKey":"wk_server"}', b'"wk_server" and no JSON']
    for body in bodies:
        request = read_event(event("POST", "/v1/b", body, basic("wk_server")), RECEIVED_AT)
        found, tally = answer(request, make_door(sink))
        assert "wk_server" not in json.dumps(log_fields(tally, found.status, request))
    assert sink.objects
    assert not any(b"wk_server" in raw_data(body) for body in sink.objects.values())


def raw_data(error_object: bytes) -> bytes:
    return b"\n".join(failed_records(error_object))


def test_bytes_of_nobody_are_not_kept() -> None:
    sink = MemorySink()

    found, tally = send(make_door(sink), "POST", "/v1/b", b"no JSON", basic("wk_nobody"))

    assert (found.status, tally.refused, sink.objects) == (400, 1, {})


def test_over_its_limit_no_body_is_kept() -> None:
    sink = MemorySink()
    door = make_door(sink, sources({"web": {"limit": 1}}))

    assert send(door, "POST", "/v1/b", b"no JSON", basic(KEYS["web"]))[0].status == 400
    assert len(sink.objects) == 1
    sink.objects.clear()
    assert send(door, "POST", "/v1/b", b"no JSON", basic(KEYS["web"]))[0].status == 400
    assert sink.objects == {}


class TestLimit:
    """A bucket of a second's worth for each key; a batch passes as a whole."""

    def test_over_the_limit(self) -> None:
        time = Time()
        door = make_door(MemorySink(), sources({"web": {"limit": 10}}), time)
        batch = json.dumps({"batch": [{"type": "track"}] * 15}).encode()

        def status(kind: str = "web") -> int:
            return send(door, "POST", "/v1/b", batch, basic(KEYS[kind]))[0].status

        assert status() == 200
        assert status() == 429
        assert status("server") == 200
        time.seconds += 0.4
        assert status() == 429
        time.seconds += 0.2
        assert status() == 200

    def test_what_the_sender_is_told(self) -> None:
        door = make_door(MemorySink(), sources({"web": {"limit": 10}}))
        batch = json.dumps({"batch": [{"type": "track"}] * 60}).encode()
        send(door, "POST", "/v1/b", batch, basic(KEYS["web"]))

        found, tally = send(door, "POST", "/v1/b", batch, {**basic(KEYS["web"]), "Origin": "https://shop.example"})

        # Five seconds of debt, and half of the most that is added so that not all come at once.
        assert (found.headers["retry-after"], found.headers["x-ratelimit-reset"]) == ("35", "35")
        assert found.headers["access-control-expose-headers"] == "retry-after, x-ratelimit-reset"
        assert (tally.received, tally.code) == (0, "too_many_requests")


class TestViewerAddress:
    """That of the connection, or CloudFront's with our secret; never what anybody can write."""

    def address(self, secret: str = "s3", **headers: str) -> str:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return read_event(event("POST", "/", headers=given), RECEIVED_AT, front_secret=secret).viewer_address

    def test_it(self) -> None:
        viewer = {"cloudfront_viewer_address": "198.51.100.9:4711"}

        assert self.address(x_forwarded_for="1.1.1.1") == "203.0.113.77"
        assert self.address(**viewer) == "203.0.113.77"
        assert self.address(**viewer, x_clickstream_front="wrong") == "203.0.113.77"
        assert self.address("", **viewer, x_clickstream_front="") == "203.0.113.77"
        assert self.address(**viewer, x_clickstream_front="s3") == "198.51.100.9"
        assert self.address(cloudfront_viewer_address="2001:db8::7:4711", x_clickstream_front="s3") == "2001:db8::7"


def test_a_path_before_ours_is_taken_off() -> None:
    for path in ("/shop/v1/t", "/shop/v1/t/", "/v1/t"):
        assert read_event(event("POST", path), RECEIVED_AT, prefix="/shop").path == "/v1/t"
    assert read_event(event("POST", "/shopping/t"), RECEIVED_AT, prefix="/shop").path == "/shopping/t"


def test_without_sources_everything_is_told_to_come_again() -> None:
    door = replace(make_door(MemorySink()), sources=lambda: None)
    found, _ = send(door, "POST", "/v1/b", b"{}", {"Origin": "https://shop.example"})

    assert (found.status, json.loads(found.body)["code"]) == (503, "not_ready")
    assert int(found.headers["retry-after"]) >= 30


def test_health_says_when_the_stream_would_take_nothing() -> None:
    found, _ = send(make_door(MemorySink(put_faults=["gone"])), "GET", "/health")

    assert found.status == 503
