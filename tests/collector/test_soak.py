"""Ten minutes of requests of all kinds to one process of the function: its memory does not grow."""

import gzip
import itertools
import json
import statistics
import time
from typing import Any

import pytest

from local.runtime_api import Function
from tests.collector.doors import basic, event
from tests.collector.test_runtime import CONFIG, Aws, aws, function

# Fixtures of the test beside this one.
__all__ = ["aws", "function"]

SECONDS = 600
MOST_REQUESTS = 300_000
WARM_UP = 60
MORE_BYTES = 2 * 2**20
"""What the heap may waver by; a leak of 100 bytes a request would be ten times that."""

KEY = basic("wk_example_orders")


def requests() -> list[tuple[int, Any]]:
    """The status that each has, and the request; in a round they are answered one after the other."""
    many = json.dumps({"batch": [{"type": "track", "userId": f"u{n}", "pad": "x" * 500} for n in range(100)]}).encode()
    # Every other message is refused, and kept in an object.
    mixed = b'{"batch":[{"type":"track","userId":"u"},7,{"no":"type"},{"type":"page","userId":"\\ud800"}]}'
    return [
        (200, event("POST", "/v1/batch", gzip.compress(many), KEY)),
        (200, event("POST", "/v1/t", b'{"event":"E","userId":"u"}', KEY)),
        (200, event("POST", "/v1/batch", mixed, KEY)),
        (200, event("GET", "/v1/projects/wk_example_shop_web/settings", headers={"Host": "events.shop.example"})),
        (400, event("POST", "/v1/batch", gzip.compress(many)[:-9], KEY)),
        (401, event("POST", "/v1/batch", b'{"batch":[{"type":"track"}]}', basic("nobody"))),
        (413, event("POST", "/v1/batch", gzip.compress(bytes(5 * 2**20)), KEY)),
        (204, event("OPTIONS", "/v1/b", headers={"Origin": "https://shop.example"})),
    ]


@pytest.mark.slow
def test_memory_does_not_grow(aws: Aws, function: Function) -> None:
    began = time.monotonic()
    held: list[int] = []
    answered = 0
    for number in itertools.count():
        for status, request in requests():
            kind, answer = function.invoke(request)
            assert (kind, answer["statusCode"]) == ("response", status), answer
            answered += 1
        passed = time.monotonic() - began
        if number % 50 == 0:
            aws.stream.clear()
            aws.objects = {CONFIG: aws.objects[CONFIG]}
            if passed > WARM_UP:
                held.append(function.memory_bytes())
        if passed > SECONDS or answered >= MOST_REQUESTS:
            break

    third = len(held) // 3
    first, last = statistics.median(held[:third]), statistics.median(held[-third:])
    print(f"{answered} requests in {passed:.0f} s; {first / 2**20:.2f} MB, then {last / 2**20:.2f} MB")
    assert third > 10
    assert last - first < MORE_BYTES
