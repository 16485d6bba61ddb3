"""Nothing lost: partial failures, throttling, lost answers, no Kinesis, no S3."""

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.staging.redrive import failed_records
from clickstream_collector.collector import metrics_of
from clickstream_collector.delivery import object_key
from clickstream_collector.packing import CALL_BYTES, CALL_RECORDS, PACK_BYTES, Record, calls, pack
from tests.collector.doors import KEYS, MemorySink, Time, basic, make_door, send

SPILLED = "raw/2026/11/28/12/collector-1795867200123-request-1.gz"
REFUSED = "refused/2026/11/28/12/collector-1795867200123-request-1"


def ask(sink: MemorySink, count: int = 200, size: int = 1_000, time: Time | None = None) -> Any:
    """Send `count` messages of some `size` bytes; of a thousand bytes, some fifty make a record."""
    batch = [{"type": "track", "messageId": f"m{number}", "pad": "x" * size} for number in range(count)]
    body = json.dumps({"batch": batch}).encode()
    return send(make_door(sink, time=time), "POST", "/v1/batch", body, basic(KEYS["server"]))


def spilled(sink: MemorySink) -> list[Any]:
    """The messages of the object that stands in for the stream, as stage_object and the loads read it."""
    lines = gzip.decompress(sink.objects[SPILLED])
    assert lines.endswith(b"\n")
    return [json.loads(line) for line in lines.removesuffix(b"\n").split(b"\n")]


def ids(messages: list[Any]) -> list[str]:
    return [message["messageId"] for message in messages]


ALL = [f"m{number}" for number in range(200)]


def test_all_is_taken_at_once() -> None:
    sink = MemorySink()

    found, tally = ask(sink)

    assert found.status == 200
    assert ids(sink.messages) == ALL
    assert (sink.calls, sink.objects, tally.spilled) == ([4], {}, 0)


@pytest.mark.promise("P11")
@pytest.mark.scenario("X46")
def test_only_what_was_refused_is_sent_again() -> None:
    sink = MemorySink(put_faults=[{1, 3}, {0}])

    found, tally = ask(sink)

    assert found.status == 200
    assert sink.calls == [4, 2, 1]
    assert sorted(ids(sink.messages)) == sorted(ALL)
    assert (sink.objects, tally.spilled) == ({}, 0)


@pytest.mark.promise("P11")
@pytest.mark.scenario("X46")
def test_what_stays_refused_becomes_one_object_and_the_answer_is_200() -> None:
    time = Time()
    sink = MemorySink(put_faults=[{1}, {0}, {0}, {0}, {0}])

    found, tally = ask(sink, time=time)

    assert found.status == 200
    assert sink.calls == [4, 1, 1, 1, 1]
    assert len(ids(spilled(sink))) == tally.spilled > 0
    assert sorted(ids(sink.messages) + ids(spilled(sink))) == sorted(ALL)
    assert time.slept == [0, 0.025, 0.075, 0.2]
    assert metrics_of(tally)["SpilledMessages"] == ("Count", tally.spilled)
    assert metrics_of(tally)["AcceptedMessages"] == ("Count", 200)


@pytest.mark.promise("P11")
@pytest.mark.scenario("X46")
@pytest.mark.parametrize("fault", ["gone", "lost"])
def test_without_kinesis_all_of_it_is_in_the_object(fault: str) -> None:
    sink = MemorySink(put_faults=[fault] * 5)

    found, tally = ask(sink)

    assert found.status == 200
    assert ids(spilled(sink)) == ALL
    assert (tally.accepted, tally.spilled) == (200, 200)


def test_a_stream_that_is_slow_is_not_waited_for() -> None:
    class Slow(MemorySink):
        def put_records(self, records: Any) -> list[str | None]:
            time.seconds += 1
            return super().put_records(records)

    time = Time()
    sink = Slow(put_faults=["gone"] * 9)

    assert ask(sink, time=time)[0].status == 200
    assert len(sink.calls) == 2
    assert len(spilled(sink)) == 200


def test_one_try_more_for_the_object() -> None:
    sink = MemorySink(put_faults=["gone"] * 5, object_faults=[True])

    assert ask(sink)[0].status == 200
    assert len(spilled(sink)) == 200


@pytest.mark.promise("P11")
@pytest.mark.scenario("X47")
def test_only_without_s3_too_the_sender_is_told_to_come_again() -> None:
    sink = MemorySink(put_faults=["gone"] * 5, object_faults=[True, True])

    found, tally = ask(sink)

    assert found.status == 503
    assert int(found.headers["retry-after"]) >= 30
    assert (tally.received, tally.accepted, tally.refused, tally.spilled) == (0, 0, 0, 0)
    assert metrics_of(tally)["FailedRequests"] == ("Count", 1)
    assert "TurnedAwayRequests" not in metrics_of(tally)


