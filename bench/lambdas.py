"""What the two Lambda functions cost under AWS's own runtime client, beside simpler ways of doing the same.

A round calls each function once, so that whatever else the machine does falls on all of them.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.effort import Effort
from local.aws_deploy import SOURCE, build_zip
from local.lake.machine import Machine
from local.places import ENVIRONMENTS
from local.runtime_api import Function
from local.segment.events import generate_day
from local.services import aws_environment

PYTHON = ENVIRONMENTS / "bench" / "bin" / "python"
HANDLERS = Path(__file__).parent / "handlers"
RECORDS = 500
TRANSFORMS = {
    "newline_transform": "clickstream_stream.newline_transform.lambda_handler",
    "the same with Powertools": "powertools_newline.lambda_handler",
    "decode, append, encode": "simple_newline.lambda_handler",
    "parse and write again": "parsing_newline.lambda_handler",
    "nothing (the harness)": "empty.lambda_handler",
}
MOVES = {
    "stage_object": "clickstream_stream.stage_object.lambda_handler",
    "copy, delete": "simple_stage.lambda_handler",
}
MESSAGES = 10
"""S3 events in one call: the template's BatchSize."""


def run(machine: Machine, effort: Effort, say: Callable[[str], None]) -> dict[str, Any]:
    """Return both functions. Raises AssertionError when two transforms that keep a record's bytes answer otherwise."""
    calls, starts, moves = effort.choose((3, 2, 2), (60, 15, 30), (60, 15, 30))
    transform = _transforms(calls, starts, say)
    stage = _moves(machine, moves, say)
    package = build_zip(SOURCE)
    about = {"records a call": RECORDS, "bytes of the package": len(package), "calls": calls}
    return {"title": "The Lambda functions", "about": about, "rows": [*transform, *stage]}


def _function(handler: str, environment: Mapping[str, str]) -> Function:
    paths = {"PYTHONPATH": f"{SOURCE}:{HANDLERS}", "POWERTOOLS_METRICS_NAMESPACE": "Clickstream"}
    return Function(handler, {**environment, **paths}, python=PYTHON)


def _transforms(calls: int, starts: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    event = {"records": list(_records())}
    rows: dict[str, dict[str, Any]] = {name: {"case": name} for name in TRANSFORMS}
    with ExitStack() as stack:
        functions = {name: stack.enter_context(_function(handler, {})) for name, handler in TRANSFORMS.items()}
        answers = {name: function.invoke(event) for name, function in functions.items()}
        kept = [answers[name] for name in ("newline_transform", "the same with Powertools", "decode, append, encode")]
        assert kept[0] == kept[1] == kept[2], "the transforms give other records"
        times = _rounds(functions, event, calls)
        for name, function in functions.items():
            rows[name] |= {
                "ms a call": [1000 * seconds for seconds in times[name]],
                "records/s": round(RECORDS / sorted(times[name])[len(times[name]) // 2]),
                "memory MB": round(function.memory_bytes() / 2**20, 1),
            }
            say(f"{name}: {rows[name]['records/s']:,} records/s")
    first = {"records": event["records"][:1]}
    for name, seconds in _cold_starts({name: (handler, {}) for name, handler in TRANSFORMS.items()}, first, starts):
        rows[name].setdefault("ms cold", []).append(1000 * seconds)
    return list(rows.values())


def _moves(machine: Machine, calls: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    s3 = machine.client("s3")
    aws = {name: value for name, value in aws_environment(machine.places).items() if name.startswith("AWS_")}
    buckets = {"raw": "bench-raw", "staging": "bench-staging"}
    for bucket in buckets.values():
        s3.create_bucket(Bucket=bucket)
    settings = {
        "CLICKSTREAM_RAW_BUCKET": buckets["raw"], "CLICKSTREAM_RAW_PREFIX": "raw/",
        "CLICKSTREAM_STAGING_BUCKET": buckets["staging"], "CLICKSTREAM_STAGING_PREFIX": "staging/",
    }  # fmt: skip
    rows: dict[str, dict[str, Any]] = {name: {"case": name} for name in MOVES}
    with ExitStack() as stack:
        functions = {n: stack.enter_context(_function(handler, {**aws, **settings})) for n, handler in MOVES.items()}
        times: dict[str, list[float]] = {name: [] for name in MOVES}
        for turn in range(calls + 1):
            for name, function in functions.items():
                event = _put(s3, buckets["raw"], f"{turn}-{name.partition(',')[0]}")
                began = time.perf_counter()
                answer = function.invoke(event)
                if turn:
                    times[name].append(time.perf_counter() - began)
                assert answer == ("response", {"batchItemFailures": []}), answer
        for name, function in functions.items():
            rows[name] |= {
                "ms a call": [1000 * seconds for seconds in times[name]],
                "objects/s": round(MESSAGES / sorted(times[name])[len(times[name]) // 2]),
                "memory MB": round(function.memory_bytes() / 2**20, 1),
            }
            say(f"{name}: {rows[name]['objects/s']:,} objects/s")
    staged = s3.list_objects_v2(Bucket=buckets["staging"])["KeyCount"]
    assert staged == min(1000, len(MOVES) * (calls + 1) * MESSAGES), "an object was not moved"
    nothing: dict[str, Any] = {"Records": []}
    started = {name: (handler, {**aws, **settings}) for name, handler in MOVES.items()}
    for name, seconds in _cold_starts(started, nothing, max(2, calls // 3)):
        rows[name].setdefault("ms cold", []).append(1000 * seconds)
    return list(rows.values())


def _rounds(functions: Mapping[str, Function], event: Any, calls: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(calls + 3):
        for name, function in functions.items():
            began = time.perf_counter()
            function.invoke(event)
            if turn >= 3:
                times[name].append(time.perf_counter() - began)
    return times


def _cold_starts(
    handlers: Mapping[str, tuple[str, Mapping[str, str]]], event: Any, starts: int
) -> Iterator[tuple[str, float]]:
    """Yield from the start of the process to its first answer, in seconds."""
    for _ in range(starts):
        for name, (handler, environment) in handlers.items():
            began = time.perf_counter()
            with _function(handler, environment) as function:
                function.invoke(event)
                yield name, time.perf_counter() - began


def _records() -> Iterator[dict[str, str]]:
    good = (record for record in generate_day(3, datetime.now(UTC), 60).records if _is_object(record))
    for number, record in zip(range(RECORDS), good, strict=False):
        yield {"recordId": str(number), "data": base64.b64encode(record).decode()}


def _is_object(record: bytes) -> bool:
    try:
        return isinstance(json.loads(record), dict)
    except ValueError:
        return False


def _put(s3: Any, bucket: str, name: str) -> dict[str, Any]:
    """Put the objects of one call; return the event that tells of them."""
    messages = []
    for number in range(MESSAGES):
        key = f"raw/2026/11/24/05/{name}-{number}.gz"
        s3.put_object(Bucket=bucket, Key=key, Body=b"x" * 100_000)
        record = {
            "eventName": "ObjectCreated:Put", "eventTime": "2026-11-24T05:28:00.123Z",
            "s3": {"bucket": {"name": bucket}, "object": {"key": key}},
        }  # fmt: skip
        messages.append({"messageId": str(number), "body": json.dumps({"Records": [record]})})
    return {"Records": messages}
