"""Refused records, read again; the request for it; and their way to the stream."""

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from clickstream.aws.kinesis import PutError, put_records
from clickstream.aws.s3 import MoveError, failed_since, list_failed, move_failed
from clickstream.form import FormError
from clickstream.staging.redrive import (
    MAX_RECORD_BYTES,
    RedriveError,
    failed_records,
    fits,
    partition_key,
    read_redrive_request,
    rejected_records,
)
from tests.clickstream.memory_aws import MemoryKinesis, MemoryS3, etag

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = "processing-failed/processing-failed/2026/11/24/12/one.gz"
TARGET = "processing-failed-redriven/processing-failed/2026/11/24/12/one.gz"
JSON_OBJECTS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
        lambda inner: st.lists(inner, max_size=3),
    ),
    max_size=4,
)


def line(record: bytes, **more: Any) -> bytes:
    return json.dumps({"rawData": base64.b64encode(record).decode(), **more}).encode() + b"\n"


@given(st.lists(st.binary(max_size=50)), st.booleans())
def test_an_error_object_s_records_come_back_byte_for_byte(records: list[bytes], zipped: bool) -> None:
    body = b"".join(line(record, errorCode="Lambda.X", attemptsMade=1) for record in records)

    assert failed_records(gzip.compress(body) if zipped else body) == records


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (gzip.compress(line(b"a"))[:-9], "damaged gzip"),
        (b"\x1f\x8bnothing", "damaged gzip"),
        (line(b"a") + b"{\n", "line 2 has no rawData"),
        (b"[]\n", "line 1 has no rawData"),
        (b'{"errorCode":"x"}\n', "line 1 has no rawData"),
        (b'{"rawData":7}\n', "line 1 has no rawData"),
        (b'{"rawData":null}\n', "line 1 has no rawData"),
        (b'{"rawData":"a"}\n', "line 1 has no rawData"),
        (b'{"rawData":"*"}\n', "line 1 has no rawData"),
        (b"\xff\n", "line 1 has no rawData"),
        (b"[" * 100_000, "line 1 has no rawData"),
    ],
)
def test_a_body_of_another_shape_is_refused_whole(body: bytes, reason: str) -> None:
    with pytest.raises(RedriveError, match=reason):
        failed_records(body)


@given(st.lists(JSON_OBJECTS, min_size=2, max_size=6), st.sampled_from(["", " ", ",", "\t", " , "]), st.booleans())
def test_a_line_without_its_newlines_is_its_objects_as_they_were(
    objects: list[dict[str, Any]], between: str, is_ascii: bool
) -> None:
    texts = [json.dumps(value, ensure_ascii=is_ascii) for value in objects]

    assert rejected_records("missing_newline", between.join(texts)) == [text.encode() for text in texts]


@pytest.mark.parametrize(
    ("reason", "text", "records"),
    [
        ("missing_newline", '{"a":1e999}{"a":' + "9" * 5_000 + "}", ['{"a":1e999}', '{"a":' + "9" * 5_000 + "}"]),
        ("missing_newline", '{"a":"}{"}{"b":2}', ['{"a":"}{"}', '{"b":2}']),
        ("missing_newline", '{"a":1}{"b":2}{"c"', ['{"a":1}{"b":2}{"c"']),
        ("not_json", '{"a":1}{"b":2}{"c"', ['{"a":1}{"b":2}{"c"']),
        ("no_message_id", ' {"type":"track"}', [' {"type":"track"}']),
        ("no_message_id", '{"a":"\ufffd"}', ['{"a":"\ufffd"}']),
        ("not_json", '{"a":"\ufffd"}', []),
        ("blank", "", []),
        ("blank", " \t ", []),
    ],
)
def test_a_rejected_line_s_records(reason: str, text: str, records: list[str]) -> None:
    assert rejected_records(reason, text) == [record.encode() for record in records]


