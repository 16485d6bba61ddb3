"""The shipped template on the local AWS: from nothing, again, over an earlier one, with every switch; events flow."""

import gzip
import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from botocore.exceptions import ClientError

from clickstream.load.archive import arrival_hour
from clickstream.settings import RETIRED
from clickstream.window import full_hour
from local.aws_deploy import as_settings, deploy
from local.places import ENVIRONMENTS, ROOT
from tests.collector.doors import basic
from tests.local.aws.hurry import hurry
from tests.permissions.policies import texts
from tools.sources_file import compile_sources, read_file

FAST = {"BufferIntervalSeconds": "1", "TransformBufferIntervalSeconds": "0"}
ROOT_USER = "arn:aws:iam::000000000000:root"
EARLIER = sorted((Path(__file__).parent / "templates").glob("*.yaml"))
HOLDS_EVENTS = ("Stream", "RawBucket", "StagingBucket", "LakeBucket", "ArchiveBucket", "StageQueue", "StageDeadLetters")


def physical_ids(aws, stack="clickstream"):
    found = aws.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}


def staged(aws, outputs):
    return b"".join(gzip.decompress(body) for body in aws.objects(outputs["StagingBucket"], "staging/").values())


def archived(aws, outputs):
    """Each line in the archive's bucket with the hour of its folder, or None if it lies in no such folder."""
    return [
        (arrival_hour(key.removeprefix("archive/").rpartition("/")[0]), line)
        for key, body in aws.objects(outputs["ArchiveBucket"]).items()
        for line in gzip.decompress(body).splitlines()
    ]


def assert_event_flows(aws, wait, outputs, message_id):
    """Without a newline in, staged as a line of its own."""
    event = json.dumps({"messageId": message_id, "type": "track"}).encode()
    aws.put(outputs["Stream"], [event])

    wait(lambda: message_id.encode() in staged(aws, outputs), f"{message_id} to be staged")

    assert staged(aws, outputs).count(event + b"\n") == 1
    assert b"\n\n" not in staged(aws, outputs)


def test_from_nothing_and_again(own_aws, wait):
    first = deploy(own_aws.endpoint, FAST)
    resources = physical_ids(own_aws)

    assert_event_flows(own_aws, wait, first, "first")
    assert deploy(own_aws.endpoint, FAST) == first
    assert physical_ids(own_aws) == resources
    assert_event_flows(own_aws, wait, first, "second")
    # As docs/local-and-aws.md has it, which changes when this does.
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        own_aws.client("s3").get_bucket_lifecycle_configuration(Bucket=first["StagingBucket"])


@pytest.mark.parametrize("earlier", EARLIER, ids=lambda path: path.stem)
def test_over_an_earlier_template(own_aws, wait, earlier):
    before = deploy(own_aws.endpoint, FAST, template_file=earlier)
    assert_event_flows(own_aws, wait, before, "before")
    kept = {name: physical_ids(own_aws)[name] for name in HOLDS_EVENTS}

    after = deploy(own_aws.endpoint, FAST)

    assert {name: physical_ids(own_aws)[name] for name in HOLDS_EVENTS} == kept
    kept_settings = {name: value for name, value in as_settings(before).items() if name not in RETIRED}
    assert kept_settings.items() <= as_settings(after).items()
    assert b'"before"' in staged(own_aws, after)
    assert_event_flows(own_aws, wait, after, "after")


def test_every_switch(own_aws, wait):
    archive = own_aws.bucket()
    key = own_aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    switches = {
        "ResourcePrefix": "r" * 31, "DatabasePrefix": "d" * 51, "StreamMode": "PROVISIONED", "ShardCount": "2",
        "NewlineBy": "Firehose", "KmsKeyArn": key, "ExistingArchiveBucket": archive, "Tracing": "Active",
        "AlarmEmail": "data@example.com", "SegmentExternalIds": "one,two", "StageReservedConcurrency": "5",
        "AirflowPrincipalArns": ROOT_USER, "TrinoPrincipalArns": ROOT_USER, "Collector": "HttpApi",
        "CollectorReservedConcurrency": "5", "CollectorPathPrefix": "/in", "CollectorFrontSecret": "s",
        "ArchiveBy": "Firehose",
    }  # fmt: skip

    outputs = deploy(own_aws.endpoint, FAST | switches, stack="other")
    made = physical_ids(own_aws, "other")

    assert not {"NewlineTransform", "TransformRole", "TransformLogs", "ArchiveBucket"} & set(made)
    assert outputs["ArchiveBucket"] == archive
    (told,) = own_aws.client("sns").list_subscriptions_by_topic(TopicArn=outputs["AlarmTopicArn"])["Subscriptions"]
    assert told["Endpoint"] == "data@example.com"
    alarms = own_aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert {action for alarm in alarms for action in alarm["AlarmActions"]} == {outputs["AlarmTopicArn"]}
    assert_event_flows(own_aws, wait, outputs, "by Firehose")
    roles = {name: made[name] for name in made if name.endswith("Role")}
    # IAM takes 6,144 of each policy; other regions and partitions have longer names.
    assert max(map(len, texts(own_aws.client("iam"), roles))) < 5_700


