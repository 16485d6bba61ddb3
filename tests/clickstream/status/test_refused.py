"""What is told of refused records: reasons and times, nothing of what they say."""

import base64
import json
from typing import Any

import pytest

from clickstream.status.refused import reasons


def line(**more: Any) -> bytes:
    kept = base64.b64encode(b'{"email":"a@b.kr"}').decode()
    return json.dumps({"errorCode": "no_type", "source": "shop", "rawData": kept, **more}).encode() + b"\n"


def test_of_each_reason_the_latest_record_says_when_it_came() -> None:
    # 1764417851 seconds after 1970 is 2025-11-29 12:04:11 UTC.
    first, latest = 1_764_417_791_000, 1_764_417_851_000
    starts = [line(arrivalTimestamp=first), line(arrivalTimestamp=latest) + line(arrivalTimestamp=first)]

    assert reasons("refused/", starts) == [
        {
            "place": "refused/", "reason": "no_type", "source": "shop", "records": 3,
            "latest_at": "2025-11-29T12:04:11+00:00", "shape": '{"xxxxx":"x@x.xx"}',
        }
    ]  # fmt: skip


@pytest.mark.parametrize("time", ["soon", None, 1e300, float("nan"), [], -1e18])
def test_a_record_that_does_not_say_when_it_came_counts_all_the_same(time: Any) -> None:
    (found,) = reasons("refused/", [line(arrivalTimestamp=time), line()])

    assert (found["records"], found["latest_at"]) == (2, None)
