"""The function under AWS's own runtime client, with Kinesis and S3 over HTTP: real connections, real signatures."""

import base64
import gzip
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from clickstream.staging.redrive import failed_records
from clickstream_stream.records import transform_batch
from local.runtime_api import Function
from tests.collector.doors import basic, event
from tools.sources_file import compile_sources, read_file

HANDLER = "clickstream_collector.handler.lambda_handler"
CONFIG = "/config/collector/sources.json"


class Aws(ThreadingHTTPServer):
    """Kinesis and S3 at one address. `down`: services that answer 500; `ends`: connections end after each answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {CONFIG: compile_sources(read_file()).encode()}
        self.stream: list[bytes] = []
        self.down: set[str] = set()
        self.ends = False

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        service = "kinesis" if (method, path) == ("POST", "/") else "s3"
        if service in self.down:
            return 500, b"{}"
        if service == "kinesis":
            records = [base64.b64decode(record["Data"]) for record in json.loads(body)["Records"]]
            self.stream += records
            return 200, json.dumps({"FailedRecordCount": 0, "Records": [{}] * len(records)}).encode()
        if method == "PUT":
            self.objects[path] = body
        return 200, self.objects[path]

    @property
    def messages(self) -> list[Any]:
        """What the transform makes of the stream."""
        data = [{"recordId": "1", "data": base64.b64encode(record).decode()} for record in self.stream]
        results = transform_batch(data).results
        return [json.loads(line) for one in results for line in base64.b64decode(one["data"]).splitlines()]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body leave in one segment
    server: Aws

    def handle_any(self) -> None:
        assert self.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")
        status, body = self.server.answer(
            self.command, self.path, self.rfile.read(int(self.headers.get("content-length") or 0))
        )
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.server.ends

    do_GET = do_PUT = do_POST = handle_any  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def aws() -> Iterator[Aws]:
    with Aws() as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def function(aws: Aws) -> Iterator[Function]:
    environment = {
        "CLICKSTREAM_STREAM": "events",
        "CLICKSTREAM_RAW_BUCKET": "raw-bucket",
        "CLICKSTREAM_SOURCES_BUCKET": "config",
        "CLICKSTREAM_SOURCES_KEY": "collector/sources.json",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{aws.server_address[1]}",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    with Function(HANDLER, environment) as function:
        yield function


def send(function: Function, *ids: str) -> dict[str, Any]:
    batch = [{"type": "track", "userId": "u", "messageId": one} for one in ids]
    kind, answer = function.invoke(
        event("POST", "/v1/batch", gzip.compress(json.dumps({"batch": batch}).encode()), basic("wk_example_orders"))
    )
    assert kind == "response"
    return dict(answer)


def ids(messages: list[Any]) -> list[str]:
    return [message["messageId"] for message in messages]


@pytest.mark.promise("P11")
@pytest.mark.scenario("X46", "X47")
def test_a_day_of_faults(aws: Aws, function: Function) -> None:
    """Whatever is down, each message that was answered with 200 is on the stream or in an object."""
    assert send(function, "a", "b")["statusCode"] == 200
    assert ids(aws.messages) == ["a", "b"]

    aws.ends = True
    assert send(function, "c")["statusCode"] == 200
    aws.ends = False
    assert send(function, "d")["statusCode"] == 200
    assert ids(aws.messages) == ["a", "b", "c", "d"]

    aws.down = {"kinesis"}
    assert send(function, "e")["statusCode"] == 200
    [(spilled, body)] = [(key, body) for key, body in aws.objects.items() if key.startswith("/raw-bucket/raw/")]
    assert spilled.endswith(".gz")
    assert ids([json.loads(line) for line in gzip.decompress(body).splitlines()]) == ["e"]

    aws.down = {"kinesis", "s3"}
    answer = send(function, "f")
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (503, "not_taken")
    assert int(answer["headers"]["retry-after"]) >= 30

    aws.down = set()
    assert send(function, "f")["statusCode"] == 200
    assert ids(aws.messages) == ["a", "b", "c", "d", "f"]


def test_what_is_refused_can_be_redriven(aws: Aws, function: Function) -> None:
    body = b'{"batch":[{"event":"no type"},{"type":"track","messageId":"a"}]}'
    kind, answer = function.invoke(event("POST", "/v1/batch", body, basic("wk_example_orders")))

    assert kind == "response"
    assert json.loads(answer["body"]) == {"success": True, "accepted": 1, "refused": 1}
    (kept,) = [body for key, body in aws.objects.items() if key.startswith("/raw-bucket/refused/")]
    assert [json.loads(record)["event"] for record in failed_records(kept)] == ["no type"]


@pytest.mark.scenario("X48")
def test_before_the_sources_can_be_read(aws: Aws, function: Function) -> None:
    aws.down = {"s3"}
    assert send(function, "a")["statusCode"] == 503
    aws.down = set()
    assert send(function, "a")["statusCode"] == 200
    assert ids(aws.messages) == ["a"]
