"""What a full disk leaves: nothing is answered that a restart would not find.

The disk is full for one process: with its limit on the size of files at some bytes, the system refuses what goes
beyond, after it took a part. That needs no root and no file system of its own.
"""

import json
import resource
import signal
from contextlib import contextmanager
from itertools import product

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="prlimit is Linux's")

BODY = b"x" * 100_000
PART = b"p" * (5 * 1024 * 1024)
KEY = "a/b"


@pytest.fixture
def full(own_aws):
    """`with full(bytes):` no file of the local AWS can grow past that many bytes."""

    @contextmanager
    def limited(size=0):
        pid, (_, hard) = own_aws.process.pid, resource.prlimit(own_aws.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))

    return limited


def refused(call, **arguments):
    """The HTTP status with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert "cannot store" in str(caught.value)
    return caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def restarted(server):
    server.end(signal.SIGKILL)
    server.start()


def upload(s3, bucket):
    """An upload of one part, ready to be completed: the arguments for that."""
    place = {"Bucket": bucket, "Key": KEY}
    place["UploadId"] = s3.create_multipart_upload(**place)["UploadId"]
    part = s3.upload_part(**place, PartNumber=1, Body=PART)
    return {**place, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}}


def put(s3, bucket):
    return s3.put_object, {"Bucket": bucket, "Key": KEY, "Body": BODY, "Metadata": {"made": "new"}}


def copy(s3, bucket):
    s3.put_object(Bucket=bucket, Key="source", Body=BODY, Metadata={"made": "new"})
    return s3.copy_object, {"Bucket": bucket, "Key": KEY, "CopySource": {"Bucket": bucket, "Key": "source"}}


def complete(s3, bucket):
    return s3.complete_multipart_upload, upload(s3, bucket)


def files(server, bucket):
    """Content by name of all that the server keeps of a bucket's objects."""
    folder = server.state / "s3" / "000000000000" / bucket
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_object_that_cannot_be_stored_is_refused_and_leaves_all_as_it_was(own_aws, full):
    s3, cases = own_aws.client("s3"), []
    for before, prepare in product([b"", b"old"], [put, copy, complete]):
        bucket = own_aws.bucket()
        if before:
            s3.put_object(Bucket=bucket, Key=KEY, Body=before, Metadata={"made": "old"}, Tagging="t=old")
        call, arguments = prepare(s3, bucket)
        kept, on_disk = own_aws.objects(bucket), files(own_aws, bucket)
        cases.append((bucket, before, kept))
        for size in (0, 50_000):
            with full(size):
                assert [refused(call, **arguments) for _ in range(2)] == [503, 503]
                assert own_aws.objects(bucket) == kept
                assert files(own_aws, bucket) == on_disk
    restarted(own_aws)
    s3 = own_aws.client("s3")
    for bucket, before, kept in cases:
        assert own_aws.objects(bucket) == kept
        if before:
            assert s3.head_object(Bucket=bucket, Key=KEY)["Metadata"] == {"made": "old"}
            assert s3.get_object_tagging(Bucket=bucket, Key=KEY)["TagSet"] == [{"Key": "t", "Value": "old"}]


def test_a_description_that_cannot_be_stored_leaves_the_old_data(own_aws, full):
    s3, bucket = own_aws.client("s3"), own_aws.bucket()
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"old")
    with full(60):
        # The body of 3 bytes fits, its description does not.
        assert refused(s3.put_object, Bucket=bucket, Key=KEY, Body=b"new") == 503
    restarted(own_aws)
    assert own_aws.objects(bucket) == {KEY: b"old"}


def test_the_same_request_works_once_there_is_room(own_aws, full):
    s3, kept = own_aws.client("s3"), {}
    for prepare in (put, copy, complete):
        bucket = own_aws.bucket()
        call, arguments = prepare(s3, bucket)
        with full():
            refused(call, **arguments)
        call(**arguments)
        kept[bucket] = own_aws.objects(bucket)
        assert kept[bucket][KEY] in (BODY, PART)
    restarted(own_aws)
    assert {bucket: own_aws.objects(bucket) for bucket in kept} == kept


