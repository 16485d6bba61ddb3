"""Delivery streams of a running local AWS."""

import base64
import gzip
import json
import re
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

ERRORS = {"Prefix": "raw/", "ErrorOutputPrefix": "!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/"}


def lines(objects):
    return [json.loads(line) for body in objects.values() for line in body.splitlines()]


def test_kinesis_records_are_transformed_buffered_and_written_as_gzip(aws):
    bucket, (stream, arn) = aws.bucket(), aws.kinesis()
    name = aws.delivery(
        bucket,
        kinesis=arn,
        function=aws.function("transform"),
        CompressionFormat="GZIP",
        FileExtension=".json.gz",
        **ERRORS,
    )
    sent = [f"record {number}" for number in range(1200)]
    aws.put(stream, [text.encode() for text in sent])
    report = aws.delivered(name)
    objects = aws.objects(bucket)
    assert sorted(gzip.decompress(b"".join(objects.values())).decode().splitlines()) == sorted(sent)
    assert (report["records_read"], report["records_delivered"], report["objects"]) == (1200, 1200, len(objects))
    assert len(objects) <= 3
    time, unique = r"\d{4}(-\d\d){5}", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    pattern = rf"raw/\d{{4}}/\d\d/\d\d/\d\d/{name}-1-{time}-{unique}\.json\.gz"
    assert all(re.fullmatch(pattern, key) for key in objects), sorted(objects)


def test_dropped_refused_and_lost_records_are_each_accounted_for(aws):
    bucket, (stream, arn) = aws.bucket(), aws.kinesis(shards=1)
    function = aws.function("transform")
    name = aws.delivery(bucket, kinesis=arn, function=function, **ERRORS)
    aws.put(stream, [b"good", b"drop", b"refuse", b"vanish"])
    report = aws.delivered(name)
    counted = {key: report[key] for key in ("records_read", "records_delivered", "records_dropped", "records_failed")}
    assert counted == {"records_read": 4, "records_delivered": 1, "records_dropped": 1, "records_failed": 2}
    assert b"".join(aws.objects(bucket, "raw/").values()) == b"good\n"
    failed = aws.objects(bucket, f"processing-failed/{datetime.now(UTC):%Y/%m/}")
    found = {base64.b64decode(entry["rawData"]): (entry["errorCode"], entry["attemptsMade"]) for entry in lines(failed)}
    assert found == {b"refuse": ("Lambda.ProcessingFailedStatus", 1), b"vanish": ("Lambda.MissingRecordId", 1)}
    assert {entry["lambdaArn"] for entry in lines(failed)} == {function}


def test_a_batch_whose_invocation_keeps_failing_is_written_as_failed_and_the_stream_goes_on(aws):
    bucket, (stream, arn) = aws.bucket(), aws.kinesis(shards=1)
    name = aws.delivery(bucket, kinesis=arn, function=aws.function("transform"), **ERRORS)
    aws.put(stream, [b"raise", b"beside it"])
    assert aws.delivered(name)["records_failed"] == 2
    entries = lines(aws.objects(bucket, "processing-failed/"))
    assert {(entry["errorCode"], entry["attemptsMade"]) for entry in entries} == {("Lambda.FunctionError", 2)}
    aws.put(stream, [b"good"])
    assert aws.delivered(name)["records_delivered"] == 1


def test_the_transform_is_sent_the_documented_event(aws):
    bucket, proof, (stream, arn) = aws.bucket(), aws.bucket(), aws.kinesis(shards=1)
    name = aws.delivery(bucket, kinesis=arn, function=aws.function("transform_with_proof", PROOF_BUCKET=proof))
    aws.client("kinesis").put_record(StreamName=stream, Data=b"\xff\x00 bytes", PartitionKey="user-1")
    aws.delivered(name)
    (event,) = (json.loads(body) for body in aws.objects(proof).values())
    (record,) = event.pop("records")
    assert set(event) == {"invocationId", "deliveryStreamArn", "sourceKinesisStreamArn", "region"}
    assert event["sourceKinesisStreamArn"] == arn
    assert event["region"] == "us-east-1"
    metadata = record["kinesisRecordMetadata"]
    assert set(record) == {"recordId", "approximateArrivalTimestamp", "data", "kinesisRecordMetadata"}
    assert base64.b64decode(record["data"]) == b"\xff\x00 bytes"
    assert (metadata["partitionKey"], metadata["shardId"], metadata["subsequenceNumber"]) == (
        "user-1",
        "shardId-000000000000",
        0,
    )
    assert metadata["approximateArrivalTimestamp"] == record["approximateArrivalTimestamp"] > 1_700_000_000_000


def test_records_that_wait_in_the_buffer_are_reported_with_the_time_of_the_next_write(aws, wait):
    bucket, (stream, arn) = aws.bucket(), aws.kinesis(shards=1)
    name = aws.delivery(bucket, kinesis=arn, seconds=2)
    aws.put(stream, [b"one"])
    report = wait(lambda: (r := aws.health()["firehose"][name])["next_flush_at"] and r, "the record in the buffer")
    assert not report["all_delivered"]
    assert aws.objects(bucket) == {}
    assert datetime.fromisoformat(report["next_flush_at"]) > datetime.now(UTC)
    assert aws.delivered(name)["records_delivered"] == 1


