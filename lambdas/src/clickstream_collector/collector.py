"""One request answered: its messages accepted, refused and kept, or to be retried. Knows neither AWS nor time."""

import binascii
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from clickstream_collector import answers
from clickstream_collector.answers import Answer
from clickstream_collector.body import Batch, BodyError, read_batch, read_message, unpack
from clickstream_collector.delivery import (
    REFUSED_PREFIX,
    SPILL_PREFIX,
    NotTakenError,
    Rhythm,
    Sink,
    SinkError,
    deliver,
    object_key,
)
from clickstream_collector.http_event import Request
from clickstream_collector.limiter import Limiter
from clickstream_collector.packing import pack
from clickstream_collector.plan import Judge
from clickstream_collector.refusals import REDRIVEN_BYTES, Refusal, error_lines
from clickstream_collector.routes import Route, find_route
from clickstream_collector.sources import Source, Sources
from clickstream_collector.stamp import Arrival, RefusedError, Stamped, stamp
from clickstream_stream.metrics import Metrics

SEGMENT_BYTES = 32 * 1024
"""Segment answers 400 for a batch with a longer message; such a message is accepted here, and counted."""

_LEAST_WAIT, _MORE_WAIT = 30, 60
_REDACTED = b"(write key)"
_KEY_MEMBER = re.compile(rb'("writeKey"\s*+:\s*+")(?:[^"\\]|\\.)*+')
"""In what is no JSON as a whole. Any key counts, however it is written: it may be another source's."""
_ORIGIN = re.compile(r"https?://(?P<host>[A-Za-z0-9.-]+)(:[0-9]+)?")
_COOKIE_VALUE = re.compile(r"[A-Za-z0-9._~-]{1,128}")
"""An id that needs no encoding in a cookie; the SDK makes UUIDs."""


@dataclass
class Tally:
    """The outcome of a request. `received` = `accepted` + `refused` when its messages were looked at, else all are 0.

    `spilled`: accepted, but by way of the bucket; `unkept`: refused, and not kept though they should be. `key` is the
    number of the source's key that was used: never the key. `violating`: messages that break a rule of the tracking
    plan, by event; `unjudged`: those whose judgement would have taken too long. `has_failed`: nothing was taken, for
    another reason than what was sent.
    """

    received: int = 0
    accepted: int = 0
    spilled: int = 0
    large: int = 0
    unidentified: int = 0
    unkept: int = 0
    unjudged: int = 0
    retry: int = 0
    source: str = ""
    key: int = 0
    key_state: str = ""
    code: str = ""
    has_failed: bool = False
    reasons: Counter[str] = field(default_factory=Counter)
    violating: Counter[str] = field(default_factory=Counter)

    @property
    def refused(self) -> int:
        return self.reasons.total()


@dataclass(frozen=True)
class Door:
    """What a request is answered with. `sources` returns None when none could be read yet."""

    sources: Callable[[], Sources | None]
    sink: Sink
    limiter: Limiter
    rhythm: Rhythm
    path_prefix: str = ""