@pytest.mark.parametrize(
    ("record", "key"),
    [
        ({"userId": "u", "anonymousId": "a"}, "u"),
        ({"userId": "", "anonymousId": "a"}, "a"),
        ({"userId": None, "anonymousId": "é"}, "é"),
        ({"userId": 7, "anonymousId": "a"}, "a"),
        ({"userId": "u" * 257, "anonymousId": "a"}, "a"),
        ({"userId": "\ud83d", "anonymousId": "a"}, "a"),
    ],
)
def test_the_partition_key_is_the_user_s_or_the_anonymous_id(record: dict[str, Any], key: str) -> None:
    assert partition_key(json.dumps(record).encode()) == key


@given(st.binary(max_size=60) | JSON_OBJECTS.map(lambda value: json.dumps(value).encode()))
def test_every_record_has_a_key_that_kinesis_takes(record: bytes) -> None:
    assert 1 <= len(partition_key(record).encode("utf-8")) <= 1_024
    assert partition_key(record) == partition_key(record)


@pytest.mark.parametrize("record", [b"", b"[]", b"7", b"{}", b"\xff", b"[" * 100_000])
def test_without_an_id_the_key_is_a_digest(record: bytes) -> None:
    assert len(partition_key(record)) == 64


def test_a_record_that_fills_the_limit_has_a_key_that_fits() -> None:
    full = b'{"userId":"user-1"}'.ljust(MAX_RECORD_BYTES - 1)

    assert fits(full)
    assert len(partition_key(full)) == 1
    assert not fits(full + b" ")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"source": "raw"}, "source='raw'"),
        ({"source": None}, "source=None"),
        ({"dry_run": "False"}, "dry_run='False'"),
        ({"dry_run": 0}, "dry_run=0"),
        ({"from": "2026-11-24"}, "from='2026-11-24': must have an offset"),
        ({"from": "' or 1=1 --"}, "from=.*must be a date and time"),
        ({"to": 5}, "to=5"),
        ({"from": "2026-11-24T05:00:00Z", "to": "2026-11-24T05:00:00Z"}, "must be before"),
    ],
)
def test_a_request_that_cannot_be_used_is_named(params: dict[str, Any], message: str) -> None:
    with pytest.raises(FormError, match=message):
        read_redrive_request({"source": "rejects", "from": None, "to": None, "dry_run": True, **params})


def test_a_request_holds_from_its_start_up_to_its_end() -> None:
    request = read_redrive_request(
        {"source": "rejects", "from": "2026-11-24T12:00:00Z", "to": "2026-11-24T22:00:00+09:00"}
    )

    assert request.dry_run is True
    hours = {11: False, 12: True, 13: False}
    assert {hour: request.holds(NOON.replace(hour=hour)) for hour in hours} == hours
    assert read_redrive_request({"source": "rejects", "from": "", "to": None}).holds(NOON)


@pytest.mark.parametrize(("count", "calls"), [(0, []), (1, [1]), (500, [500]), (501, [500, 1])])
def test_records_go_in_calls_of_500_in_order(count: int, calls: list[int]) -> None:
    kinesis = MemoryKinesis()
    records = [b"%d" % number for number in range(count)]

    assert put_records(kinesis.client, "s", records) == count
    assert [data for _, data in kinesis.records] == records
    assert kinesis.call_sizes == calls


def test_a_call_holds_5_mib_at_most() -> None:
    kinesis = MemoryKinesis()

    assert put_records(kinesis.client, "s", [b"x" * (MAX_RECORD_BYTES - 64)] * 6) == 6
    assert kinesis.call_sizes == [5, 1]


def test_refused_records_are_sent_again_and_no_other() -> None:
    kinesis, pauses = MemoryKinesis(), []
    kinesis.refusals = [3, 1]

    assert put_records(kinesis.client, "s", [b"%d" % number for number in range(5)], pauses.append) == 5
    assert sorted(data for _, data in kinesis.records) == [b"0", b"1", b"2", b"3", b"4"]
    assert kinesis.call_sizes == [5, 3, 1]
    assert len(pauses) == 2