def test_of_ten_puts_exactly_those_that_were_answered_are_there_after_a_restart(own_aws, full):
    s3, bucket = own_aws.client("s3"), own_aws.bucket()
    answered = {}
    with full(50_000):
        for number in range(10):
            # Every second one fits.
            key, body = f"o{number}", b"x" * (1_000 if number % 2 else 100_000)
            try:
                s3.put_object(Bucket=bucket, Key=key, Body=body)
            except ClientError:
                continue
            answered[key] = body
    assert len(answered) == 5
    restarted(own_aws)
    assert own_aws.objects(bucket) == answered


def test_no_notification_tells_of_an_object_that_is_not_kept(own_aws, full, wait):
    s3, sqs, bucket = own_aws.client("s3"), own_aws.client("sqs"), own_aws.bucket()
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    policy = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document})
    target = {"QueueArn": "arn:aws:sqs:us-east-1:000000000000:q", "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [target]})
    with full():
        refused(s3.put_object, Bucket=bucket, Key="refused", Body=BODY)
    s3.put_object(Bucket=bucket, Key="kept", Body=BODY)
    keys = []

    def told():
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            keys.extend(record["s3"]["object"]["key"] for record in json.loads(message["Body"]).get("Records", []))
        return "kept" in keys

    wait(told, "the notification")
    assert keys == ["kept"]


def test_deleting_works_on_a_full_disk(own_aws, full):
    s3, bucket = own_aws.client("s3"), own_aws.bucket()
    for key in ("one", "two", "three"):
        s3.put_object(Bucket=bucket, Key=key, Body=BODY)
    with full():
        s3.delete_object(Bucket=bucket, Key="one")
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "two"}]})
    restarted(own_aws)
    assert list(own_aws.objects(bucket)) == ["three"]


def test_a_bucket_and_a_queue_are_there_if_they_were_answered(own_aws, full):
    s3, sqs = own_aws.client("s3"), own_aws.client("sqs")
    s3.create_bucket(Bucket="answered")
    sqs.create_queue(QueueName="answered")
    with full():
        assert refused(s3.create_bucket, Bucket="refused") == 503
        assert refused(sqs.create_queue, QueueName="refused") == 503
    restarted(own_aws)
    assert [bucket["Name"] for bucket in own_aws.client("s3").list_buckets()["Buckets"]] == ["answered"]
    urls = own_aws.client("sqs").list_queues()["QueueUrls"]
    assert [url.rpartition("/")[2] for url in urls] == ["answered"]


def test_a_message_is_there_if_it_was_answered(own_aws, full):
    sqs = own_aws.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="answered")
    with full():
        assert refused(sqs.send_message, QueueUrl=url, MessageBody="refused") == 503
        entries = [{"Id": "1", "MessageBody": "refused"}]
        assert refused(sqs.send_message_batch, QueueUrl=url, Entries=entries) == 503
    restarted(own_aws)
    sqs = own_aws.client("sqs")
    url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert "answered" in [message["Body"] for message in found]


