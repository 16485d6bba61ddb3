"""The watch on the local AWS and Trino: what is wrong reaches a Slack webhook and an SNS topic, once."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from clickstream.engine.sql import instant_literal
from clickstream.operators.alarms import TrinoWatchPipelineOperator
from clickstream.operators.notify import NotificationError, notify_failure
from clickstream.status.look import KEY, VERSION
from clickstream.watch.volume import HOURS
from local.lake.machine import Machine
from local.lake.scratch import ScratchLake
from local.services import ACCESS_KEY, REGION, SECRET_KEY
from tests.dags.conftest import context

NOW = datetime.now(UTC)


class Webhook:
    """A server that takes Slack's messages; `status` is its answer."""

    def __init__(self) -> None:
        self.status, self.texts = 200, list[str]()
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if webhook.status == 200:
                    webhook.texts.append(body["text"])
                self.send_response(webhook.status)
                self.end_headers()
                self.wfile.write(b"ok" if webhook.status == 200 else b"no")

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def take(self) -> list[str]:
        """First lines of what came since the last time."""
        heads = [text.splitlines()[0] for text in self.texts]
        self.texts.clear()
        return heads


class Topic:
    """An SNS topic, read through a queue that is subscribed to it."""

    def __init__(self, machine: Machine, name: str) -> None:
        sns, self.sqs = machine.client("sns"), machine.client("sqs")
        self.arn = sns.create_topic(Name=name)["TopicArn"]
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]
        sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=attributes["QueueArn"])

    def take(self) -> list[str]:
        """Subjects of what came since the last time."""
        subjects = []
        while found := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for item in found:
                subjects.append(json.loads(item["Body"])["Subject"])
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=item["ReceiptHandle"])
        return sorted(subjects)


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    running = Webhook()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
def topic(machine: Machine, lake: ScratchLake) -> Topic:
    return Topic(machine, f"{lake.settings.lake_bucket}-alarms")


@pytest.fixture
def raw(machine: Machine, lake: ScratchLake) -> str:
    bucket = f"{lake.settings.lake_bucket}-raw"
    lake.s3.create_bucket(Bucket=bucket)
    return bucket


@pytest.fixture(autouse=True)
def installation(
    machine: Machine, lake: ScratchLake, webhook: Webhook, topic: Topic, raw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow's connections, and the settings of the scratch lake."""
    aws = {"endpoint_url": machine.places.aws_url, "region_name": REGION}
    connections = {
        "clickstream_aws": {"conn_type": "aws", "login": ACCESS_KEY, "password": SECRET_KEY, "extra": aws},
        "clickstream_trino": {
            "conn_type": "trino", "host": "127.0.0.1", "port": machine.places.ports["trino"], "login": "airflow",
            "extra": {"catalog": "lake", "timezone": "UTC"},
        },
        "team_slack": {"conn_type": "slackwebhook", "host": webhook.url, "password": "T0/B0/secret"},
    }  # fmt: skip
    for name, connection in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))
    for name in ("staging_bucket", "lake_bucket", "crawler", "database_prefix"):
        monkeypatch.setenv(f"CLICKSTREAM_{name.upper()}", getattr(lake.settings, name))
    monkeypatch.setenv("CLICKSTREAM_RAW_BUCKET", raw)
    monkeypatch.setenv("CLICKSTREAM_NOTIFY", f"log,slack:team_slack,sns:{topic.arn}")


def execute(task, dag_id: str, task_id: str) -> Any:
    operator = task(dag_id, task_id)
    given = context(operator, "scheduled")
    operator.render_template_fields(given)
    return operator.execute(given)


def stage(lake: ScratchLake, name: str, hours: int) -> str:
    """A staged object of one event, both that old."""
    at = NOW - timedelta(hours=hours)
    line = {"messageId": name, "type": "track", "receivedAt": at.isoformat().replace("+00:00", "Z")}
    return lake.stage(f"{at:%Y%m%dT%H%M%S}000Z-{name}.ndjson", f"{json.dumps(line)}\n".encode())


