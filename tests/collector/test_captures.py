"""What real SDKs sent, byte for byte, to the collector as an HTTP server: captures/README.md says what sent it."""

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from local.collector import CollectorServer, responder
from tests.collector.doors import MemorySink, make_door, sources_of

CAPTURES = Path(__file__).parent / "captures"
KINDS = {"WK_PY": "server", "WK_NODE": "server", "WK_WEB": "web"}
# What the collector adds, or writes in another way; all else must be as it was sent.
STAMPED = {"receivedAt", "originalTimestamp", "timestamp", "sentAt", "projectId", "version", "channel", "context"}


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


@pytest.fixture
def server(sink: MemorySink) -> Iterator[CollectorServer]:
    entries = {kind: {"id": f"id_{kind}", "kind": kind} for kind in KINDS.values()}
    keys = {key: {"source": kind, "number": 1, "state": "active"} for key, kind in KINDS.items()}
    door = make_door(sink, sources_of(entries, keys))
    with CollectorServer(responder(door, lambda line: None)) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def requests(method: str) -> list[Any]:
    files = [file for file in sorted(CAPTURES.glob("*/*.json")) if f"-{method}-" in file.name]
    return [pytest.param(file, id=f"{file.parent.name}/{file.stem}") for file in files]


def sent_bytes(file: Path, capture: dict[str, Any]) -> bytes:
    """The body as it was sent. Of an uncompressed one the capture has the value: its writer's form has its length."""
    raw = file.with_suffix(".raw")
    if raw.exists():
        return raw.read_bytes()
    if not capture["body"]:
        return b""
    forms = (
        json.dumps(capture["body"], ensure_ascii=False, separators=(",", ":")).encode(),
        json.dumps(capture["body"]).encode(),
    )
    return next(form for form in forms if len(form) == capture["raw_bytes"])


def send(server: CollectorServer, file: Path) -> tuple[int, dict[str, str], bytes, dict[str, Any]]:
    capture = json.loads(file.read_text(encoding="utf-8"))
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1])
    connection.putrequest(capture["method"], capture["path"], skip_host=True, skip_accept_encoding=True)
    for name, value in capture["headers"]:
        connection.putheader(name, value)
    connection.endheaders(sent_bytes(file, capture))
    answer = connection.getresponse()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    body = answer.read()
    connection.close()
    return answer.status, headers, body, capture


@pytest.mark.parametrize("file", requests("POST"))
def test_messages(file: Path, server: CollectorServer, sink: MemorySink) -> None:
    status, headers, answer, capture = send(server, file)
    sent = capture["body"].get("batch") or [capture["body"]]

    assert status == 200
    assert json.loads(answer) == {"success": True, "accepted": len(sent), "refused": 0}
    assert headers["content-type"] == "application/json"
    for message, own in zip(sink.messages, sent, strict=True):
        gone = {"writeKey"} | {name for name in ("userId", "anonymousId") if own.get(name, "") is None}
        expected = {name: value for name, value in own.items() if name not in STAMPED | gone}
        assert {name: value for name, value in message.items() if name not in STAMPED} == expected
        assert message["originalTimestamp"] == own["timestamp"]
        assert message["sentAt"] == (own.get("sentAt") or capture["body"]["sentAt"])
        context = {name: value for name, value in message["context"].items() if name != "collector"}
        context.pop("ip", None)
        assert context == own["context"]
        assert message["projectId"] in ("id_server", "id_web")
        assert ("ip" in message["context"]) is (message["projectId"] == "id_web")


@pytest.mark.parametrize("file", requests("OPTIONS"))
def test_preflights(file: Path, server: CollectorServer) -> None:
    status, headers, _, _ = send(server, file)

    assert status == 204
    assert headers["access-control-allow-origin"] == "http://localhost:18820"
    assert "authorization" in headers["access-control-allow-headers"].split(", ")
    assert "POST" in headers["access-control-allow-methods"]


@pytest.mark.parametrize("file", [file for file in requests("GET") if "settings." in file.values[0].name])
def test_settings(file: Path, server: CollectorServer) -> None:
    status, _, answer, capture = send(server, file)
    host = dict(capture["headers"])["Host"]

    assert status == 200
    segment = json.loads(answer)["integrations"]["Segment.io"]
    assert (segment["apiHost"], segment["protocol"]) == (f"{host}/v1", "http")
    assert segment["deliveryStrategy"]["strategy"] == "batching"


def test_a_chunked_body(server: CollectorServer, sink: MemorySink) -> None:
    """As analytics-kotlin sends it, which was not captured."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1])
    body = (b'{"batch":[{"type":"track","userId":"u"}],', b'"writeKey":"WK_NODE"}')
    connection.request("POST", "/v1/b", iter(body), {"Content-Type": "text/plain"}, encode_chunked=True)

    assert connection.getresponse().status == 200
    assert [message["userId"] for message in sink.messages] == ["u"]
    connection.close()


def test_a_body_that_is_too_long_is_not_read(server: CollectorServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1])
    connection.putrequest("POST", "/v1/b")
    connection.putheader("Content-Length", str(100_000_000))
    connection.endheaders()

    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize(
    "request_text",
    [
        # A body that is announced in chunks, and is none; sizes that are no numbers; requests that end in their body.
        'POST /v1/b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{"writeKey":"wk_secret"}\r\n',
        "POST /v1/b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        "POST /v1/b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "POST /v1/b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{}",
        "POST /v1/b HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /v1/b HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n",
        "POST /v1/b HTTP/1.1\r\nContent-Length: 50\r\n\r\n{}",
        "GET http://[::1/v1/batch HTTP/1.1\r\n\r\n",
    ],
)
def test_a_request_that_is_no_http_is_answered_and_nothing_of_it_is_logged(
    server: CollectorServer, capfd: pytest.CaptureFixture[str], request_text: str
) -> None:
    with socket.create_connection(("127.0.0.1", server.server_address[1])) as client:
        client.sendall(request_text.encode())
        client.shutdown(socket.SHUT_WR)
        answer = client.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert capfd.readouterr().err == ""
