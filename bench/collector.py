"""What the collector costs under AWS's own runtime client, beside an empty handler and one with jsonschema and boto3.

Kinesis and S3 answer at once from this process, so that the CPU of the function is its own work and its HTTP client's.
"""

import base64
import gzip
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from bench.effort import Effort
from bench.lambdas import HANDLERS
from local.aws_deploy import SOURCE
from local.collector import make_door, responder
from local.lake.machine import Machine
from local.places import ENVIRONMENTS
from local.runtime_api import Function
from local.segment.events import generate_day
from tools.sources_file import compile_sources

from clickstream.plan.file import read_plan  # isort: skip - tools.sources_file leads to the package
from clickstream_collector.packing import Record  # isort: skip

# jsonschema is in the environment of the tests.
PYTHON = ENVIRONMENTS / "test" / "bin" / "python"
OURS = "clickstream_collector.handler.lambda_handler"
HANDLER = {
    "collector": OURS,
    "collector, plan judged": OURS,
    "jsonschema and boto3": "jsonschema_collector.lambda_handler",
    "nothing (the harness)": "empty.lambda_handler",
}
KEYS = {"collector": "wk_bench_plain", "collector, plan judged": "wk_bench_judged"}
SDK_BATCH_BYTES = 500_000
"""The longest body that SDKs send, before gzip."""

Json = dict[str, Any]


class _Aws(ThreadingHTTPServer):
    """Kinesis and S3: each record is taken, and the sources are the object that is asked for."""

    daemon_threads = True
    config = b""


class _NoSink:
    """A stream and a bucket that cost nothing."""

    def put_records(self, records: Sequence[Record]) -> list[str | None]:
        return [None] * len(records)

    def put_object(self, key: str, body: bytes) -> None: ...

    def check(self) -> None: ...


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body leave in one segment
    server: _Aws

    def do_GET(self) -> None:
        self._send(self.server.config)

    def do_POST(self) -> None:
        count = self.rfile.read(int(self.headers["content-length"])).count(b'"PartitionKey"')
        records = [{"SequenceNumber": "1", "ShardId": "1"}] * count
        self._send(json.dumps({"FailedRecordCount": 0, "Records": records}).encode())

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/x-amz-json-1.1")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def run(machine: Machine | None, effort: Effort, say: Callable[[str], None]) -> Json:
    """Return each request by each handler. Raises AssertionError when one does not take all events."""
    calls, starts = effort.choose((3, 1), (300, 5), (1000, 15))
    batches = _batches()
    rows: dict[tuple[str, str], Json] = {}
    with tempfile.TemporaryDirectory() as folder, _Aws(("127.0.0.1", 0), _Handler) as aws:
        environment = _environment(aws, Path(folder))
        Thread(target=aws.serve_forever, args=(0.01,), daemon=True).start()
        for size, batch in batches.items():
            for name, row in _compare(batch, environment, calls).items():
                alone = {"CPU ms without HTTP": _alone(name, batch, aws.config, calls)} if name in KEYS else {}
                rows[size, name] = {"case": f"{size}: {name}", **row, **alone}
                say(f"{size}: {name}: {row['CPU ms a call']} ms of CPU")
        for _ in range(starts):
            for name in HANDLER:
                began = time.perf_counter()
                with _function(name, environment) as function:
                    function.invoke(_request(name, batches["1 event"]))
                    rows["1 event", name].setdefault("ms cold", []).append(1000 * (time.perf_counter() - began))
        aws.shutdown()
    about = {"calls": calls, "events of the long batch": len(batches["500 KB, gzip"])}
    return {"title": "The collector", "about": about, "rows": list(rows.values())}


def _compare(batch: list[Json], environment: Mapping[str, str], calls: int) -> dict[str, Json]:
    """Call each handler in turn, so that whatever else the machine does falls on all of them."""
    requests = {name: _request(name, batch) for name in HANDLER}
    times: dict[str, list[float]] = {name: [] for name in HANDLER}
    with ExitStack() as stack:
        functions = {name: stack.enter_context(_function(name, environment)) for name in HANDLER}
        for name, function in functions.items():
            for _ in range(3):
                _, answer = function.invoke(requests[name])
            assert not answer or json.loads(answer["body"])["accepted"] == len(batch), answer
        before = {name: function.cpu_seconds() for name, function in functions.items()}
        for _ in range(calls):
            for name, function in functions.items():
                began = time.perf_counter()
                function.invoke(requests[name])
                times[name].append(1000 * (time.perf_counter() - began))
        return {
            name: {
                "ms a call": times[name],
                "CPU ms a call": round(1000 * (function.cpu_seconds() - before[name]) / calls, 2),
                "memory MB": round(function.memory_bytes() / 2**20, 1),
            }
            for name, function in functions.items()
        }


def _alone(name: str, batch: list[Json], config: bytes, calls: int) -> list[float]:
    """Return the CPU of a call in this process, without the runtime client and the calls of Kinesis."""
    respond = responder(make_door(lambda etag: None if etag else ("1", config), _NoSink()), lambda line: None)
    request = _request(name, batch)
    each = []
    for _ in range(calls):
        began = time.process_time()
        respond(request)
        each.append(1000 * (time.process_time() - began))
    return each


def _function(name: str, environment: Mapping[str, str]) -> Function:
    return Function(HANDLER[name], dict(environment), python=PYTHON)


def _environment(aws: _Aws, folder: Path) -> dict[str, str]:
    """Return the functions' environment; the sources and the plan are there."""
    sources = {
        key: {"id": key, "kind": "server", "keys": [{"key": key, "state": "active"}], "plan": {"at_door": at_door}}
        for key, at_door in zip(KEYS.values(), ("off", "flag"), strict=True)
    }
    aws.config = compile_sources({"version": 1, "sources": sources}, read_plan()).encode()
    plan = folder / "plan.json"
    plan.write_text(json.dumps(json.loads(aws.config)["plan"]["schemas"]), encoding="utf-8")
    return {
        "PYTHONPATH": f"{SOURCE}:{HANDLERS}",
        "PLAN_FILE": str(plan),
        "CLICKSTREAM_STREAM": "events",
        "CLICKSTREAM_RAW_BUCKET": "raw",
        "CLICKSTREAM_SOURCES_BUCKET": "config",
        "CLICKSTREAM_SOURCES_KEY": "sources.json",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{aws.server_address[1]}",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def _batches() -> dict[str, list[Json]]:
    """Return one event, a hundred, and as many as the longest body of SDKs holds."""
    events: list[Json] = []
    for record in generate_day(3, datetime.now(UTC), 60):
        try:
            message = json.loads(record)
        except ValueError:
            continue
        if isinstance(message, dict) and message.get("messageId"):
            events.append(message)
    size, count = 0, 0
    while size < SDK_BATCH_BYTES:
        size += len(json.dumps(events[count]))
        count += 1
    return {"1 event": events[:1], "100 events": events[:100], "500 KB, gzip": events[: count - 1]}


def _request(name: str, batch: list[Json]) -> Json:
    body = json.dumps({"batch": batch}).encode()
    packed = gzip.compress(body) if len(batch) > 100 else body
    authorization = base64.b64encode(f"{KEYS.get(name, '')}:".encode()).decode()
    return {
        "version": "2.0",
        "rawPath": "/v1/batch",
        "headers": {"authorization": f"Basic {authorization}", "content-type": "application/json"},
        "requestContext": {
            "http": {"method": "POST", "path": "/v1/batch", "sourceIp": "203.0.113.7"},
            "requestId": "1",
        },
        "body": base64.b64encode(packed).decode(),
        "isBase64Encoded": True,
    }
