"""The rules of a delivery stream, without a server: names, answers of the transform, buffers, sources, settings."""

import base64
import json
from datetime import UTC, datetime

import pytest

from local.aws.firehose_buffer import DeliveryBuffer, TransformBuffer
from local.aws.firehose_keys import delivery_prefix, error_prefix, format_java_time, object_name
from local.aws.firehose_service import PutRefusedError, read_payloads
from local.aws.firehose_settings import UnsupportedDeliveryError, read_settings
from local.aws.firehose_sources import DirectPutSource
from local.aws.firehose_transform import FailedRecord, SourceRecord, error_line, read_answer

WHEN = datetime(2026, 2, 3, 4, 5, 6, 789000, tzinfo=UTC)


def record(number, data=b"x"):
    return SourceRecord(data, f"{number:010d}", 1_795_000_000_000 + number, "shard-0", "key")


def answer_for(rec, result="Ok", **fields):
    return {"recordId": rec.record_id, "result": result, "data": base64.b64encode(rec.data).decode(), **fields}


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", "2026/02/03/04/"),
        ("raw/", "raw/2026/02/03/04/"),
        ("raw", "raw2026/02/03/04/"),
        ("raw/!{timestamp:yyyy}-!{timestamp:MM}/", "raw/2026-02/"),
        ("!{timestamp:'year='yyyy/HHmmss}/", "year=2026/040506/"),
    ],
)
def test_prefixes(prefix, expected):
    assert delivery_prefix(prefix, WHEN) == expected


@pytest.mark.parametrize(
    ("prefix", "errors", "expected"),
    [
        (
            "raw/",
            "failed/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/",
            "failed/processing-failed/2026/02/03/04/",
        ),
        ("raw/", "", "raw/processing-failed/2026/02/03/04/"),
        ("", "", "processing-failed/2026/02/03/04/"),
        ("raw/", "failed/!{firehose:error-output-type}/", "failed/processing-failed/"),
    ],
)
def test_error_prefixes(prefix, errors, expected):
    assert error_prefix(prefix, errors, WHEN) == expected


def test_a_random_string_differs_each_time():
    assert len({delivery_prefix("!{firehose:random-string}", WHEN) for _ in range(20)}) == 20


@pytest.mark.parametrize(
    "prefix", ["!{partitionKeyFromLambda:a}/", "!{firehose:error-output-type}/", "!{timestamp:EEE}/"]
)
def test_expressions_that_are_not_done_are_refused(prefix):
    with pytest.raises(ValueError, match="not done locally"):
        delivery_prefix(prefix, WHEN)


def test_time_zones_move_prefix_and_name():
    assert delivery_prefix("", WHEN, "Asia/Seoul") == "2026/02/03/13/"
    assert object_name("s", 2, WHEN, "id", ".gz", time_zone="Asia/Seoul") == "s-2-2026-02-03-13-05-06-id.gz"


@pytest.mark.parametrize(
    ("pattern", "expected"), [("yy", "26"), ("d/M", "3/2"), ("SSS", "789"), ("''", "'"), ("H:mm", "4:05")]
)
def test_java_time_patterns(pattern, expected):
    assert format_java_time(pattern, WHEN) == expected


def test_every_record_of_an_answer_ends_in_exactly_one_place():
    batch = [record(n, str(n).encode()) for n in range(9)]
    twice = answer_for(batch[6])
    records = [
        answer_for(batch[1]),
        answer_for(batch[0]),
        answer_for(batch[2], "Dropped"),
        answer_for(batch[3], "ProcessingFailed"),
        answer_for(batch[4], data="no base64!"),
        answer_for(batch[5], "ok"),
        twice,
        twice,
        {"recordId": batch[7].record_id, "result": "Ok"},
        {"recordId": "stranger", "result": "Ok"},
        "junk",
    ]
    outcome = read_answer(batch, {"records": records})
    assert outcome.delivered == [b"1", b"0"]
    assert outcome.dropped == 1
    assert {f.record.data: f.code.removeprefix("Lambda.") for f in outcome.failed} == {
        b"3": "ProcessingFailedStatus",
        b"4": "JsonProcessingException",
        b"5": "JsonProcessingException",
        b"6": "DuplicatedRecordId",
        b"7": "JsonProcessingException",
        b"8": "MissingRecordId",
    }


@pytest.mark.parametrize("answer", [None, [], "text", {}, {"records": None}])
def test_an_answer_without_records_fails_the_batch(answer):
    assert len(read_answer([record(1), record(2)], answer).failed) == 2


def test_a_line_of_a_failed_object_has_the_documented_fields_and_the_raw_bytes():
    failure = FailedRecord(record(5, b"\xff{"), "Lambda.FunctionError", "why", attempts=4)
    line = error_line(failure, function_arn="arn", ended_ms=9)
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == {
        "attemptsMade": 4,
        "arrivalTimestamp": 1_795_000_000_005,
        "errorCode": "Lambda.FunctionError",
        "errorMessage": "why",
        "attemptEndingTimestamp": 9,
        "rawData": base64.b64encode(b"\xff{").decode(),
        "lambdaArn": "arn",
    }


