"""The whole path, each step with the keys of the role that takes it on AWS."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx

from clickstream.aws import facts, glue, kinesis, s3, sqs
from clickstream.config_check.engine_facts import trino_facts
from clickstream.engine.evolution import present_shapes
from clickstream.engine.sql import lake_tables
from clickstream.erase.job import job_key
from clickstream.load import manifest
from clickstream.plan.file import TrackingPlan, read_plan
from clickstream.settings import Settings, load_settings
from clickstream.staging.keys import StagedObject
from clickstream.staging.redrive import FAILED_PREFIX, REFUSED_PREFIX
from clickstream.status.look import KEY as STATUS
from clickstream.upkeep.maintenance import maintain
from clickstream.window import Window
from local import permissions, pipeline
from local.aws_deploy import ACCOUNT, ARTIFACTS_BUCKET, STACK, deploy
from local.lake.machine import Machine
from local.lake.scratch import ScratchLake
from local.segment import kinesis as segment
from local.segment.events import generate_day
from local.services import ACCESS_KEY, REGION, SECRET_KEY
from local.stack import LOCAL_PARAMETERS
from local.waiting import wait_for
from tests.clickstream.memory_aws import etag
from tests.collector.doors import basic
from tests.local.aws.hurry import hurry
from tests.permissions import policies
from tools.sources_file import compile_sources, read_file

NOW = datetime.now(UTC)
# The local AWS takes twelve digits as the key of an account's root user. https://segment.com/docs/connections/destinations/catalog/amazon-kinesis/
SEGMENT_ACCOUNT = "595280932656"
BAD_RECORD = b"not JSON"
OLD = b'{"messageId":"from the archive","type":"track","event":"A","receivedAt":"2026-01-02T03:04:05Z"}'
OLD_DAY = Window(datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC))
NOTHING = '{"Records":[]}'
STAGED = "20261124T010203004Z-aside.gz"
FAILED = (FAILED_PREFIX, REFUSED_PREFIX)


def assume(machine: Machine, role: str, external_id: str, key: str, secret: str) -> dict[str, str]:
    """Client arguments with the role's keys, which STS gives to whoever has `key`."""
    sts = boto3.client(
        "sts", endpoint_url=machine.places.aws_url, region_name=REGION, aws_access_key_id=key,
        aws_secret_access_key=secret,
    )  # fmt: skip
    given = {"ExternalId": external_id} if external_id else {}
    answer = sts.assume_role(RoleArn=role, RoleSessionName="tests", **given)["Credentials"]
    return {
        "aws_access_key_id": answer["AccessKeyId"],
        "aws_secret_access_key": answer["SecretAccessKey"],
        "aws_session_token": answer["SessionToken"],
    }


def deployed_roles(machine: Machine) -> dict[str, str]:
    """The template's roles: their names in IAM by those in the template."""
    made = machine.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    roles = [one for one in made if one["ResourceType"] == "AWS::IAM::Role"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in roles}


def outputs(machine: Machine) -> dict[str, str]:
    """The stack's outputs."""
    [stack] = machine.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def collect(machine: Machine, messages: list[Any]) -> None:
    """Send messages, of which the last is refused, to the collector by its function URL."""
    bucket = load_settings(machine.places.settings()).raw_bucket
    machine.client("s3").put_object(
        Bucket=bucket, Key="collector/sources.json", Body=compile_sources(read_file()).encode()
    )
    body = json.dumps({"batch": messages}).encode()
    # The local AWS routes by the host.
    headers = {**basic("wk_example_orders"), "host": urlsplit(outputs(machine)["CollectorUrl"]).netloc}
    answer = httpx.post(f"{machine.places.aws_url}/v1/batch", content=body, headers=headers, timeout=60)
    assert answer.json() == {"success": True, "accepted": len(messages) - 1, "refused": 1}


