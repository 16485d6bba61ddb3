"""What a stop, a kill and another port leave of the state."""

import json
import signal
import subprocess

import pytest


def stop_kinds():
    return pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])


def children(pid):
    listed = subprocess.run(["ps", "-o", "pid=,ppid=", "-A"], capture_output=True, text=True, check=True).stdout
    return [int(row.split()[0]) for row in listed.splitlines() if int(row.split()[1]) == pid]


@stop_kinds()
def test_catalog_changes_that_were_answered_are_there_after_the_process_ends(own_aws, number):
    glue = own_aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "d"})
    for table in range(5):
        glue.create_table(DatabaseName="d", TableInput={"Name": f"t{table}"})
    for update in range(20):
        glue.update_table(DatabaseName="d", TableInput={"Name": "t0", "Parameters": {"update": str(update)}})
    own_aws.end(number)
    own_aws.start()
    tables = {table["Name"]: table for table in own_aws.client("glue").get_tables(DatabaseName="d")["TableList"]}
    assert len(tables) == 5
    assert tables["t0"]["Parameters"] == {"update": "19"}


@stop_kinds()
def test_records_in_the_open_buffer_are_delivered_after_a_restart(own_aws, wait, number):
    bucket, (stream, arn) = own_aws.bucket(), own_aws.kinesis()
    kept = own_aws.delivery(bucket, kinesis=arn, seconds=2, Prefix="kinesis/")
    direct = own_aws.delivery(bucket, seconds=2, Prefix="direct/")
    wait(lambda: not own_aws.health()["firehose"][kept]["error"], "the stream to be served")
    wait(
        lambda: (
            (own_aws.state / "services" / "firehose.json").exists()
            and direct in (own_aws.state / "services" / "firehose.json").read_text()
        ),
        "the definitions to be saved",
    )
    own_aws.put(stream, [f"{n};".encode() for n in range(300)])
    own_aws.client("firehose").put_record(DeliveryStreamName=direct, Record={"Data": b"put"})
    wait(lambda: own_aws.health()["firehose"][kept]["records_read"] == 300, "the records to be read")
    own_aws.end(number)
    own_aws.start()
    own_aws.delivered(kept)
    own_aws.delivered(direct)
    body = b"".join(own_aws.objects(bucket, "kinesis/").values())
    assert sorted(set(body.decode().split(";"))) == sorted({"", *map(str, range(300))})
    assert b"".join(own_aws.objects(bucket, "direct/").values()) == b"put"


def test_delivered_records_are_not_read_again_after_a_clean_stop(own_aws):
    bucket, (stream, arn) = own_aws.bucket(), own_aws.kinesis()
    name = own_aws.delivery(bucket, kinesis=arn)
    own_aws.put(stream, [b"one"])
    own_aws.delivered(name)
    assert own_aws.end() == 0
    own_aws.start()
    assert own_aws.delivered(name)["records_read"] == 0
    own_aws.put(stream, [b"two"])
    own_aws.delivered(name)
    assert sorted(own_aws.objects(bucket).values()) == [b"one", b"two"]


def test_functions_queues_and_stacks_work_after_a_stop_and_on_another_port(own_aws, wait):
    template = {
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}},
            "Database": {
                "Type": "AWS::Glue::Database",
                "Properties": {"CatalogId": "000000000000", "DatabaseInput": {"Name": "made_by_stack"}},
            },
        }
    }
    own_aws.client("cloudformation").create_stack(StackName="s", TemplateBody=json.dumps(template))

    def complete():
        stack = own_aws.client("cloudformation").describe_stacks(StackName="s")["Stacks"][0]
        return stack["StackStatus"] == "CREATE_COMPLETE"

    wait(complete, "the stack")
    function = own_aws.function("transform")
    first = own_aws.port
    own_aws.client("sqs").send_message(
        QueueUrl=own_aws.client("sqs").get_queue_url(QueueName="q")["QueueUrl"], MessageBody="m"
    )
    assert own_aws.end() == 0
    own_aws.start()
    assert own_aws.port != first
    assert complete()
    assert own_aws.client("glue").get_database(Name="made_by_stack")
    answer = own_aws.client("lambda").invoke(FunctionName=function, Payload=b'{"records":[]}')
    assert json.load(answer["Payload"]) == {"records": []}
    sqs = own_aws.client("sqs")
    messages = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="q")["QueueUrl"])["Messages"]
    assert [message["Body"] for message in messages] == ["m"]


@stop_kinds()
def test_no_function_process_and_no_temporary_folder_outlives_the_server(own_aws, wait, number):
    function = own_aws.function("transform")
    own_aws.client("lambda").invoke(FunctionName=function, Payload=b'{"records":[]}')
    handlers = children(own_aws.process.pid)
    assert handlers
    assert list((own_aws.state / "tmp").iterdir())
    own_aws.end(number)

    def gone():
        alive = subprocess.run(
            ["ps", "-o", "pid=", "-p", ",".join(map(str, handlers))], capture_output=True, check=False
        )
        return not alive.stdout.strip()

    wait(gone, "the function processes to end")
    if number == signal.SIGKILL:
        own_aws.start()
    assert list((own_aws.state / "tmp").iterdir()) == []


def test_a_port_in_use_is_said_in_one_line(own_aws, tmp_path):
    command = [*own_aws.process.args[:3], "--port", str(own_aws.port), "--state-dir", str(tmp_path / "other")]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=own_aws.root)
    assert result.returncode == 1
    assert result.stderr.splitlines() == [f"local AWS cannot use port {own_aws.port}: Address already in use"]


def test_a_kill_right_after_the_first_put_to_a_stream_made_by_a_stack_loses_no_record(own_aws, wait):
    template = {"Resources": {"S": {"Type": "AWS::Kinesis::Stream", "Properties": {"Name": "made", "ShardCount": 2}}}}
    own_aws.client("cloudformation").create_stack(StackName="s", TemplateBody=json.dumps(template))

    def there():
        return "made" in own_aws.client("kinesis").list_streams()["StreamNames"]

    wait(there, "the stream")
    own_aws.put("made", [b"first"])
    own_aws.put("made", [b"second"])
    own_aws.end(signal.SIGKILL)
    own_aws.start()
    kinesis, found = own_aws.client("kinesis"), []
    for shard in kinesis.list_shards(StreamName="made")["Shards"]:
        where = {"StreamName": "made", "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        records = kinesis.get_records(ShardIterator=kinesis.get_shard_iterator(**where)["ShardIterator"])["Records"]
        found += [record["Data"] for record in records]
    assert sorted(found) == [b"first", b"second"]
