"""The three calls to AWS: put records, put an object, get the sources. One kept connection for each service."""

import base64
import http.client
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from clickstream_collector.delivery import SinkError
from clickstream_collector.packing import Record
from clickstream_collector.signing import Credentials, signed_headers

KINESIS_SECONDS, S3_SECONDS = 1.0, 1.5
"""How long a call may take to connect, and then to be answered."""

_NOT_MODIFIED = 304
_LONGEST_KEY = 256


def now() -> datetime:
    """Return the time by which calls are signed."""
    return datetime.now(UTC)


class Service:
    """An AWS service in a region, called over a connection that is kept from call to call."""

    def __init__(
        self, name: str, variables: Mapping[str, str], seconds: float, clock: Callable[[], datetime] = now
    ) -> None:
        self._name, self._variables, self._seconds, self._clock = name, variables, seconds, clock
        self._region = variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION") or "us-east-1"
        domain = "amazonaws.com.cn" if self._region.startswith("cn-") else "amazonaws.com"
        self._url = urlsplit(variables.get("AWS_ENDPOINT_URL") or f"https://{name}.{self._region}.{domain}")
        self._connection: http.client.HTTPConnection | None = None

    def call(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers and body of the answer. Raises SinkError when there is none."""
        signed = signed_headers(
            self._credentials(),
            self._region,
            self._name,
            self._clock(),
            method=method,
            host=self._url.netloc,
            path=path,
            body=body,
            headers=headers or {},
        )
        was_kept = self._connection is not None
        try:
            return self._exchange(method, path, body, signed)
        except (OSError, http.client.HTTPException) as error:
            self._close()
            # A kept connection may have been closed at the other end long ago: that is no failure of the service.
            if was_kept and isinstance(error, ConnectionError):
                return self.call(method, path, body, headers)
            raise SinkError(f"{self._name}: {type(error).__name__}") from error

    def _exchange(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        self._connection = self._connection or self._connect()
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        return kind(str(self._url.hostname), self._url.port, timeout=self._seconds)

    def _close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None

    def _credentials(self) -> Credentials:
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        return Credentials(*(self._variables.get(name, "") for name in names))


class AwsSink:
    """The stream and the raw bucket: see delivery.Sink."""

    def __init__(self, kinesis: Service, s3: Service, stream: str, bucket: str) -> None:
        self._kinesis, self._s3, self._stream, self._bucket = kinesis, s3, stream, bucket

    def put_records(self, records: Sequence[Record]) -> list[str | None]:
        """Call PutRecords."""
        entries = [{"Data": base64.b64encode(one.data).decode(), "PartitionKey": one.key} for one in records]
        status, answer = self._put(entries)
        if status != 200 or len(answer.get("Records", [])) != len(records):
            raise SinkError(f"PutRecords: {status} {_code(answer)}")
        return [one.get("ErrorCode") for one in answer["Records"]]

    def put_object(self, key: str, body: bytes) -> None:
        """Call PutObject, in the raw bucket."""
        status, _, answer = self._s3.call("PUT", f"/{self._bucket}/{key}", body)
        if status != 200:
            raise SinkError(f"PutObject: {status} {answer[:200]!r}")

    def check(self) -> None:
        """Call PutRecords with a record that no stream accepts, its partition key too long: it is refused for that
        when records would be taken, and for something else when they would not.
        """
        status, answer = self._put([{"Data": "", "PartitionKey": "x" * (_LONGEST_KEY + 1)}])
        if status != 400 or _code(answer) not in ("ValidationException", "InvalidArgumentException"):
            raise SinkError(f"PutRecords: {status} {_code(answer)}")

    def _put(self, entries: list[dict[str, str]]) -> tuple[int, dict[str, Any]]:
        body = json.dumps({"StreamName": self._stream, "Records": entries}).encode()
        headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "Kinesis_20131202.PutRecords"}
        status, _, answer = self._kinesis.call("POST", "/", body, headers)
        try:
            read = json.loads(answer)
        except ValueError:
            raise SinkError(f"PutRecords: {status}, and no JSON") from None
        return status, read if isinstance(read, dict) else {}


def _code(answer: Mapping[str, Any]) -> str:
    return str(answer.get("__type", "")).rpartition("#")[2]


def fetch_object(s3: Service, bucket: str, key: str) -> Callable[[str], tuple[str, bytes] | None]:
    """Return what reads an object unless it is still the one of an ETag; see current_sources.Fetch."""

    def fetch(etag: str) -> tuple[str, bytes] | None:
        try:
            status, headers, body = s3.call("GET", f"/{bucket}/{key}", headers={"if-none-match": etag} if etag else {})
        except SinkError as error:
            raise OSError(str(error)) from error
        if status == _NOT_MODIFIED:
            return None
        if status != 200:
            raise OSError(f"GetObject: {status}")
        return headers.get("etag") or "", body

    return fetch