@pytest.mark.promise("P11")
def test_what_is_refused_is_kept_as_firehose_keeps_it() -> None:
    sink = MemorySink()
    batch = [7, {"event": "no type", "userId": "이름"}, {"type": "track"}, {"type": "track", "a": "x" * 1_048_576}]
    body = json.dumps({"batch": batch, "writeKey": KEYS["server"]}).encode()

    found, tally = send(make_door(sink), "POST", "/v1/batch", body)

    assert json.loads(found.body) == {"success": True, "accepted": 1, "refused": 3}
    assert dict(tally.reasons) == {"not_an_object": 1, "no_type": 1, "too_large": 1}
    assert sorted(sink.objects) == [REFUSED, f"{REFUSED}-large"]
    number, message = failed_records(sink.objects[REFUSED])
    assert number == b"7"
    assert json.loads(message)["userId"] == "이름"
    assert json.loads(message)["projectId"] == "id_server"
    (large,) = failed_records(sink.objects[f"{REFUSED}-large"])
    assert json.loads(large)["a"] == "x" * 1_048_576
    (first, _) = [json.loads(line) for line in sink.objects[REFUSED].splitlines()]
    assert first == {
        "attemptsMade": 1,
        "arrivalTimestamp": 1795867200123,
        "errorCode": "not_an_object",
        "errorMessage": "the message is no JSON object",
        "attemptEndingTimestamp": 1795867200123,
        "rawData": "Nw==",
        "source": "server",
    }


def test_what_is_refused_and_cannot_be_kept_is_told() -> None:
    sink = MemorySink(object_faults=[True])

    found, tally = send(make_door(sink), "POST", "/v1/b", b'{"batch":[7,{"type":"track"}]}', basic(KEYS["server"]))

    assert json.loads(found.body) == {"success": True, "accepted": 1, "refused": 1}
    assert metrics_of(tally)["UnkeptMessages"] == ("Count", 1)


def test_an_unreadable_body_is_kept_up_to_a_mebibyte() -> None:
    sink = MemorySink()

    found, _ = send(make_door(sink), "POST", "/v1/b", b"x" * 2_000_000, basic(KEYS["server"]))

    assert found.status == 400
    assert failed_records(sink.objects[REFUSED]) == [b"x" * 1_048_575]


@pytest.mark.parametrize(
    "body",
    [
        b'{"writeKey":"wk_server","batch":[',
        b'{"writeKey" : "wk\\u005fserver","batch":[',
        # Of another source, with an escaped quote; in a message with a number that is not read.
        b'{"writeKey":"wk_\\"pixel","batch":[',
        b'{"writeKey":"wk_pixel","n":%s}' % (b"9" * 5_000),
        b'{"batch":[{"type":"track","writeKey":"wk_pixel","n":%s}]}' % (b"9" * 5_000),
        # Cut off in the key.
        b'{"batch":[],"writeKey":"wk_pix',
    ],
)
def test_no_write_key_is_in_what_is_kept(body: bytes) -> None:
    sink = MemorySink()

    send(make_door(sink), "POST", "/v1/batch", body, basic(KEYS["server"]))

    (kept,) = failed_records(sink.objects[REFUSED])
    assert b"(write key)" in kept
    assert b"wk" not in kept.replace(b"writeKey", b"")


def test_objects_lie_in_the_folder_of_their_hour() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)

    assert object_key("raw/", at, "id", ".gz") == "raw/2026/01/02/03/collector-1767323045678-id.gz"


lines = st.lists(
    st.tuples(
        st.text(min_size=1, max_size=80), st.integers(2, 70_000).map(lambda size: b"{" + b" " * (size - 2) + b"}")
    ),
    max_size=40,
)


@given(lines)
def test_records_hold_every_line_once_in_order_within_their_size(given_lines: list[tuple[str, bytes]]) -> None:
    records = pack(given_lines)

    assert [line for record in records for line in record.data.split(b"\n")] == [line for _, line in given_lines]
    assert all(record.lines == record.data.count(b"\n") + 1 for record in records)
    assert all(len(record.data) <= PACK_BYTES or record.lines == 1 for record in records)
    assert all(1 <= len(record.key) <= 256 for record in records)
    # Two records beside each other are never small enough to be one.
    sizes = [len(record.data) for record in records]
    firsts = [len(record.data.split(b"\n")[0]) for record in records]
    assert all(size + 1 + first > PACK_BYTES for size, first in zip(sizes, firsts[1:], strict=False))


@given(st.lists(st.integers(1, 1_048_576), max_size=600))
def test_calls_are_within_the_limits_and_hold_every_record_once(sizes: list[int]) -> None:
    class Sized(bytes):
        def __len__(self) -> int:
            return self.told  # type: ignore[attr-defined, no-any-return]

    records = []
    for size in sizes:
        data = Sized()
        data.told = size  # type: ignore[attr-defined]
        records.append(Record(data, "key", 1))

    made = list(calls(records))

    assert [record for call in made for record in call] == records
    assert all(len(call) <= CALL_RECORDS == 500 for call in made)
    assert all(sum(record.size for record in call) <= CALL_BYTES < 5_000_000 for call in made)
