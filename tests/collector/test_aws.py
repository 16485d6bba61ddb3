"""The calls to AWS: their signature beside botocore's, and what is made of answers and of connections that end."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from clickstream_collector.aws import AwsSink, Service, fetch_object
from clickstream_collector.delivery import SinkError
from clickstream_collector.packing import Record
from clickstream_collector.signing import Credentials, signed_headers

NOW = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)
SEGMENT = st.text(alphabet="abcXYZ019-._~/", max_size=20)


@pytest.fixture(scope="module", autouse=True)
def frozen() -> Iterator[None]:
    """botocore signs at NOW."""
    patch = pytest.MonkeyPatch()
    # botocore's own tests freeze it in this place.
    patch.setattr("botocore.auth.get_current_datetime", lambda: NOW.replace(tzinfo=None))
    yield
    patch.undo()


@given(
    st.sampled_from(["kinesis", "s3"]), st.sampled_from(["GET", "PUT", "POST"]), SEGMENT, st.binary(max_size=50),
    st.sampled_from(["", "token"]),
    st.dictionaries(st.sampled_from(["content-type", "x-amz-target", "if-none-match"]), st.just('"a b/c"'), max_size=3),
)  # fmt: skip
def test_the_signature_is_botocores(
    service: str, method: str, path: str, body: bytes, token: str, headers: dict[str, str]
) -> None:
    host = f"{service}.eu-west-1.amazonaws.com"
    # botocore takes dot segments out of the path of services other than S3; the collector has none.
    path = f"/bucket/{path}" if service == "s3" else "/"
    ours = signed_headers(
        Credentials("AKID", "secret", token), "eu-west-1", service, NOW,
        method=method, host=host, path=path, body=body, headers=headers,
    )  # fmt: skip
    request = AWSRequest(method, f"https://{host}{path}", headers=headers, data=body)
    if service == "kinesis":
        request.headers["X-Amz-Content-SHA256"] = ours["x-amz-content-sha256"]
    kind = S3SigV4Auth if service == "s3" else SigV4Auth
    signer = kind(BotoCredentials("AKID", "secret", token or None), service, "eu-west-1")
    signer.add_auth(request)

    assert ours["authorization"] == request.headers["Authorization"]


class Aws(HTTPServer):
    """Answers each request with the next of `answers`: status, headers and body, or None to end the connection."""

    def __init__(self, answers: list[tuple[int, dict[str, str], bytes] | None]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = answers
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []

    def service(self, name: str) -> Service:
        variables = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.server_address[1]}", "AWS_REGION": "eu-west-1"}
        return Service(name, {**variables, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, 2.0)

    def sink(self) -> AwsSink:
        return AwsSink(self.service("kinesis"), self.service("s3"), "events", "raw-bucket")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body leave in one segment
    server: Aws

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append((self.command, self.path, headers, body))
        answer = self.server.answers.pop(0)
        if answer is None:
            self.close_connection = True
            return
        status, more, content = answer
        self.send_response(status)
        for name, value in {**more, "content-length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = handle_any  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def aws() -> Iterator[Aws]:
    with Aws([]) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


RECORDS = [Record(b'{"a":1}', "k1", 1), Record(b'{"a":2}', "k2", 1)]
THROTTLED = "ProvisionedThroughputExceededException"


def told(value: Any, status: int = 200) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(value).encode()


def test_put_records(aws: Aws) -> None:
    aws.answers = [told({"FailedRecordCount": 1, "Records": [{"SequenceNumber": "1"}, {"ErrorCode": THROTTLED}]})]

    assert aws.sink().put_records(RECORDS) == [None, THROTTLED]

    method, path, headers, body = aws.seen[0]
    assert (method, path, headers["x-amz-target"]) == ("POST", "/", "Kinesis_20131202.PutRecords")
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=a/")
    assert "/eu-west-1/kinesis/aws4_request" in headers["authorization"]
    assert json.loads(body) == {
        "StreamName": "events",
        "Records": [
            {"Data": base64.b64encode(b'{"a":1}').decode(), "PartitionKey": "k1"},
            {"Data": base64.b64encode(b'{"a":2}').decode(), "PartitionKey": "k2"},
        ],
    }


@pytest.mark.parametrize(
    "answer",
    [
        told({"__type": "AccessDeniedException", "message": "no"}, 400),
        told({"__type": "InternalFailure"}, 500),
        told({"Records": [{}]}),
        told([]),
        (200, {}, b"<html>"),
        None,
    ],
)
def test_a_call_that_fails_as_a_whole(aws: Aws, answer: Any) -> None:
    aws.answers = [answer]

    with pytest.raises(SinkError):
        aws.sink().put_records(RECORDS)


def test_a_kept_connection_that_was_closed_is_made_again(aws: Aws) -> None:
    good = told({"Records": [{}, {}]})
    aws.answers = [good, None, good]
    sink = aws.sink()

    assert sink.put_records(RECORDS) == [None, None]
    assert sink.put_records(RECORDS) == [None, None]
    assert len(aws.seen) == 3


def test_put_object(aws: Aws) -> None:
    aws.answers = [(200, {}, b""), (403, {}, b"<Error><Code>AccessDenied</Code></Error>")]
    sink = aws.sink()

    sink.put_object("raw/2026/11/28/12/collector-1-a.gz", b"bytes")
    with pytest.raises(SinkError, match="403"):
        sink.put_object("refused/x", b"")
    assert aws.seen[0][:2] == ("PUT", "/raw-bucket/raw/2026/11/28/12/collector-1-a.gz")
    assert aws.seen[0][3] == b"bytes"


def test_sources_are_fetched_only_when_they_changed(aws: Aws) -> None:
    aws.answers = [(200, {"ETag": '"1"'}, b"{}"), (304, {}, b""), (403, {}, b""), None]
    fetch = fetch_object(aws.service("s3"), "bucket", "sources.json")

    assert fetch("") == ('"1"', b"{}")
    assert fetch('"1"') is None
    assert "if-none-match" not in aws.seen[0][2]
    assert aws.seen[1][2]["if-none-match"] == '"1"'
    with pytest.raises(OSError, match="403"):
        fetch('"1"')


@pytest.mark.parametrize(
    ("answer", "is_well"),
    [
        (told({"__type": "ValidationException"}, 400), True),
        (told({"__type": "com.amazonaws.kinesis#InvalidArgumentException"}, 400), True),
        (told({"__type": "AccessDeniedException"}, 400), False),
        (told({"__type": "ResourceNotFoundException"}, 400), False),
        (told({}, 503), False),
    ],
)
def test_check(aws: Aws, answer: Any, is_well: bool) -> None:
    aws.answers = [answer]
    if is_well:
        aws.sink().check()
    else:
        with pytest.raises(SinkError):
            aws.sink().check()


def test_a_service_that_is_not_there_is_no_exception_but_its_own() -> None:
    service = Service("kinesis", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, 1.0)

    with pytest.raises(SinkError, match="kinesis"):
        service.call("POST", "/")
