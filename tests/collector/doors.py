"""A door without AWS: a sink in memory that can fail, sources from plain entries, and requests as Lambda gives them."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from clickstream_collector.answers import Answer
from clickstream_collector.collector import Door, Tally, answer
from clickstream_collector.delivery import Rhythm, SinkError
from clickstream_collector.http_event import read_event
from clickstream_collector.limiter import Limiter
from clickstream_collector.packing import Record
from clickstream_collector.sources import Sources, digest, read_sources

RECEIVED_AT = datetime(2026, 11, 28, 12, 0, 0, 123_456, UTC)
VIEWER = "203.0.113.77"
KEYS = {"web": "wk_web", "mobile": "wk_mobile", "server": "wk_server", "pixel": "wk_pixel"}

Json = dict[str, Any]


class MemorySink:
    """`stream`: records taken, in order; `objects`: by key.

    `put_faults` has an item for each PutRecords: None, "gone" (nothing is done), "lost" (done, and the answer is lost),
    or the numbers of the records that are refused. `object_faults`: for each PutObject, whether it fails.
    """

    def __init__(
        self,
        put_faults: Iterable[str | set[int] | None] = (),
        object_faults: Iterable[bool] = (),
    ) -> None:
        self.stream: list[Record] = []
        self.objects: dict[str, bytes] = {}
        self.calls: list[int] = []
        self._put_faults: Iterator[str | set[int] | None] = iter(put_faults)
        self._object_faults = iter(object_faults)

    def put_records(self, records: Sequence[Record]) -> list[str | None]:
        self.calls.append(len(records))
        fault = next(self._put_faults, None)
        if fault == "gone":
            raise SinkError("gone")
        refused = fault if isinstance(fault, set) else set()
        self.stream += [record for number, record in enumerate(records) if number not in refused]
        if fault == "lost":
            raise SinkError("lost")
        throttled = "ProvisionedThroughputExceededException"
        return [throttled if number in refused else None for number in range(len(records))]

    def put_object(self, key: str, body: bytes) -> None:
        if next(self._object_faults, False):
            raise SinkError("gone")
        self.objects[key] = body

    def check(self) -> None:
        if next(self._put_faults, None):
            raise SinkError("PutRecords: 400 AccessDeniedException")

    @property
    def messages(self) -> list[Json]:
        """What is on the stream, message by message."""
        return [json.loads(line) for record in self.stream for line in record.data.split(b"\n")]


class Time:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


def sources_of(entries: Mapping[str, Json], keys: Mapping[str, Json], host: str = "") -> Sources:
    """Sources from compiled entries; `keys` by write key."""
    hashed = {digest(key): entry for key, entry in keys.items()}
    return read_sources(json.dumps({"version": 1, "host": host, "sources": entries, "keys": hashed}).encode())


def sources(over: Mapping[str, Json] | None = None) -> Sources:
    """A source of each kind, named after it, with its key of KEYS; `over` has more members by kind."""
    entries = {kind: {"id": f"id_{kind}", "kind": kind, **(over or {}).get(kind, {})} for kind in KEYS}
    return sources_of(entries, {key: {"source": kind, "number": 1, "state": "active"} for kind, key in KEYS.items()})


def make_door(
    sink: Any, known: Sources | None = None, time: Time | None = None, random: Callable[[], float] = lambda: 0.5
) -> Door:
    """A door that knows `known`, or a source of each kind."""
    time, known = time or Time(), known or sources()
    return Door(lambda: known, sink, Limiter(time), Rhythm(time, time.sleep, random))


def event(
    method: str, path: str, body: bytes | str = b"", headers: Json | None = None, query: Json | None = None
) -> Json:
    """A request in payload format 2.0, with a body of bytes in base64, as AWS gives it for most content types."""
    is_binary = isinstance(body, bytes)
    return {
        "version": "2.0",
        "rawPath": path,
        "headers": {name.lower(): value for name, value in (headers or {}).items()},
        "queryStringParameters": query,
        "requestContext": {"http": {"method": method, "path": path, "sourceIp": VIEWER}, "requestId": "request-1"},
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": is_binary,
    }


def send(door: Door, *request: Any, **more: Any) -> tuple[Answer, Tally]:
    """Answer one request, given as for `event`."""
    return answer(read_event(event(*request, **more), RECEIVED_AT), door)


def basic(key: str) -> Json:
    """The header that most SDKs send."""
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
