"""Which raw objects were missed, and the events that are sent for them."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.aws.s3 import list_raw
from clickstream.aws.sqs import MessageError, count_messages, queue_url, send_messages
from clickstream.staging.reconcile import RawObject, has_lost_events, notification, overdue
from clickstream_stream.environment import Environment
from clickstream_stream.keys import staging_key
from clickstream_stream.notifications import ignore_reason, read_notifications
from tests.clickstream.memory_aws import MemoryS3, MemorySqs

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map("raw/".__add__)


def raw(key: str, written_at: datetime = NOON) -> RawObject:
    return RawObject(key, 10, "e1", written_at)


@given(KEYS, st.integers(0, 10**10).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_the_function_reads_the_message_as_the_lost_event(key: str, written_at: datetime) -> None:
    """The two sides share no code: this holds the message to what stage_object reads."""
    (read,) = read_notifications(notification("raw-bucket", raw(key, written_at)))

    assert (read.bucket, read.key, read.version_id) == ("raw-bucket", key, None)
    assert ignore_reason(read, Environment("raw-bucket", "raw/", "staging-bucket", "staging/")) is None
    assert staging_key("staging/", read.time, key).startswith(f"staging/{written_at:%Y%m%dT%H%M%S}")


def test_the_message_has_s3_s_shape_and_the_object_s_own_time() -> None:
    east = timezone(timedelta(hours=9))
    item = RawObject("raw/2026/a b+c=é.gz", 7, "abc", datetime(2026, 11, 24, 14, 0, 0, 123_456, tzinfo=east))

    (record,) = json.loads(notification("the-bucket", item))["Records"]

    assert record["eventName"].startswith("ObjectCreated:")
    assert record["eventTime"] == "2026-11-24T05:00:00.123Z"
    assert record["s3"]["bucket"]["name"] == "the-bucket"
    assert record["s3"]["object"] == {"key": "raw/2026/a+b%2Bc%3D%C3%A9.gz", "size": 7, "eTag": "abc"}
    assert notification("the-bucket", item) == notification("the-bucket", item)


def test_what_is_older_than_the_grace_is_overdue_the_oldest_first() -> None:
    ages = {"old": 40, "edge": 15, "new": 14}
    objects = [raw(key, NOON - minutes * MINUTE) for key, minutes in reversed(ages.items())]

    assert [item.key for item in overdue(objects, NOON, 15 * MINUTE)] == ["old", "edge"]


@pytest.mark.parametrize(("objects", "messages", "lost"), [(1, 0, True), (4, 3, True), (3, 3, False), (2, 9, False)])
def test_an_event_is_lost_if_there_are_fewer_messages_than_objects(objects: int, messages: int, lost: bool) -> None:
    assert has_lost_events(objects, messages) is lost


def test_only_raw_objects_are_listed_on_every_page() -> None:
    keys = [f"raw/{number}" for number in range(5)]
    others = ["processing-failed/a", "rawer/b", "raw"]
    s3 = MemoryS3({"raw-bucket": dict.fromkeys([*keys, *others], b"12345")}, page=2)
    s3.landed = dict.fromkeys(keys, NOON)

    found = list_raw(s3.client, "raw-bucket")

    assert [(item.key, item.bytes, item.written_at) for item in found] == [(key, 5, NOON) for key in keys]
    assert {len(item.etag) for item in found} == {32}


@pytest.mark.parametrize("count", [0, 1, 10, 11, 25])
def test_messages_go_in_batches_of_ten(count: int) -> None:
    sqs = MemorySqs("q")
    url = queue_url(sqs.client, "q")

    assert send_messages(sqs.client, url, {f"k{number}": f"b{number}" for number in range(count)}) == count
    assert sqs.queues["q"] == [f"b{number}" for number in range(count)]
    assert len(sqs.called("SendMessageBatch")) == -(-count // 10)
    assert count_messages(sqs.client, url) == count


def test_a_refused_message_is_named_and_stops_no_other() -> None:
    sqs = MemorySqs("q")
    sqs.refused = ("b3.", "b17.")
    bodies = {f"k{number}": f"b{number}." for number in range(25)}

    with pytest.raises(MessageError, match="2 of 25 messages refused, first k3: InternalError"):
        send_messages(sqs.client, queue_url(sqs.client, "q"), bodies)
    assert len(sqs.queues["q"]) == 23
