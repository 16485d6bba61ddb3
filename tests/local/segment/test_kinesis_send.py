"""Reading files of records and putting them on a stream, against clients that misbehave."""

import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from local.segment.kinesis import RecordFileError, SendError, partition_key, read_records, send

REFUSED = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded"}


class FakeStream:
    """Takes records, refusing those `refuse(call number, data)` says to refuse, and checks the PutRecords limits."""

    def __init__(self, refuse: Callable[[int, bytes], bool] = lambda call, data: False) -> None:
        self.refuse, self.calls, self.taken = refuse, 0, list[tuple[str, bytes]]()

    def put_records(self, **request: Any) -> Any:
        records = request["Records"]
        assert request["StreamName"] == "events"
        assert 1 <= len(records) <= 500
        sizes = [len(r["Data"]) + len(r["PartitionKey"].encode()) for r in records]
        assert max(sizes) <= 1_048_576
        assert sum(sizes) <= 5_242_880
        self.calls += 1
        results = []
        for record in records:
            if self.refuse(self.calls, record["Data"]):
                results.append(REFUSED)
            else:
                self.taken.append((record["PartitionKey"], record["Data"]))
                results.append({"SequenceNumber": str(len(self.taken)), "ShardId": "shardId-000000000000"})
        return {"FailedRecordCount": sum("ErrorCode" in r for r in results), "Records": results}


def event(number: int, size: int = 0) -> bytes:
    return json.dumps({"messageId": f"m{number}", "userId": f"u{number}", "pad": "x" * size}).encode()


def test_records_arrive_byte_for_byte_in_order() -> None:
    stream, records = FakeStream(), [b'{ "messageId":"\xea\xb0\x80" } ', b"not json", b"[1]", b"\xff\x00", b'{"a":1}\r']
    progress: list[int] = []
    report = send(records, "events", stream, progress.append)
    assert [data for _, data in stream.taken] == records
    assert (report.sent, report.sent_bytes, report.retried) == (5, sum(map(len, records)), 0)
    assert progress == [5]


@pytest.mark.parametrize(("count", "size", "calls"), [(500, 0, 1), (501, 0, 2), (1001, 0, 3), (11, 999_000, 3)])
def test_calls_stay_within_the_limits(count: int, size: int, calls: int) -> None:
    stream = FakeStream()
    assert send((event(n, size) for n in range(count)), "events", stream).sent == count
    assert stream.calls == calls


def test_refused_entries_alone_are_sent_again() -> None:
    stream = FakeStream(lambda call, data: (call <= 2 and b'"m1"' in data) or (call == 1 and b'"m2"' in data))
    pauses: list[float] = []
    progress: list[int] = []
    report = send([event(n) for n in range(4)], "events", stream, progress.append, pauses.append)
    assert sorted(data for _, data in stream.taken) == [event(n) for n in range(4)]
    assert (report.sent, report.retried, progress) == (4, 3, [2, 3, 4])
    assert len(pauses) == 2
    assert 0.05 <= pauses[0] <= 0.1
    assert 0.1 <= pauses[1] <= 0.2


def test_endless_refusal_ends_with_the_reason_and_the_count() -> None:
    stream = FakeStream(lambda call, data: b'"m3"' in data)
    pauses: list[float] = []
    with pytest.raises(
        SendError, match=r"1 records refused 10 times by stream events .*Rate exceeded.*; 3 were accepted"
    ):
        send([event(n) for n in range(4)], "events", stream, sleep=pauses.append)
    assert stream.calls == 10
    assert len(pauses) == 9
    assert max(pauses) <= 5


def test_a_failing_call_says_how_far_it_got() -> None:
    class Breaks(FakeStream):
        def put_records(self, **request: Any) -> Any:
            if self.calls == 1:
                raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
            return super().put_records(**request)

    with pytest.raises(SendError, match=r"cannot put records on stream events: .*127.0.0.1:1.*; 500 were accepted"):
        send([event(n) for n in range(600)], "events", Breaks())