def test_messages_that_were_answered_a_moment_before_a_kill_are_there_once(own_aws):
    sqs = own_aws.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    attributes = {"a": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    sqs.send_message(QueueUrl=url, MessageBody="one", MessageAttributes=attributes)
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": f"batch {n}"} for n in range(3)])
    for _ in range(2):
        restarted(own_aws)
    sqs = own_aws.client("sqs")
    where = {"QueueUrl": sqs.get_queue_url(QueueName="q")["QueueUrl"], "MaxNumberOfMessages": 10}
    found = sqs.receive_message(**where, MessageAttributeNames=["All"])["Messages"]
    assert sorted(message["Body"] for message in found) == ["batch 0", "batch 1", "batch 2", "one"]
    [one] = [message for message in found if message["Body"] == "one"]
    assert one["MessageAttributes"]["a"]["BinaryValue"] == b"\x00\xff"


def test_a_catalog_change_that_cannot_be_stored_is_refused_and_undone(own_aws, full):
    glue = own_aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "d"})
    glue.create_table(DatabaseName="d", TableInput={"Name": "old", "Parameters": {"at": "1"}})

    def tables():
        found = own_aws.client("glue").get_tables(DatabaseName="d")["TableList"]
        return {table["Name"]: table["Parameters"] for table in found}

    with full():
        new = {"Name": "old", "Parameters": {"at": "2"}}
        assert refused(glue.update_table, DatabaseName="d", TableInput=new) == 500
        assert refused(glue.create_table, DatabaseName="d", TableInput={"Name": "new"}) == 500
        assert tables() == {"old": {"at": "1"}}
    restarted(own_aws)
    assert tables() == {"old": {"at": "1"}}


@pytest.mark.parametrize("size", [0, 2_000])
def test_records_are_there_if_they_were_answered(own_aws, full, size):
    stream, _arn = own_aws.kinesis(shards=1)
    own_aws.put(stream, [b"first"])
    kinesis = own_aws.client("kinesis")
    with full(size):
        # With 2,000 bytes, a part of it would fit.
        assert refused(kinesis.put_record, StreamName=stream, Data=BODY, PartitionKey="k") == 500
    own_aws.put(stream, [b"second"])
    restarted(own_aws)
    kinesis = own_aws.client("kinesis")
    where = {"StreamName": stream, "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    found = kinesis.get_records(ShardIterator=kinesis.get_shard_iterator(**where)["ShardIterator"])["Records"]
    assert [record["Data"] for record in found if record["Data"] != BODY] == [b"first", b"second"]


def test_a_stream_that_the_first_save_missed_keeps_its_records(own_aws, full):
    kinesis = own_aws.client("kinesis")
    with full():
        kinesis.create_stream(StreamName="s", ShardCount=1)
        assert refused(kinesis.put_record, StreamName="s", Data=b"refused", PartitionKey="k") == 500
    own_aws.put("s", [b"answered"])
    restarted(own_aws)
    kinesis = own_aws.client("kinesis")
    where = {"StreamName": "s", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    found = kinesis.get_records(ShardIterator=kinesis.get_shard_iterator(**where)["ShardIterator"])["Records"]
    assert b"answered" in [record["Data"] for record in found]


@pytest.mark.parametrize("size", [0, 2_000])
def test_direct_puts_are_delivered_if_they_were_answered(own_aws, full, wait, size):
    bucket = own_aws.bucket()
    name = own_aws.delivery(bucket, seconds=2)
    wait(lambda: name in own_aws.health()["firehose"], "the stream to be served")
    firehose = own_aws.client("firehose")
    firehose.put_record(DeliveryStreamName=name, Record={"Data": b"first;"})
    with full(size):
        assert refused(firehose.put_record, DeliveryStreamName=name, Record={"Data": BODY}) == 503
    firehose.put_record(DeliveryStreamName=name, Record={"Data": b"second;"})
    definitions = own_aws.state / "services" / "firehose.json"
    wait(lambda: definitions.exists() and name in definitions.read_text(), "the definition to be saved")
    restarted(own_aws)
    own_aws.delivered(name)
    assert sorted(b"".join(own_aws.objects(bucket).values()).split(b";")) == [b"", b"first", b"second"]


def test_state_that_could_not_be_saved_is_saved_when_there_is_room(own_aws, full, wait):
    saved = own_aws.state / "services" / "sns.json"
    with full():
        own_aws.client("sns").create_topic(Name="made-on-a-full-disk")
        wait(lambda: own_aws.health()["state_saves"]["failing"], "a save to fail")
    wait(lambda: saved.exists() and "made-on-a-full-disk" in saved.read_text(), "the topic to be saved")