class _TurnedAwayError(Exception):
    """A request that is not taken; the answer says why."""

    def __init__(self, status: int, code: str, text: str, retry_after: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.is_failure = status >= 500 and code != "paused"
        self.answer = answers.failed(status, code, text, retry_after)


def answer(request: Request, door: Door) -> tuple[Answer, Tally]:
    """Return the answer to a request, and its outcome. Never raises for what a request holds."""
    tally = Tally()
    route = find_route(request.method, request.path)
    sources = door.sources()
    try:
        if sources is None:
            raise _TurnedAwayError(503, "not_ready", "the sources cannot be read", _wait(door))
        found = _respond(route, request, door, sources, tally)
    except _TurnedAwayError as turned:
        tally.code, tally.has_failed = turned.code, turned.is_failure
        if route.kind == "pixel":
            return answers.pixel(), tally
        found = turned.answer
    return _for_page(found, request, sources, tally), tally


def _respond(route: Route, request: Request, door: Door, sources: Sources, tally: Tally) -> Answer:
    if route.kind in ("batch", "message"):
        return _collect(route, request, door, sources, tally)
    if route.kind == "pixel":
        return _collect_pixel(route, request, door, sources, tally)
    if route.kind == "settings":
        return _settings(route, request, door, sources)
    if route.kind == "preflight":
        if request.origin and not sources.allow_somewhere(request.origin):
            raise _TurnedAwayError(403, "origin_not_allowed", "no source accepts events from this page")
        return answers.preflight(request)
    if route.kind == "metrics":
        return answers.taken(0, 0)
    if route.kind == "health":
        return _health(door)
    if route.kind == "plan":
        return _plan(request, sources)
    if route.kind == "validate":
        return _validate(request, door, sources, tally)
    raise _TurnedAwayError(404, "not_found", "no such path")


def _collect(route: Route, request: Request, door: Door, sources: Sources, tally: Tally) -> Answer:
    try:
        batch = _read(route, request, door)
    except BodyError as error:
        _keep_body(error, request, door, sources, tally)
        raise _TurnedAwayError(error.status, error.code, str(error)) from None
    write_key = find_key(request, batch)
    source = _admit(write_key, request, batch, door, sources, tally)
    return _take(batch, route.type, request, door, source, write_key, sources, tally)


def _read(route: Route, request: Request, door: Door) -> Batch:
    if request.body is None:
        raise _TurnedAwayError(503, "body_mangled", "the body was damaged on its way", _wait(door))
    body = unpack(request.body)
    return read_batch(body) if route.kind == "batch" else read_message(body)


def _collect_pixel(route: Route, request: Request, door: Door, sources: Sources, tally: Tally) -> Answer:
    data = request.query.get("data", "").replace("-", "+").replace("_", "/").replace(" ", "+").rstrip("=")
    try:
        batch = read_message(unpack(binascii.a2b_base64(data + "=" * (-len(data) % 4))))
    except (ValueError, BodyError):
        raise _TurnedAwayError(400, "invalid_json", "data is no JSON object in base64") from None
    write_key = find_key(request, batch)
    source = _admit(write_key, request, batch, door, sources, tally)
    _take(batch, route.type, request, door, source, write_key, sources, tally)
    return answers.pixel()


def find_key(request: Request, batch: Batch | None) -> str:
    """Return the write key: of Basic authorization, body, its first message, header, or query; else empty."""
    first = batch.messages[0] if batch and batch.messages else None
    candidates = (
        _basic_user(request.headers.get("authorization", "")),
        batch.shared.get("writeKey") if batch else None,
        first.get("writeKey") if isinstance(first, Mapping) else None,
        request.headers.get("x-write-key"),
        request.query.get("writeKey"),
    )
    return next((one for one in candidates if isinstance(one, str) and one), "")


def _basic_user(authorization: str) -> str:
    """Return the user of `Basic <base64 of user:password>`; some leave the colon out."""
    scheme, _, encoded = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return binascii.a2b_base64(encoded).decode("utf-8").partition(":")[0]
    except ValueError:
        return ""


def _admit(write_key: str, request: Request, batch: Batch, door: Door, sources: Sources, tally: Tally) -> Source:
    """Return the source that may send this. Raises _TurnedAwayError."""
    found = sources.find(write_key, request.received_at.date()) if write_key else None
    if found is None:
        raise _TurnedAwayError(401, "invalid_write_key", "the write key is unknown or no longer used")
    source, key = found
    tally.source, tally.key, tally.key_state = source.name, key.number, key.state
    if key.state == "paused":
        raise _TurnedAwayError(503, "paused", "this write key is paused", answers.PAUSED_SECONDS)
    if source.kind == "web" and request.origin and not source.allows(request.origin):
        raise _TurnedAwayError(403, "origin_not_allowed", "this source accepts no events from this page")
    wait = door.limiter.take((source.name, key.number), len(batch.messages), source.limit)
    if wait:
        raise _TurnedAwayError(429, "too_many_requests", "over the limit of this write key", _wait(door, wait))
    return source


def _wait(door: Door, least: float = _LEAST_WAIT) -> int:
    """Return seconds to come again after; no two senders the same, so that they do not all come at once."""
    return math.ceil(least + door.rhythm.random() * _MORE_WAIT)


def _take(
    batch: Batch,
    of_path: str,
    request: Request,
    door: Door,
    source: Source,
    write_key: str,
    sources: Sources,
    tally: Tally,
) -> Answer:
    judge = Judge(sources.plan)
    arrival = _arrival(batch, of_path, request, source, judge)
    stamped, refusals = _stamp_all(batch, arrival, tally)
    records = pack((one.message_id, one.line) for one in stamped)
    try:
        tally.spilled = deliver(
            records, door.sink, door.rhythm, object_key(SPILL_PREFIX, request.received_at, request.id, ".gz")
        )
    except NotTakenError:
        tally.reasons.clear()
        raise _TurnedAwayError(503, "not_taken", "the events could not be written", _wait(door)) from None
    tally.received, tally.accepted, tally.retry = len(batch.messages), len(stamped), arrival.retry
    tally.large = sum(len(one.line) > SEGMENT_BYTES for one in stamped)
    tally.unidentified = sum(not one.is_identified for one in stamped)
    tally.violating, tally.unjudged = judge.violating, judge.unjudged
    _keep(refusals, source.name, write_key, request, door, tally)
    return _with_cookie(answers.taken(tally.accepted, tally.refused), stamped, request, source)


def _with_cookie(found: Answer, stamped: list[Stamped], request: Request, source: Source) -> Answer:
    """Return the answer with the id that the SDK has now, if the source wants the cookie and the page may have it."""
    page = _ORIGIN.fullmatch(request.origin)
    if not source.cookie_domain or not page or not f".{page['host']}".endswith(f".{source.cookie_domain}"):
        return found
    known = [one.anonymous_id for one in stamped if _COOKIE_VALUE.fullmatch(one.anonymous_id)]
    return answers.with_cookie(found, known[-1], source.cookie_domain, is_secure=request.is_secure) if known else found


def _arrival(batch: Batch, of_path: str, request: Request, source: Source, judge: Judge) -> Arrival:
    judged = None if source.plan == "off" else judge.judge
    return Arrival(source, request.received_at, batch.shared, of_path, request.viewer_address, request.headers, judged)


def _stamp_all(batch: Batch, arrival: Arrival, tally: Tally) -> tuple[list[Stamped], list[Refusal]]:
    stamped: list[Stamped] = []
    refusals: list[Refusal] = []
    for index, item in enumerate(batch.messages):
        try:
            stamped.append(stamp(item, index, arrival))
        except RefusedError as refused:
            tally.reasons[refused.reason] += 1
            if refused.kept is not None:
                refusals.append(Refusal(refused.reason, refused.kept))
    return stamped, refusals


def _keep_body(error: BodyError, request: Request, door: Door, sources: Sources, tally: Tally) -> None:
    """Keep the first MiB of a body that cannot be read, if the request has a key beside it that is known.

    Anybody can send bytes: without a key, or over its limit, they are not kept. What is too large is not looked at.
    """
    if error.status != 400:
        return
    tally.received = 1
    tally.reasons[error.code] += 1
    write_key = find_key(request, None)
    found = sources.find(write_key, request.received_at.date()) if write_key else None
    if found:
        source, key = found
        tally.source, tally.key, tally.key_state = source.name, key.number, key.state
        if door.limiter.take((source.name, key.number), 1, source.limit):
            return
        refusal = Refusal(error.code, error.read[:REDRIVEN_BYTES])
        _keep([refusal], source.name, write_key, request, door, tally)


def _keep(refusals: list[Refusal], source: str, write_key: str, request: Request, door: Door, tally: Tally) -> None:
    """Put what was refused under `refused/`. What no record can hold goes into an object of its own."""
    key = write_key.encode("utf-8", "surrogatepass")
    clean = [
        Refusal(one.reason, _KEY_MEMBER.sub(rb"\1" + _REDACTED, one.kept).replace(key, _REDACTED)) for one in refusals
    ]
    for suffix, fits in (("", True), ("-large", False)):
        group = [one for one in clean if one.can_be_redriven is fits]
        if not group:
            continue
        try:
            door.sink.put_object(
                object_key(REFUSED_PREFIX, request.received_at, request.id, suffix),
                error_lines(group, source, request.received_at),
            )
        except SinkError:  # the answer counts the refused, and the alarm says that they are nowhere
            tally.unkept += len(group)


def _plan(request: Request, sources: Sources) -> Answer:
    """Return the tracking plan, for those whose messages are judged by it: JSON Schema of `properties`, by event."""
    found = sources.find(find_key(request, None), request.received_at.date())
    if found is None:
        raise _TurnedAwayError(401, "invalid_write_key", "the write key is unknown or no longer used")
    if found[0].plan == "off":
        raise _TurnedAwayError(404, "not_found", "messages of this source are not judged by the plan")
    etag = f'"{sources.plan.etag}"'
    headers = {"etag": etag, "cache-control": "private, max-age=60"}
    if request.headers.get("if-none-match") == etag:
        return Answer(304, "", headers)
    return answers.json_answer(200, {"events": sources.plan.schemas}, headers)


def _validate(request: Request, door: Door, sources: Sources, tally: Tally) -> Answer:
    """Return the outcome that these messages would have, whatever their source's `at_door`. Nothing is kept."""
    try:
        batch = _read_any(request, door)
    except BodyError as error:
        raise _TurnedAwayError(error.status, error.code, str(error)) from None
    source = _admit(find_key(request, batch), request, batch, door, sources, tally)
    arrival = _arrival(batch, "", request, replace(source, plan="flag"), Judge(sources.plan))
    outcomes = [_outcome(item, index, arrival, source) for index, item in enumerate(batch.messages)]
    return answers.json_answer(200, {"success": True, "messages": outcomes})


def _read_any(request: Request, door: Door) -> Batch:
    """Return a batch, or one message."""
    try:
        return _read(Route("batch"), request, door)
    except BodyError as error:
        if error.code != "invalid_json":
            raise
    return _read(Route("message"), request, door)


def _outcome(item: object, index: int, arrival: Arrival, source: Source) -> dict[str, Any]:
    try:
        violations = stamp(item, index, arrival).violations
    except RefusedError as refused:
        return {"refused": refused.reason, "violations": []}
    is_refused = source.plan == "refuse" and violations
    return {"refused": "plan_violation" if is_refused else None, "violations": [one.to_dict() for one in violations]}


def _settings(route: Route, request: Request, door: Door, sources: Sources) -> Answer:
    found = sources.find(route.key, request.received_at.date())
    if found is None or not found[0].is_client:
        raise _TurnedAwayError(404, "not_found", "no settings for this write key")
    source = found[0]
    if source.kind == "web" and request.origin and not source.allows(request.origin):
        raise _TurnedAwayError(403, "origin_not_allowed", "this source accepts no events from this page")
    host = sources.host or request.headers.get("host", "")
    protocol = "https" if request.is_secure else "http"
    return answers.settings(source, route.key, host + door.path_prefix, protocol)


def _health(door: Door) -> Answer:
    """Deep: the sources are there, and the stream would take records."""
    try:
        door.sink.check()
    except SinkError:  # the caller need not know which error
        raise _TurnedAwayError(503, "not_taken", "the stream accepts no records", _wait(door)) from None
    return answers.json_answer(200, {"success": True})


def _for_page(found: Answer, request: Request, sources: Sources | None, tally: Tally) -> Answer:
    """Return the answer as the request's page may read it: not at all if no source takes events of that page."""
    origin = request.origin
    if not origin or tally.code == "origin_not_allowed" or (sources and not sources.allow_somewhere(origin)):
        return found
    named = bool(sources) and any(source.names(origin) for source in (sources.by_name.values() if sources else ()))
    return answers.for_page(found, origin, with_credentials=named)


def log_fields(tally: Tally, status: int, request: Request) -> dict[str, Any]:
    """Return what a log line says of a request: counts and names, nothing that it held."""
    return {
        "message": "answered",
        "status": status,
        "code": tally.code,
        "source": tally.source,
        "key": tally.key,
        "key_state": tally.key_state,
        "refused": dict(tally.reasons),
        "violating": dict(tally.violating),
        "retry": tally.retry,
        "request_id": request.id,
    }


def metrics_of(tally: Tally) -> Metrics:
    """Return the metrics of a request: ReceivedMessages = AcceptedMessages + RefusedMessages; the others when not 0.

    SpilledMessages are accepted ones that the stream did not take; UnkeptMessages refused ones that S3 did not take.
    FailedRequests were answered with 503, TurnedAwayRequests with 4xx, or with 503 since their key is paused.
    """
    rare = {
        "SpilledMessages": tally.spilled,
        "UnkeptMessages": tally.unkept,
        "LargeMessages": tally.large,
        "UnidentifiedMessages": tally.unidentified,
        "ViolatingMessages": tally.violating.total(),
        "UnjudgedMessages": tally.unjudged,
        "RetiringKeyMessages": tally.accepted if tally.key_state == "retiring" else 0,
        "TurnedAwayRequests": 1 if tally.code and not tally.has_failed else 0,
        "FailedRequests": 1 if tally.has_failed else 0,
    }
    always = {
        "ReceivedMessages": tally.received,
        "AcceptedMessages": tally.accepted,
        "RefusedMessages": tally.refused,
    }
    return {name: ("Count", count) for name, count in {**always, **{n: c for n, c in rare.items() if c}}.items()}