def test_the_transform_buffer_is_due_by_size_or_by_time_whichever_is_first():
    buffer = TransformBuffer()
    assert buffer.due_at(100, 60) is None
    buffer.add([record(1, b"x" * 40)], now=10)
    assert buffer.due_at(100, 60) == 70
    buffer.add([record(2, b"x" * 40), record(3, b"x" * 40)], now=20)
    assert buffer.due_at(100, 60) == 0
    assert [r.sequence for r in buffer.take(100, now=20)] == [record(n).sequence for n in (1, 2, 3)]
    assert buffer.due_at(100, 60) is None


def test_a_batch_ends_with_the_record_that_reaches_the_size():
    buffer = TransformBuffer()
    buffer.add([record(n, b"x" * 60) for n in range(5)], now=0)
    assert [len(buffer.take(100, now=1)) for _ in range(3)] == [2, 2, 1]


def test_the_delivery_buffer_knows_how_far_each_shard_is_done():
    buffer = DeliveryBuffer()
    buffer.add([record(1, b"a"), record(2, b"b")], [b"a\n"], [FailedRecord(record(2, b"b"), "c", "m")], now=5)
    other = SourceRecord(b"c", "0000000001", 1_700_000_000_000, "shard-1")
    buffer.add([other], [b"c\n"], [], now=6)
    assert buffer.body == b"a\nc\n"
    assert buffer.size == 5
    assert buffer.positions == {"shard-0": record(2).sequence, "shard-1": "0000000001"}
    assert (buffer.oldest_ms, buffer.due_at(100, 60), buffer.due_at(5, 60)) == (1_700_000_000_000, 65, 0)


def test_direct_puts_survive_until_they_are_delivered(tmp_path):
    path = tmp_path / "deep" / "records"
    source = DirectPutSource(path, created_at=1.0)
    source.append([b"a", b"b"], now=100)
    source.append([b"c"], now=101)
    first = source.read()
    assert [r.data for r in first] == [b"a", b"b", b"c"]
    assert source.read() == []
    source.checkpoint({"direct-put": first[1].sequence})
    with path.open("a") as file:
        file.write('[1.0, "cut o')
    assert [r.data for r in DirectPutSource(path, created_at=1.0).read()] == [b"c"]
    assert DirectPutSource(path, created_at=2.0).read() == []


def stream(**config):
    destination = {"type": "ExtendedS3", "config": {"BucketARN": "arn:aws:s3:::b", **config}}
    return {"name": "n", "arn": "a", "version": 1, "created_at": 1, "destinations": [destination]}


def test_settings_have_the_defaults_of_the_api():
    settings = read_settings(stream())
    assert (settings.buffer_bytes, settings.buffer_seconds, settings.gzip, settings.extension) == (
        5 * 1024**2,
        300,
        False,
        "",
    )
    assert settings.transform is None
    assert settings.delimiter == b""


def test_settings_of_a_template_may_be_text():
    parameters = {"LambdaArn": "f", "BufferSizeInMBs": "0.2", "BufferIntervalInSeconds": "5", "NumberOfRetries": "0"}
    shaped = [{"ParameterName": key, "ParameterValue": value} for key, value in parameters.items()]
    processing = {"Enabled": "true", "Processors": [{"Type": "Lambda", "Parameters": shaped}]}
    hints = {"SizeInMBs": "64", "IntervalInSeconds": "60"}
    settings = read_settings(stream(BufferingHints=hints, CompressionFormat="GZIP", ProcessingConfiguration=processing))
    assert (settings.buffer_bytes, settings.buffer_seconds, settings.extension) == (64 * 1024**2, 60, ".gz")
    transform = settings.transform
    assert (transform.buffer_bytes, transform.buffer_seconds, transform.retries) == (209_715, 5, 0)


@pytest.mark.parametrize(
    "record_",
    [
        stream(CompressionFormat="Snappy"),
        {**stream(), "destinations": []},
        stream(ProcessingConfiguration={"Enabled": True, "Processors": [{"Type": "Lambda"}]}),
        stream(ProcessingConfiguration={"Enabled": True, "Processors": [{"Type": "MetadataExtraction"}]}),
    ],
    ids=["compression", "destination", "function", "processor"],
)
def test_what_is_not_done_is_refused(record_):
    with pytest.raises(UnsupportedDeliveryError):
        read_settings(record_)


@pytest.mark.parametrize("records", [[], [{}], [{"Data": "%%%"}], [{"Data": None}]])
def test_puts_without_data_are_refused(records):
    with pytest.raises(PutRefusedError):
        read_payloads(records)
