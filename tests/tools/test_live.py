"""What `make live` shows: live/lines.yaml; and how it reads shards and objects, over AWS in memory."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clickstream.plan.file import parse_plan
from clickstream_collector.refusals import Refusal, error_lines
from tests.clickstream.memory_aws import MemoryS3
from tools.live import PAUSE_SECONDS, Refusals, Stream, arrivals
from tools.live_view import Arrived, accepted, line, masked, read_wanted, refused

FILE = yaml.safe_load((Path(__file__).parent / "live" / "lines.yaml").read_text(encoding="utf-8"))
PLAN = parse_plan(yaml.safe_dump(FILE["plan"]), "plan.yaml")
NOON = datetime(2026, 11, 28, 12, 0, 0, 7_000, UTC)


def arrived(case: dict[str, Any]) -> Iterator[Arrived]:
    for record in case.get("records", []):
        yield from accepted(record.encode(), NOON)
    for source, reason, kept in case.get("refused", []):
        yield from refused(error_lines([Refusal(reason, kept.encode())], source, NOON))


@pytest.mark.parametrize("case", FILE["cases"], ids=[case["why"] for case in FILE["cases"]])
def test_lines(case: dict[str, Any]) -> None:
    wanted = read_wanted(case.get("source", ""), case.get("match", ""))
    shown = [
        line(one, one.message if case.get("pii") else masked(one.message, PLAN), is_full=case.get("full", False))
        for one in arrived(case)
        if wanted.holds(one)
    ]

    assert shown == [f"2026-11-28 12:00:00.007  {told}" for told in case["told"]]


@pytest.mark.parametrize(
    ("piece", "told"), [("y", "y"), ("/", "/"), ("@", "@"), ("a@b.c ", "*** "), ("a@", "a@"), ("?a=", "?***")]
)
def test_a_text_of_a_megabyte_is_masked_in_time(piece: str, told: str) -> None:
    """One that took the time of its square would take half an hour, and hide all that comes after it."""
    text = piece * (1_000_000 // len(piece))

    shown = masked({"type": "track", "note": text}, PLAN)["note"]

    assert shown == (told if told.startswith("?") else told * (1_000_000 // len(piece)))


def test_a_match_that_is_no_json_is_told() -> None:
    with pytest.raises(ValueError, match=r"MATCH=\{\"a\": write"):
        read_wanted("", '{"a"')


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["event", "properties", "note"]), inner)
    ),
    max_leaves=12,
)


@given(st.binary() | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_record_is_shown_in_one_line_that_a_terminal_can_print(record: bytes) -> None:
    for one in accepted(record, NOON):
        shown = line(one, masked(one.message, PLAN))
        assert shown.isprintable()


@given(st.binary())
def test_an_object_of_another_shape_is_left_out(body: bytes) -> None:
    assert [one.reason for one in refused(body)] == []


class Shards:
    """A stream that was split: shard 1 ends, 2 comes of it. `calls` has what was read."""

    def __init__(self) -> None:
        self.known = ["1"]
        self.waiting: dict[str, list[list[bytes]]] = {"1": [[b"a"], [b"b"]], "2": [[b"c"]]}
        self.calls: list[str] = []

    def get_paginator(self, _: str) -> "Shards":
        return self

    def paginate(self, StreamName: str) -> list[Any]:  # noqa: N803
        return [{"Shards": [{"ShardId": shard} for shard in self.known]}]

    def get_shard_iterator(self, ShardId: str, ShardIteratorType: str, **more: Any) -> Any:  # noqa: N803
        self.calls.append(f"{ShardId} {ShardIteratorType} {more.get('Timestamp', '')}".strip())
        return {"ShardIterator": ShardId}

    def get_records(self, ShardIterator: str) -> Any:  # noqa: N803
        shard = ShardIterator
        records = self.waiting[shard].pop(0) if self.waiting[shard] else []
        is_over = shard == "1" and not self.waiting["1"]
        if is_over:
            self.known = ["1", "2"]
        return {
            "Records": [{"Data": one, "ApproximateArrivalTimestamp": NOON} for one in records],
            "NextShardIterator": None if is_over else shard,
            "MillisBehindLatest": 5 if self.waiting[shard] else 0,
        }


def test_shards_are_read_in_turn_to_the_end_and_so_are_those_that_come_of_them() -> None:
    client, clock, slept = Shards(), [NOON], list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += timedelta(seconds=seconds)

    stream = Stream(client, "events", NOON)
    found = list(arrivals(stream, None, NOON + timedelta(seconds=3), lambda: clock[0], sleep))

    assert [one.message for one in found] == [b"a", b"b", b"c"]
    assert client.calls == [f"1 AT_TIMESTAMP {NOON}", "2 TRIM_HORIZON"]
    assert slept == [PAUSE_SECONDS] * len(slept)


def test_what_came_at_the_end_or_later_is_not_shown() -> None:
    found = list(arrivals(Stream(Shards(), "events", NOON), None, NOON, lambda: NOON, lambda _: None))

    assert found == []


def keep(s3: MemoryS3, at: datetime, name: str) -> None:
    key = f"refused/{at:%Y/%m/%d/%H}/collector-{int(at.timestamp() * 1000)}-{name}"
    s3.buckets["raw"][key] = error_lines([Refusal(name, b"{}")], "shop", at)


def test_each_object_is_read_once_and_only_the_newest_are_listed() -> None:
    s3 = MemoryS3({"raw": {"refused-redriven/2026/11/28/12/x": b"", "refused/2026/11/28/12/of-another": b"x"}})
    start = NOON - timedelta(hours=2)
    keep(s3, start - timedelta(milliseconds=1), "before")
    keep(s3, start + timedelta(milliseconds=1), "first")
    refusals = Refusals(s3.client, "raw", start)

    assert [one.reason for one in refusals.look(NOON)] == ["first"]
    keep(s3, NOON - timedelta(seconds=59), "late")
    assert [one.reason for one in refusals.look(NOON + timedelta(seconds=2))] == ["late"]
    keep(s3, NOON, "next")
    assert [one.reason for one in refusals.look(NOON + timedelta(seconds=4))] == ["next"]
    assert [call["StartAfter"].partition("/2026/11/28/")[2] for call in s3.called("ListObjectsV2")] == [
        "10/collector-1795860000007", "11/collector-1795867140007", "11/collector-1795867142007",
    ]  # fmt: skip


def test_a_line_that_firehose_wrote_is_read_too() -> None:
    text = {
        "attemptsMade": 4,
        "arrivalTimestamp": 1795867200007,
        "errorCode": "Lambda.FunctionError",
        "rawData": base64.b64encode(b"7").decode(),
    }

    assert list(refused(json.dumps(text).encode())) == [Arrived(NOON, "", 7, "Lambda.FunctionError")]