def test_records_refused_again_and_again_are_an_error_with_what_was_accepted() -> None:
    kinesis, pauses = MemoryKinesis(), []
    kinesis.refusals = [1] * 10

    with pytest.raises(PutError, match=r"1 records refused 10 times by stream s \(Provisioned.*\); 2 accepted"):
        put_records(kinesis.client, "s", [b"a", b"b", b"c"], pauses.append)
    assert max(pauses) <= 5


def failed(body: bytes = b"12345") -> MemoryS3:
    s3 = MemoryS3({"raw-bucket": {KEY: body, "processing-failed-redriven/x": b"", "raw/y": b""}})
    s3.landed = {KEY: NOON}
    return s3


def test_failed_objects_are_listed_and_redriven_ones_are_not() -> None:
    assert list_failed(failed().client, "raw-bucket", "processing-failed/") == [(KEY, NOON)]


def test_what_was_refused_lately_is_looked_at_and_no_more_than_is_asked() -> None:
    hours = ["2025/12/31/23", "2026/11/24/11", "2026/11/24/12", "2026/11/24/13"]
    keys = {f"refused/{hour}/one": b"" for hour in hours}
    s3 = MemoryS3({"raw-bucket": {**keys, "refused-redriven/2026/11/24/12/x": b""}}, page=1)
    s3.landed = {key: NOON + timedelta(minutes=number) for number, key in enumerate(keys)}
    newest = list(s3.landed.items())[2:]

    assert failed_since(s3.client, "raw-bucket", "refused/", NOON + timedelta(minutes=59), 10) == newest
    assert failed_since(s3.client, "raw-bucket", "refused/", NOON, 1) == newest[:1]
    assert {call["StartAfter"] for _, call in s3.calls if "StartAfter" in call} == {"refused/2026/11/24/12"}


def test_a_watch_lists_the_hours_asked_for_and_what_has_none() -> None:
    """A year of refused records, an object an hour and kind: two calls and one for each thousand objects listed."""
    hours = [NOON - timedelta(hours=ago) for ago in range(366 * 24)]
    kinds = ("processing-failed", "format-conversion-failed")
    names = {hour: [f"processing-failed/{kind}/{hour:%Y/%m/%d/%H}/a.gz" for kind in kinds] for hour in hours}
    odd = ["processing-failed/by-hand.gz", "processing-failed/processing-failed/odd.gz"]
    keys = [*odd, *(key for listed in names.values() for key in listed)]
    s3 = MemoryS3({"raw-bucket": dict.fromkeys(keys, b"1")})
    since = NOON - timedelta(days=33)

    found = {
        key
        for key, _ in list_failed(
            s3.client, "raw-bucket", "processing-failed/", since.astimezone(timezone(timedelta(hours=9)))
        )
    }

    assert found == {*odd, *(key for hour in hours if hour >= since for key in names[hour])}
    assert len(s3.called("ListObjectsV2")) == 3
    assert len(list_failed(s3.client, "raw-bucket", "processing-failed/")) == len(keys)


def test_an_object_is_copied_before_it_is_deleted() -> None:
    s3 = failed()

    move_failed(s3.client, "raw-bucket", KEY, etag(b"12345"))

    assert s3.buckets["raw-bucket"].keys() == {TARGET, "processing-failed-redriven/x", "raw/y"}
    assert [name for name, _ in s3.calls] == ["CopyObject", "HeadObject", "HeadObject", "DeleteObject"]


def test_a_copy_that_is_not_whole_keeps_the_original() -> None:
    s3 = failed()
    s3.copied_bytes = 3

    with pytest.raises(MoveError, match="has 3 bytes of 5"):
        move_failed(s3.client, "raw-bucket", KEY, etag(b"12345"))
    assert s3.buckets["raw-bucket"][KEY] == b"12345"


def test_an_object_that_was_written_anew_meanwhile_is_kept() -> None:
    s3 = failed()

    with pytest.raises(ClientError, match="PreconditionFailed"):
        move_failed(s3.client, "raw-bucket", KEY, etag(b"other"))
    assert s3.buckets["raw-bucket"][KEY] == b"12345"
