"""The collector on 127.0.0.1: an HTTP server that hands each request to the function's code, as Lambda's front does.

`python -m local.collector` puts what it takes on the stream of the local AWS, and serves the shop's page. It reads
include/sources.yaml again when it was changed, and knows one source more, of the demo.
"""

import base64
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import uuid4

from local import cloudwatch
from local.pipeline import aws_client
from local.places import LocalError, Places, open_places
from local.segment.sources import BACK_OFFICE, BACK_OFFICE_KEY
from local.services import ACCESS_KEY, REGION, SECRET_KEY
from local.shop import Pages, analytics_js, shop, web_key
from tools.sources_file import SOURCES_FILE, SourcesFileError, compile_sources, read_file

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lambdas" / "src"))

from clickstream.plan.file import PLAN_FILE, TrackingPlanError, read_plan
from clickstream_collector.aws import KINESIS_SECONDS, S3_SECONDS, AwsSink, Service
from clickstream_collector.collector import Door, answer, log_fields, metrics_of
from clickstream_collector.current_sources import CurrentSources, Fetch
from clickstream_collector.delivery import Rhythm, Sink
from clickstream_collector.http_event import read_event
from clickstream_collector.limiter import Limiter
from clickstream_stream.metrics import metric_line

PORT = 8700
MAX_BYTES = 6 * 1024 * 1024
"""Longest body: a front of Lambda has such a limit too."""

DEMO_SOURCES = {
    "back_office": {
        "id": BACK_OFFICE.project_id,
        "kind": "server",
        "keys": [{"key": BACK_OFFICE_KEY, "state": "active"}],
    },
}

Event = dict[str, Any]
Respond = Callable[[Event], Event]

# Bodies of these types are handed over as text, others in base64, as at a function URL.
_TEXT = ("text/", "application/json", "application/javascript", "application/xml")


def to_event(method: str, target: str, headers: Mapping[str, str], body: bytes, address: str) -> Event:
    """Return a request in payload format 2.0: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html"""
    url = urlsplit(target)
    named = {name.lower(): value for name, value in headers.items()}
    text = _as_text(named, body)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(url.path),
        "rawQueryString": url.query,
        "headers": {**named, "x-forwarded-proto": "http"},
        "queryStringParameters": dict(parse_qsl(url.query, keep_blank_values=True)) or None,
        "requestContext": {
            "http": {"method": method, "path": url.path, "protocol": "HTTP/1.1", "sourceIp": address},
            "requestId": str(uuid4()),
        },
        "body": base64.b64encode(body).decode() if text is None else text,
        "isBase64Encoded": text is None,
    }


def _as_text(headers: Mapping[str, str], body: bytes) -> str | None:
    if "content-encoding" in headers or not headers.get("content-type", "").startswith(_TEXT):
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