class Walk:
    """One walk of the whole path. `names` has the stack's outputs, by which cases name their resources."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.settings = load_settings(machine.places.settings())
        self.permissions: list[policies.Permission] = []
        # Both ways to keep the archive, one after the other; the cases find the second, with its role.
        self._deploy("Copy")
        self.names = outputs(machine) | self._more_names()
        self.loaded = self._walk()
        self._deploy("Firehose")
        self._archive_by_firehose()
        self.decisions = self.decided()

    def _deploy(self, archive_by: str) -> None:
        """Deploy the stack with that, and note its roles and what they may."""
        iam = self.machine.client("iam")
        made_by = LOCAL_PARAMETERS | permissions.make_consumers(self.machine.places, iam)
        deploy(self.machine.places.aws_url, made_by | {"ArchiveBy": archive_by})
        self.roles = deployed_roles(self.machine)
        self.permissions += policies.permissions(iam, self.roles)

    def decided(self) -> list[policies.Decision]:
        """Every distinct decision so far."""
        return policies.decisions(self.machine.places.state / "aws" / "decisions.ndjson", self.roles)

    def _more_names(self) -> dict[str, str]:
        sqs_client = self.machine.client("sqs")
        return {
            "StageQueueUrl": sqs.queue_url(sqs_client, self.settings.stage_queue),
            "DeadLettersUrl": sqs.queue_url(sqs_client, self.settings.stage_dead_letter_queue),
            "OtherBucket": ARTIFACTS_BUCKET,
            "StagingDatabase": self.settings.staging_database,
            "LinesDatabase": self.settings.lines_database,
            "LakeDatabase": self.settings.lake_database,
        }

    def _walk(self) -> int:
        """Send a day, and let every step of every DAG call what it calls; give the rows loaded."""
        pipeline.write_archive([OLD], self.machine.places)
        segment.send(
            [*generate_day(7, NOW, users=12), BAD_RECORD], self.settings.stream, self.client("SegmentRole", "kinesis")
        )
        collect(self.machine, [{"type": "track", "event": "A", "userId": "of the collector"}, "refused"])
        pipeline.wait_until_staged(self.machine.places, _quiet)
        keys = self.keys("AirflowRole")
        calls = airflow_calls(self.settings, keys)
        for name in ("last_crawl_start", "crawl", "patch_staging_table", "look_at_staging"):
            calls[name]()
        lake = ScratchLake(self.settings, keys("s3"), keys("glue"), self.machine.runner()).create()
        load_and_keep(lake, self.settings)
        rows: int = lake.query(f"select count(*) as n from {lake.t.events}")[0]["n"]
        self.machine.client("s3").put_object(
            Bucket=self.settings.staging_bucket, Key=self.settings.staging_prefix + STAGED, Body=b"half"
        )
        self.machine.client("s3").put_object(
            Bucket=self.settings.raw_bucket, Key=f"{REFUSED_PREFIX}2026/11/24/01/one", Body=b"refused"
        )
        for call in calls.values():
            call()
        return rows

    def _archive_by_firehose(self) -> None:
        """Let the second delivery stream archive an event, and stage_object what the collector spilled."""
        hurry(self.machine.client("firehose"), "clickstream-archive")
        segment.send([b'{"messageId":"archived"}'], self.settings.stream, self.client("SegmentRole", "kinesis"))
        s3 = self.machine.client("s3")
        s3.put_object(Bucket=self.settings.raw_bucket, Key=f"raw/{NOW:%Y/%m/%d/%H}/collector-1-a.gz", Body=b"spilled")

        def look() -> tuple[bool, str]:
            found = s3.list_objects_v2(Bucket=self.settings.archive_bucket, Prefix="archive/")["Contents"]
            keys = " ".join(item["Key"] for item in found)
            return "/clickstream-archive-" in keys and "_collector-1-a" in keys, keys

        wait_for("archive", look, _quiet, 300, self.machine.places.where_to_look("aws"))

    @cache  # noqa: B019 - one walk a run
    def keys(self, role: str) -> Callable[..., Any]:
        """Makes clients with the keys of a role: Airflow's and Trino's as their hosts get them, others as AWS does."""
        consumer = permissions.consumers(self.machine.places).get(role.removesuffix("Role"))
        arn = f"arn:aws:iam::{ACCOUNT}:role/{self.roles[role]}"
        if role == "SegmentRole":
            arguments = assume(self.machine, arn, permissions.SEGMENT_EXTERNAL_ID, SEGMENT_ACCOUNT, SECRET_KEY)
        elif consumer:
            arguments = assume(self.machine, arn, consumer.external_id, consumer.key, consumer.secret)
        else:
            arguments = assume(self.machine, arn, ACCOUNT, ACCESS_KEY, SECRET_KEY)
        place = {"endpoint_url": self.machine.places.aws_url, "region_name": REGION}
        return lambda service: boto3.client(service, **place, **arguments)  # type: ignore[call-overload]

    def client(self, role: str, service: str, plain: bool = False) -> Any:
        """A client with the keys of a role; `plain` says to the local AWS that it does not use TLS."""
        client = self.keys(role)(service)
        if plain:
            client.meta.events.register("before-sign", _say_plain)
        return client

    def fill(self, value: Any) -> Any:
        """The value with the stack's names in it."""
        if isinstance(value, dict):
            return {key: self.fill(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.fill(inner) for inner in value]
        return self.names[value[1:]] if isinstance(value, str) and value.startswith("$") else value


def _quiet(_message: str) -> None:
    """Reports nothing."""


def _say_plain(request: Any, **_: Any) -> None:
    request.headers["x-forwarded-proto"] = "http"


def load_and_keep(lake: ScratchLake, settings: Settings) -> None:
    """Every statement of the DAGs that Trino runs. One event stands for all: their tables are filled by one file."""
    plan = TrackingPlan(tuple(event for event in read_plan().events if event.table == "product_viewed"))
    lake.query(f'select count(*) from {settings.staging_catalog}."{settings.staging_database}".events_staging')
    lake.load("first", plan=plan)
    # Of both layouts: an old day of Segment's, and what stage_object has copied just now.
    taken = lake.take_range("archive", Window(OLD_DAY.start, NOW + timedelta(hours=1)), "archive")
    folders = {path.removeprefix(f"s3://{settings.archive_bucket}/").partition("/")[0] for path in taken.paths}
    assert folders == {"segment-logs", "archive"}
    lake.load("archive", taken)
    lake.publish_views()
    lake.publish_event_views(plan)
    lake.model("first")
    lake.check("first")
    trino_facts(lake.run, settings, "check of an installation", [])
    present_shapes(lake.run, settings, [settings.lake_database, settings.events_database])
    for table in ("events", "sessions"):
        parts = lake_tables()[table].partitioned_by
        maintain(lake.run, (settings.lake_database, table), parts, NOW + timedelta(days=2), timedelta(days=7))


def airflow_calls(settings: Settings, keys: Callable[..., Any]) -> dict[str, Callable[[], Any]]:
    """Each function of clickstream.aws, called as the operators call it."""
    bucket, lake = settings.raw_bucket, settings.lake_bucket
    staged = StagedObject(f"{settings.staging_location}{STAGED}", 1, NOW)
    key = staged.path.removeprefix(f"s3://{settings.staging_bucket}/")
    versions = {
        settings.staging_bucket: settings.staging_prefix, bucket: "raw/", settings.archive_bucket: "",
        lake: "quarantine/",
    }  # fmt: skip
    job = job_key("a run")
    clients = {name: keys(name) for name in ("s3", "glue", "sqs", "kinesis")}
    queue = lambda name: sqs.queue_url(clients["sqs"], name)  # noqa: E731
    return {
        "last_crawl_start": lambda: glue.last_crawl_start(clients["glue"], settings.crawler),
        "crawl": lambda: glue.crawl(clients["glue"], settings.crawler, None, timedelta(seconds=60), pause=0.2),
        "patch_staging_table": lambda: glue.patch_staging_table(clients["glue"], settings),
        "aws_facts": lambda: facts.aws_facts(keys, settings, "probe"),
        "staging_facts": lambda: facts.staging_facts(keys, settings),
        "staging_columns": lambda: glue.staging_columns(clients["glue"], settings),
        "newest_staged": lambda: s3.newest_staged(clients["s3"], settings),
        "add_partitions": lambda: glue.add_partitions(clients["glue"], settings.lines_database, "archive_lines", {}),
        "last_changes": lambda: glue.last_changes(clients["glue"], settings.work_database),
        "put_records": lambda: kinesis.put_records(clients["kinesis"], settings.stream, [b'{"messageId":"again"}']),
        "list_staged": lambda: s3.list_staged(clients["s3"], settings),
        "has_archive": lambda: s3.has_archive(clients["s3"], settings),
        "list_archive": lambda: s3.list_archive(clients["s3"], settings, [OLD_DAY]),
        "list_raw": lambda: s3.list_raw(clients["s3"], bucket),
        "look_at_staging": lambda: s3.look_at_staging(clients["s3"], settings),
        "read_text": lambda: [s3.read_text(clients["s3"], lake, one) for one in (manifest.key("no run"), STATUS)],
        "write_text": lambda: [s3.write_text(clients["s3"], lake, one, "{}") for one in (manifest.key("run"), STATUS)],
        "chunks_of": lambda: list(s3.chunks_of(clients["s3"], staged.path)),
        "first_bytes": lambda: s3.first_bytes(clients["s3"], staged.path, 4),
        "keep_copy": lambda: s3.keep_copy(clients["s3"], staged.path, lake, f"quarantine/{key}"),
        "list_versions": lambda: [
            list(s3.list_versions(clients["s3"], *of)) for of in (*versions.items(), (lake, STATUS))
        ],
        "chunks_of_version": lambda: list(
            s3.chunks_of_version(clients["s3"], settings.staging_bucket, key, "null", True)
        ),
        "replace_version": lambda: s3.replace_version(
            clients["s3"], settings.staging_bucket, key, "null", etag(b"half"), io.BytesIO(b"half")
        ),
        "delete_object": lambda: [
            s3.write_text(clients["s3"], lake, job, "{}"),
            s3.read_text(clients["s3"], lake, job),
            s3.delete_object(clients["s3"], lake, job),
        ],
        "delete_version": lambda: [
            s3.delete_version(clients["s3"], lake, one, "null") for one in (f"quarantine/{key}", STATUS)
        ],
        "delete_staged": lambda: s3.delete_staged(clients["s3"], settings, [staged]),
        "list_failed": lambda: [
            s3.list_failed(clients["s3"], bucket, prefix, since) for prefix in FAILED for since in (None, NOW)
        ],
        "failed_since": lambda: s3.failed_since(clients["s3"], bucket, REFUSED_PREFIX, NOW, 1),
        "queue_url": lambda: queue(settings.stage_queue),
        "count_messages": lambda: [
            sqs.count_messages(clients["sqs"], queue(name))
            for name in (settings.stage_queue, settings.stage_dead_letter_queue)
        ],
        "send_messages": lambda: sqs.send_messages(clients["sqs"], queue(settings.stage_queue), {"x": NOTHING}),
        "move_failed": lambda: [
            s3.move_failed(clients["s3"], bucket, found, clients["s3"].get_object(Bucket=bucket, Key=found)["ETag"])
            for prefix in FAILED
            for found, _ in s3.list_failed(clients["s3"], bucket, prefix)
        ],
    }