def test_a_real_client_takes_the_request_and_its_errors_are_told() -> None:
    client = boto3.client("kinesis", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    request = {"StreamName": "events", "Records": [{"Data": event(1), "PartitionKey": "u1"}]}
    with Stubber(client) as stub:
        answer = {"Records": [{"SequenceNumber": "1", "ShardId": "shardId-000000000000"}]}
        stub.add_response("put_records", answer, request)
        assert send([event(1)], "events", client).sent == 1
        stub.add_client_error("put_records", "ResourceNotFoundException", "Stream events not found")
        with pytest.raises(SendError, match=r"Stream events not found.*0 were accepted"):
            send([event(1)], "events", client)


def test_blank_and_oversized_lines_are_skipped_and_named() -> None:
    stream = FakeStream()
    largest = b"x" * (1_048_576 - 64)  # a key made from the bytes has 64 characters
    report = send([event(1), b"", b" \t", largest, largest + b"x", event(2)], "events", stream)
    assert (report.sent, report.blank, report.too_large) == (3, 2, [(5, 1_048_577)])
    assert [data for _, data in stream.taken] == [event(1), largest, event(2)]


def test_nothing_to_send_makes_no_call() -> None:
    stream = FakeStream()
    assert send([], "events", stream).sent == stream.calls == 0


HASH = "a hash"


@pytest.mark.parametrize(
    ("record", "key"),
    [
        (b'{"userId":"u","anonymousId":"a","messageId":"m"}', "u"),
        (b'{"userId":null,"anonymousId":"a","messageId":"m"}', "a"),
        (b'{"userId":" ","anonymousId":"","messageId":"m"}', "m"),
        (b'{"userId":42,"anonymousId":"a"}', "42"),
        (b'{"userId":true,"anonymousId":{"a":1},"messageId":"m"}', "m"),
        ('{"userId":"사용자"}'.encode(), "사용자"),
        (b'{"userId":"\\ud800","messageId":"m"}', "m"),
        (b'{"userId":"' + b"u" * 257 + b'","messageId":"m"}', "m"),
        (b'{"event":"x"}', HASH),
        (b"[]", HASH),
        (b"\xff", HASH),
        (b'{"userId":', HASH),
        (b"[" * 100_000, HASH),
        (b'{"userId":' + b"9" * 5_000 + b"}", HASH),
    ],
)
def test_partition_key(record: bytes, key: str) -> None:
    found = partition_key(record)
    assert found == key if key != HASH else len(found) == 64 and found != partition_key(record + b" ")


LINES = [b'{"a":1}', b"", b"  ", '{"b":"한"}'.encode(), b"lone \r stays", b"ends in \r"]
BODY = b"\r\n".join(LINES[:2]) + b"\n" + b"\n".join(LINES[2:])


@pytest.mark.parametrize("name", ["plain.ndjson", "plain-named.gz"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_lines_are_read_from_plain_and_gzip_files_whatever_their_name(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / name
    path.write_bytes(pack(BODY))
    assert list(read_records(str(path))) == LINES
    path.write_bytes(pack(BODY + b"\n"))
    assert list(read_records(str(path))) == [*LINES[:-1], b"ends in "]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_lines_are_read_from_standard_input(monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(pack(b"a\n\nb\n")))))
    assert list(read_records("-")) == [b"a", b"", b"b"]


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert list(read_records(str(tmp_path / "empty"))) == []


@pytest.mark.parametrize("damage", [lambda whole: whole[:-9], lambda whole: whole[:40] + b"\0\0\0" + whole[43:]])
def test_damaged_gzip_is_named_after_the_lines_before_it(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes(damage(gzip.compress(b"".join(event(n) + b"\n" for n in range(50)))))
    with pytest.raises(RecordFileError, match=r"cut\.gz: damaged gzip data after line \d+"):
        list(read_records(str(path)))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        list(read_records(str(tmp_path / "nowhere")))