class CollectorServer(ThreadingHTTPServer):
    """A server that answers each request with the response of `respond`, or with one of `pages`.

    Port 0 means a free one.
    """

    daemon_threads = True
    # Connections that wait to be accepted: browsers and SDKs open some at once, and five are soon reached.
    request_queue_size = 128

    def __init__(self, respond: Respond, port: int = 0, pages: Pages = lambda path: None) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.respond, self.pages = respond, pages

    @property
    def url(self) -> str:
        """Where SDKs send to."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body leave in one segment
    server: CollectorServer

    def handle_any(self) -> None:
        """Answer one request."""
        try:
            path, body = urlsplit(self.path).path, self._body()
        except ValueError:
            # Nothing of the request may be in a log, as it is in a traceback.
            self.close_connection = True
            self.send_error(400)
            return
        if body is None:
            self.close_connection = True
            self.send_error(413)
            return
        page = self.server.pages(path) if self.command == "GET" else None
        if page is not None:
            self._send(200, {"content-type": page[0], "cache-control": "no-cache"}, page[1])
            return
        event = to_event(self.command, self.path, dict(self.headers.items()), body, self.client_address[0])
        found = self.server.respond(event)
        content = found["body"].encode() if not found["isBase64Encoded"] else base64.b64decode(found["body"])
        self._send(found["statusCode"], found["headers"], content, found.get("cookies", ()))

    def _send(self, status: int, headers: Mapping[str, str], content: bytes, cookies: Sequence[str] = ()) -> None:
        self.send_response(status)
        for name, value in [*headers.items(), *(("set-cookie", cookie) for cookie in cookies)]:
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_OPTIONS = do_PUT = do_DELETE = do_HEAD = handle_any  # noqa: N815 - names of http.server

    def _body(self) -> bytes | None:
        """Return the body, by Content-Length or in chunks; None if it is too long. Raises ValueError if it is torn."""
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        length = _whole(self.headers.get("content-length") or "0", 10)
        return self._read(length) if length <= MAX_BYTES else None

    def _read(self, length: int) -> bytes:
        found = self.rfile.read(length)
        if len(found) < length:
            raise ValueError("the request ends in its body")
        return found

    def _chunks(self) -> bytes | None:
        body = b""
        while size := _whole(self.rfile.readline(100).partition(b";")[0].decode("ascii").strip(), 16):
            if len(body) + size > MAX_BYTES:
                return None
            body += self._read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, format: str, *args: Any) -> None:
        """Log no line a request: the function has one of its own."""


def _whole(text: str, base: int) -> int:
    """Return a whole number of digits only. Raises ValueError."""
    if not text.isalnum():
        raise ValueError("not a whole number")
    return int(text, base)


def responder(door: Door, log: Callable[[str], None]) -> Respond:
    """Return the function's handler of events, with that door: one at a time, as in a process of Lambda."""
    turn, of_log = Lock(), Lock()

    def respond(event: Event) -> Event:
        request = read_event(event, datetime.now(UTC))
        with turn:
            found, tally = answer(request, door)
        fields = log_fields(tally, found.status, request)
        with of_log:
            log(metric_line(metrics_of(tally), fields, request.received_at.timestamp()))
        return found.to_event()

    return respond


def make_door(fetch: Fetch, sink: Sink) -> Door:
    """Return a door in this process."""
    clock = Rhythm(time.monotonic, time.sleep, random.random)
    return Door(CurrentSources(fetch, time.monotonic, print).get, sink, Limiter(time.monotonic), clock)


def compiled_file(file: Path, more: Mapping[str, Any] = MappingProxyType({})) -> Fetch:
    """Return what the collector finds in S3, compiled from this file and `more` sources.

    A wrong file is a broken version.
    """

    def fetch(etag: str) -> tuple[str, bytes] | None:
        changed = f"{file.stat().st_mtime_ns} {PLAN_FILE.stat().st_mtime_ns}"
        if changed == etag:
            return None
        try:
            read = read_file(file)
            return changed, compile_sources({**read, "sources": {**more, **read["sources"]}}, read_plan()).encode()
        except (SourcesFileError, TrackingPlanError) as error:
            raise OSError(str(error)) from error

    return fetch


def local_sink(places: Places) -> AwsSink:
    """Return the stream and the raw bucket of the local stack. Raises LocalError before it is deployed."""
    settings = places.settings()
    return sink_of(places.aws_url, settings["CLICKSTREAM_STREAM"], settings["CLICKSTREAM_RAW_BUCKET"])


def sink_of(aws_url: str, stream: str, bucket: str) -> AwsSink:
    """Return a stream and a bucket of a local AWS."""
    variables = {
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }
    kinesis, s3 = (
        Service(name, variables, seconds) for name, seconds in (("kinesis", KINESIS_SECONDS), ("s3", S3_SECONDS))
    )
    return AwsSink(kinesis, s3, stream, bucket)


def shop_pages() -> Pages:
    """Return the shop's pages; without npm, one that says that it is needed."""
    try:
        return shop(analytics_js(), lambda: web_key(read_file()))
    except LocalError as error:
        notice = ("text/plain; charset=utf-8", f"There is no shop: {error}\n".encode())
        return lambda path: notice if path == "/" else None


def main(port: int = PORT) -> int:
    """Serve until interrupted."""
    places = open_places()
    try:
        sink = local_sink(places)
    except LocalError as error:
        print(f"clickstream: {error}", file=sys.stderr)
        return 1
    log = cloudwatch.logger(aws_client("cloudwatch", places), print)
    respond = responder(make_door(compiled_file(SOURCES_FILE, DEMO_SOURCES), sink), log)
    with CollectorServer(respond, port, shop_pages()) as server:
        print(f"collector and shop at {server.url}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