def staged(lake: ScratchLake) -> set[str]:
    bucket = lake.settings.staging_bucket
    return {f"s3://{bucket}/{item['Key']}" for item in lake.s3.list_objects_v2(Bucket=bucket).get("Contents", [])}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Lets the watch look so much later than now: S3 alone says when an object was written."""
    prepare = TrinoWatchPipelineOperator.prepare

    def put_forward(by: timedelta) -> None:
        def later(*given: Any) -> Any:
            settings, run, values = prepare(*given)
            return settings, run, {**values, "now": values["now"] + by}

        monkeypatch.setattr(TrinoWatchPipelineOperator, "prepare", later)

    return put_forward


def test_loading_paused_for_30_hours_loses_nothing_and_is_told_until_it_is_over(
    task, lake: ScratchLake, webhook: Webhook, topic: Topic, raw: str
) -> None:
    lake.s3.put_object(Bucket=raw, Key="raw/new.gz", Body=b"x")
    loaded = stage(lake, "loaded", hours=31)
    lake.load("run-1")
    unloaded = {stage(lake, "kept-1", hours=30), stage(lake, "kept-2", hours=29)}

    assert execute(task, "expire_staging", "expire") == {"expired": 1, "overdue": 2, "kept": 2}
    assert staged(lake) == unloaded
    assert loaded not in staged(lake)

    told = ["CRITICAL: events_not_fresh", "CRITICAL: unloaded_near_expiry"]
    assert execute(task, "watch_pipeline", "watch") == {
        "open": ["unloaded_near_expiry", "events_not_fresh"], "sent": 6
    }  # fmt: skip
    assert "2 staged objects are not loaded, the oldest for 30 h" in webhook.texts[0]
    assert sorted(webhook.take()) == [f"*{head}*" for head in told]
    assert topic.take() == told
    # Nothing is told twice within the repeat.
    assert execute(task, "watch_pipeline", "watch")["sent"] == 0
    assert (webhook.take(), topic.take()) == ([], [])

    lake.load("run-2")

    assert execute(task, "watch_pipeline", "watch") == {"open": [], "sent": 6}
    over = ["OVER: events_not_fresh", "OVER: unloaded_near_expiry"]
    assert sorted(webhook.take()) == [f"*{head}*" for head in over]
    assert topic.take() == over
    rows = {row["name"]: row for row in lake.rows("alarms")}
    assert sorted(rows) == ["events_not_fresh", "unloaded_near_expiry"]
    assert all(row["closed_at"] is not None and row["told_at"] == "{}" for row in rows.values())
    figures = json.loads(rows["unloaded_near_expiry"]["figures"])
    assert datetime.fromisoformat(figures.pop("since")) == (NOW - timedelta(hours=30)).replace(microsecond=0)
    assert figures == {"objects": 2, "oldest_hours": 30}


@pytest.mark.scenario("X35")
def test_a_path_that_stands_still_before_staging_is_told_until_it_is_over(
    task, lake: ScratchLake, topic: Topic, raw: str, machine: Machine, monkeypatch: pytest.MonkeyPatch, clock
) -> None:
    """The stage function is off for three days, then nothing comes for eighteen more."""
    sqs, queue = machine.client("sqs"), f"{raw}-stage"
    url = sqs.create_queue(QueueName=queue)["QueueUrl"]
    monkeypatch.setenv("CLICKSTREAM_STAGE_QUEUE", queue)
    path = stage(lake, "loaded", hours=1)
    lake.load("run-1")
    lake.s3.put_object(Bucket=raw, Key="raw/new.gz", Body=b"x")
    sqs.send_message(QueueUrl=url, MessageBody="x")
    # An object of the archive says when its day began, and no stream brought it.
    day = NOW + timedelta(days=2)
    lake.query(
        f"insert into {lake.t.load_ledger} (source_path, run_id, staged_at) "
        f"values ('s3://archive/segment-logs/a/1/x.gz', 'run-2', {instant_literal(day)})"
    )
    assert execute(task, "watch_pipeline", "watch") == {"open": [], "sent": 0}

    clock(timedelta(minutes=61))
    assert execute(task, "watch_pipeline", "watch")["open"] == ["staging_stands_still"]
    clock(timedelta(days=3))
    assert execute(task, "watch_pipeline", "watch")["open"] == ["staging_stands_still", "nothing_arrives"]
    rows = {row["name"]: row for row in lake.rows("alarms")}
    assert "1 objects of raw/ are not staged, the oldest for 72 h; 1 messages" in rows["staging_stands_still"]["text"]
    assert json.loads(rows["staging_stands_still"]["figures"])["objects"] == 1

    # Raw objects are staged, loaded and gone: the ledger remembers when the last one came.
    lake.s3.delete_object(Bucket=raw, Key="raw/new.gz")
    lake.s3.delete_object(Bucket=lake.settings.staging_bucket, Key=path.split("/", 3)[3])
    assert execute(task, "watch_pipeline", "watch")["open"] == ["nothing_arrives"]
    (row,) = [row for row in lake.rows("alarms") if row["name"] == "nothing_arrives"]
    assert f"{NOW - timedelta(hours=1):%Y-%m-%d %H:%M}" in row["text"]
    # Longer ago than the ledger is asked for, also when the watch itself was off and no alarm is open.
    clock(timedelta(days=21))
    assert execute(task, "watch_pipeline", "watch")["open"] == ["nothing_arrives"]
    lake.query(f"delete from {lake.t.alarms}")
    assert execute(task, "watch_pipeline", "watch")["open"] == ["nothing_arrives"]
    stage(lake, "again", hours=-21 * 24)
    topic.take()
    assert execute(task, "watch_pipeline", "watch") == {"open": [], "sent": 3}
    assert topic.take() == ["OVER: nothing_arrives"]


def test_staging_that_goes_on_beside_dead_letters_is_said_to(
    task, lake: ScratchLake, raw: str, machine: Machine, monkeypatch: pytest.MonkeyPatch, clock
) -> None:
    dead, sqs = f"{raw}-dead", machine.client("sqs")
    sqs.send_message(QueueUrl=sqs.create_queue(QueueName=dead)["QueueUrl"], MessageBody="x")
    monkeypatch.setenv("CLICKSTREAM_STAGE_DEAD_LETTER_QUEUE", dead)
    lake.s3.put_object(Bucket=raw, Key="raw/poison.gz", Body=b"x")

    # Nothing came after it, so nobody knows whether that would be staged; then something did.
    clock(timedelta(hours=2))
    execute(task, "watch_pipeline", "watch")
    (before,) = lake.query(f"select figures from {lake.t.alarms} where name = 'staging_stands_still'")
    stage(lake, "later", hours=-1)
    execute(task, "watch_pipeline", "watch")
    (after,) = lake.query(f"select text, figures from {lake.t.alarms} where name = 'staging_stands_still'")

    assert "cause" not in json.loads(before["figures"])
    assert json.loads(after["figures"])["cause"] == "dead_letters"
    assert "Later ones are staged" in after["text"]


def test_what_happened_in_a_run_is_told_once(
    task, lake: ScratchLake, webhook: Webhook, topic: Topic, raw: str, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(lake, "first", hours=1)
    lake.load("run-1")
    body = b'{"messageId":"drift","receivedAt":"2026-11-24T01:00:00Z","<!here> {{ 7*7 }}":1}\nnot json\n'
    lake.stage(f"{NOW:%Y%m%dT%H%M%S}000Z-drift.ndjson", body)
    lake.load("run-2")
    lake.query(
        f"insert into {lake.t.quarantine} (source_path, load_run_id, quarantined_at) "
        "values ('s3://torn.gz', 'run-2', current_timestamp)"
    )
    lake.s3.put_object(Bucket=raw, Key="processing-failed/x", Body=b"x")
    lake.s3.put_object(Bucket=raw, Key=f"refused/{NOW:%Y/%m/%d/%H}/x", Body=b"x")
    dead, sqs = f"{raw}-dead", machine.client("sqs")
    sqs.send_message(QueueUrl=sqs.create_queue(QueueName=dead)["QueueUrl"], MessageBody="x")
    monkeypatch.setenv("CLICKSTREAM_STAGE_DEAD_LETTER_QUEUE", dead)

    watched = execute(task, "watch_pipeline", "watch")

    assert sorted(watched["open"]) == ["dead_letters", "processing_failed", "refused_events", "reject_rate"]
    assert topic.take() == [
        "CRITICAL: dead_letters",
        "CRITICAL: unreadable_objects (run-2)",
        "WARNING: processing_failed",
        "WARNING: refused_events",
        "WARNING: reject_rate",
        "WARNING: run_reject_rate (run-2)",
        "WARNING: schema_changes (run-2)",
    ]
    (drift,) = (text for text in webhook.texts if "schema_changes (" in text)
    assert '$["&lt;!here&gt; {{ 7*7 }}"]' in drift
    assert execute(task, "watch_pipeline", "watch")["sent"] == 0


def test_who_cannot_be_told_fails_the_task_after_the_others_were_told(
    task, lake: ScratchLake, webhook: Webhook, topic: Topic, raw: str
) -> None:
    lake.s3.put_object(Bucket=raw, Key="processing-failed/x", Body=b"x")
    webhook.status = 500

    with pytest.raises(NotificationError, match="slack:team_slack"):
        execute(task, "watch_pipeline", "watch")
    assert topic.take() == ["WARNING: processing_failed"]

    webhook.status = 200
    assert execute(task, "watch_pipeline", "watch") == {"open": ["processing_failed"], "sent": 1}
    assert webhook.take() == ["*WARNING: processing_failed*"]
    assert topic.take() == []


def test_refused_records_are_settled_after_three_days_and_told_again_when_new_ones_come(
    task, lake: ScratchLake, topic: Topic, raw: str, clock
) -> None:
    lake.s3.put_object(Bucket=raw, Key="processing-failed/a", Body=b"x")
    assert execute(task, "watch_pipeline", "watch") == {"open": ["processing_failed"], "sent": 3}
    assert topic.take() == ["WARNING: processing_failed"]

    clock(timedelta(days=2))
    assert execute(task, "watch_pipeline", "watch") == {"open": ["processing_failed"], "sent": 0}
    clock(timedelta(days=3, minutes=1))
    assert execute(task, "watch_pipeline", "watch") == {"open": [], "sent": 3}
    assert topic.take() == ["OVER: processing_failed"]

    clock(timedelta())
    lake.s3.put_object(Bucket=raw, Key="processing-failed/b", Body=b"x")
    assert execute(task, "watch_pipeline", "watch") == {"open": ["processing_failed"], "sent": 3}
    assert topic.take() == ["WARNING: processing_failed"]
    keys = [item["Key"] for item in lake.s3.list_objects_v2(Bucket=raw)["Contents"]]
    assert keys == ["processing-failed/a", "processing-failed/b"]


@pytest.mark.scenario("X58")
def test_what_the_status_page_has_as_silent_is_told_until_it_is_not(task, lake: ScratchLake, topic: Topic) -> None:
    def show(*last: int) -> None:
        """Write the document, with these last hours of an event that has 150 in each."""
        hours = [150] * (HOURS - len(last))
        series = {"hours": [*hours, *last], "low": [100] * HOURS, "high": [200] * HOURS}
        event = {"type": "track", "key": "order", "name": "Order <!here>", **series}
        changed = {"at": (NOW - timedelta(hours=5)).isoformat(), "events": {"order": "now deprecated"}}
        document = {
            "version": VERSION,
            "loaded": {"until": NOW.isoformat(), "sources": [], "events": [event]},
            "plan_history": {"entries": {}, "changes": [changed]},
        }
        lake.s3.put_object(Bucket=lake.settings.lake_bucket, Key=KEY, Body=json.dumps(document).encode())

    show(0, 0, 0)
    assert execute(task, "watch_pipeline", "watch") == {"open": ["volume_silent"], "sent": 3}
    (row,) = lake.rows("alarms")
    assert "event Order <!here> (none for 2 h, 200 or more are usual). The tracking plan changed" in row["text"]
    assert "(order now deprecated): that may be why." in row["text"]

    show(140, 150, 0)
    assert execute(task, "watch_pipeline", "watch") == {"open": [], "sent": 3}
    assert topic.take() == ["OVER: volume_silent", "WARNING: volume_silent"]


def test_a_failed_run_is_told(task, webhook: Webhook, topic: Topic) -> None:
    notify_failure(context(task("load_events", "unpack"), "manual", "manual__<1>"))

    assert webhook.take() == ["*FAILED: load_events (manual__&lt;1&gt;)*"]
    assert topic.take() == ["FAILED: load_events (manual__<1>)"]