def test_size_alone_makes_an_object_before_the_interval_is_over(aws, wait):
    bucket, (stream, arn) = aws.bucket(), aws.kinesis(shards=1)
    hints = {"SizeInMBs": 1, "IntervalInSeconds": 900}
    name = aws.delivery(bucket, kinesis=arn, BufferingHints=hints)
    aws.put(stream, [b"x" * 600_000, b"y" * 600_000])
    wait(lambda: aws.objects(bucket), "the first object")
    assert [len(body) for body in aws.objects(bucket).values()] == [1_200_000]
    assert aws.delivered(name)["objects"] == 1


def test_without_a_function_records_are_joined_with_nothing_between(aws):
    bucket, (stream, arn) = aws.bucket(), aws.kinesis(shards=1)
    name = aws.delivery(bucket, kinesis=arn)
    aws.put(stream, [b'{"a":1}', b'{"a":2}'])
    aws.delivered(name)
    assert list(aws.objects(bucket).values()) == [b'{"a":1}{"a":2}']


def test_the_delimiter_processor_ends_each_record(aws):
    bucket, (stream, arn) = aws.bucket(), aws.kinesis(shards=1)
    processing = {"Enabled": True, "Processors": [{"Type": "AppendDelimiterToRecord"}]}
    name = aws.delivery(bucket, kinesis=arn, ProcessingConfiguration=processing)
    aws.put(stream, [b"1", b"2"])
    aws.delivered(name)
    assert list(aws.objects(bucket).values()) == [b"1\n2\n"]


def test_direct_puts_are_buffered_too(aws):
    bucket = aws.bucket()
    name = aws.delivery(bucket)
    firehose = aws.client("firehose")
    firehose.put_record(DeliveryStreamName=name, Record={"Data": b"a"})
    answer = firehose.put_record_batch(DeliveryStreamName=name, Records=[{"Data": b"b"}, {"Data": b"c"}])
    assert answer["FailedPutCount"] == 0
    assert len({entry["RecordId"] for entry in answer["RequestResponses"]}) == 2
    aws.delivered(name)
    assert b"".join(aws.objects(bucket).values()) == b"abc"


@pytest.mark.parametrize(
    "records",
    [[b"x"] * 501, [b"x" * 1_024_001], [b"x" * 1_000_000] * 5],
    ids=["too many", "one too large", "all too large"],
)
def test_a_direct_put_over_a_limit_is_refused(aws, records):
    name = aws.delivery(aws.bucket())
    with pytest.raises(ClientError, match="InvalidArgumentException"):
        aws.client("firehose").put_record_batch(DeliveryStreamName=name, Records=[{"Data": data} for data in records])


def test_a_direct_put_to_a_stream_that_reads_kinesis_is_refused(aws):
    name = aws.delivery(aws.bucket(), kinesis=aws.kinesis()[1])
    with pytest.raises(ClientError, match="InvalidArgumentException"):
        aws.client("firehose").put_record(DeliveryStreamName=name, Record={"Data": b"x"})


def test_a_changed_destination_is_followed_and_raises_the_version_in_names(aws):
    bucket, (stream, arn) = aws.bucket(), aws.kinesis(shards=1)
    name = aws.delivery(bucket, kinesis=arn)
    firehose = aws.client("firehose")
    described = firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
    firehose.update_destination(
        DeliveryStreamName=name,
        CurrentDeliveryStreamVersionId=described["VersionId"],
        DestinationId=described["Destinations"][0]["DestinationId"],
        ExtendedS3DestinationUpdate={"Prefix": "moved/"},
    )
    aws.put(stream, [b"x"])
    aws.delivered(name)
    (key,) = aws.objects(bucket)
    assert key.startswith("moved/")
    assert f"/{name}-2-" in key


def test_a_processor_that_is_not_done_here_is_named_in_the_health_report(aws):
    processing = {"Enabled": True, "Processors": [{"Type": "Decompression"}]}
    name = aws.delivery(aws.bucket(), kinesis=aws.kinesis()[1], ProcessingConfiguration=processing)
    report = aws.health()["firehose"][name]
    assert "Decompression" in report["error"]
    assert not report["all_delivered"]


def test_a_bucket_that_is_missing_holds_records_back_until_it_is_there(aws, wait):
    stream, arn = aws.kinesis(shards=1)
    bucket = f"later-{stream}"
    name = aws.delivery(bucket, kinesis=arn)
    aws.put(stream, [b"patience"])
    wait(lambda: "NoSuchBucket" in aws.health()["firehose"][name]["error"], "the error to be reported")
    aws.client("s3").create_bucket(Bucket=bucket)
    assert aws.delivered(name)["records_delivered"] == 1
    assert list(aws.objects(bucket).values()) == [b"patience"]