@pytest.mark.parametrize("front", ["FunctionUrl", "HttpApi"])
def test_collector_on_and_off(own_aws, wait, front):
    """Off changes nothing; on, what it takes is staged as what Segment sends."""
    off = deploy(own_aws.endpoint, FAST)
    resources = physical_ids(own_aws)
    outputs = deploy(own_aws.endpoint, FAST | {"Collector": front})
    own_aws.client("s3").put_object(
        Bucket=outputs["RawBucket"], Key="collector/sources.json", Body=compile_sources(read_file()).encode()
    )
    body = json.dumps({"batch": [{"type": "track", "messageId": front}]}).encode()
    # The local AWS routes a function URL by its host, as AWS does, and an API by a path of its own.
    host = urlsplit(outputs["CollectorUrl"]).netloc
    folder = "" if front == "FunctionUrl" else f"/_aws/execute-api/{host.partition('.')[0]}/$default"
    headers = {**basic("wk_example_orders"), **({"host": host} if front == "FunctionUrl" else {})}
    answer = httpx.post(f"{own_aws.endpoint}{folder}/v1/batch", content=body, headers=headers, timeout=60)

    assert answer.status_code == 200, answer.text
    assert answer.json()["accepted"] == 1
    wait(lambda: front.encode() in staged(own_aws, outputs), f"{front} to be staged")
    assert resources.items() <= physical_ids(own_aws).items()
    assert outputs["CollectorUrl"].startswith("http")
    assert deploy(own_aws.endpoint, FAST) == off
    assert physical_ids(own_aws) == resources


def test_archive_by_each_of_the_three(own_aws, wait):
    """An event that flows is in the archive under its hour, once; back to None, nothing is archived or left over."""
    began = full_hour(datetime.now(UTC))
    line = '{{"messageId": "{}", "type": "track"}}'.format
    none = deploy(own_aws.endpoint, FAST)
    resources = physical_ids(own_aws)
    assert_event_flows(own_aws, wait, none, "by nobody")
    assert own_aws.objects(none["ArchiveBucket"]) == {}

    assert deploy(own_aws.endpoint, FAST | {"ArchiveBy": "Copy"}) == none
    assert physical_ids(own_aws) == resources
    assert_event_flows(own_aws, wait, none, "by Copy")
    # What is staged is in the archive already.
    assert [text for _, text in archived(own_aws, none)] == [line("by Copy").encode()]

    assert deploy(own_aws.endpoint, FAST | {"ArchiveBy": "Firehose"}) == none
    assert resources.items() <= physical_ids(own_aws).items()
    hurry(own_aws.client("firehose"), "clickstream-archive")
    assert_event_flows(own_aws, wait, none, "by Firehose")
    spilled = gzip.compress(line("spilled").encode() + b"\n")
    own_aws.client("s3").put_object(
        Bucket=none["RawBucket"], Key=f"raw/{began:%Y/%m/%d/%H}/collector-1-a.gz", Body=spilled
    )
    wanted = sorted(line(name).encode() for name in ("by Copy", "by Firehose", "spilled"))
    wait(lambda: sorted(text for _, text in archived(own_aws, none)) == wanted, "both to be in the archive, each once")
    assert all(hour and began <= hour <= datetime.now(UTC) for hour, _ in archived(own_aws, none))

    assert deploy(own_aws.endpoint, FAST) == none
    assert physical_ids(own_aws) == resources


def env_from_stack(aws, stack):
    environment = {
        **os.environ, "AWS_ENDPOINT_URL": aws.endpoint, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }  # fmt: skip
    command = [str(ENVIRONMENTS / "local" / "bin" / "python"), "-m", "tools.env_from_stack", "--stack", stack]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_env_from_stack(own_aws):
    outputs = deploy(own_aws.endpoint, FAST)

    printed = env_from_stack(own_aws, "clickstream")
    missing = env_from_stack(own_aws, "another")

    assert dict(line.split("=", 1) for line in printed.stdout.splitlines()) == as_settings(outputs)
    assert f"AirflowPolicyArn: {outputs['AirflowPolicyArn']}" in printed.stderr
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "another" in missing.stderr
