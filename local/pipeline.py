"""What a person does with a running stack: send events, load them, query them."""

import csv
import hashlib
import json
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TextIO

import boto3
import httpx

from local.airflow_api import PATIENCE, Airflow
from local.places import LocalError, Places
from local.segment import archive, kinesis
from local.services import ACCESS_KEY, REGION, SECRET_KEY, connect_trino
from local.waiting import Report, wait_for


def aws_client(service: str, places: Places) -> Any:
    """Return a boto3 client of the local AWS."""
    return boto3.client(
        service, endpoint_url=places.aws_url, region_name=REGION, aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )  # fmt: skip


def send(records: Iterable[bytes], places: Places, report: Report) -> kinesis.SendReport:
    """Send each record to the stream, byte for byte. Raises LocalError."""
    stream = places.settings()["CLICKSTREAM_STREAM"]
    try:
        return kinesis.send(records, stream, aws_client("kinesis", places), lambda sent: report(f"{sent} records sent"))
    except (kinesis.SendError, kinesis.RecordFileError, OSError) as error:
        raise LocalError(str(error)) from error


def write_archive(records: Iterable[bytes], places: Places) -> dict[str, int]:
    """Write each message to the archive; the number of messages by object key. Raises LocalError."""
    bucket = places.settings()["CLICKSTREAM_ARCHIVE_BUCKET"]
    try:
        return archive.write(records, bucket, aws_client("s3", places))
    except (kinesis.RecordFileError, OSError, ValueError) as error:
        raise LocalError(str(error)) from error


def failed_at_transform(places: Places) -> int:
    """Return records that the transform has refused since the local AWS started; they are under processing-failed/."""
    counters: dict[str, Any] = _health(places)["firehose"][places.settings()["CLICKSTREAM_STREAM"]]
    failed: int = counters["records_failed"]
    return failed


def wait_until_staged(places: Places, report: Report, patience: float = 300) -> None:
    """Wait until all that was sent is delivered and moved to staging.

    Raises LocalError when nothing has moved for `patience` seconds.
    """
    settings = places.settings()
    s3, sqs = aws_client("s3", places), aws_client("sqs", places)
    queue = sqs.get_queue_url(QueueName=settings["CLICKSTREAM_STAGE_QUEUE"])["QueueUrl"]

    def look() -> tuple[bool, str]:
        stream = _health(places)["firehose"][settings["CLICKSTREAM_STREAM"]]
        if stream["error"]:
            raise LocalError(f"Firehose: {stream['error']}")
        waiting = s3.list_objects_v2(Bucket=settings["CLICKSTREAM_RAW_BUCKET"], Prefix="raw/").get("KeyCount", 0)
        messages = sqs.get_queue_attributes(
            QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        )["Attributes"]
        is_staged = stream["all_delivered"] and not waiting and not any(int(count) for count in messages.values())
        return is_staged, f"{stream['records_delivered']} records delivered, {waiting} objects to stage"

    wait_for("staging", look, report, patience, places.where_to_look("aws"), pause=0.25)


def run_pipeline(places: Places, report: Report) -> dict[str, Any] | None:
    """Crawl and patch, then load everything staged and not yet loaded; the run report, None when nothing was to do.

    While schedules are held back, their due runs are used, and no others started.
    """
    airflow = Airflow(places)
    runs = {}
    for dag_id in ("crawl_staging", "load_events"):
        due = airflow.unpause(dag_id) if places.held_file.exists() else None
        runs[dag_id] = due or airflow.trigger(dag_id)
    for dag_id, run_id in runs.items():
        airflow.wait(dag_id, run_id, report)
    returned: dict[str, Any] | None = airflow.returned("load_events", runs["load_events"], "report")
    return returned


def wait_until_modelled(places: Places, since: datetime, report: Report) -> None:
    """Wait for the run of model_sessions that a load since then began. Raises LocalError when none begins."""
    airflow = Airflow(places)
    runs: list[str] = []

    def look() -> tuple[bool, str]:
        runs.extend(airflow.runs("model_sessions", since))
        return bool(runs), "waits for its turn"

    where = f"is it paused? {places.page('airflow')}/dags/model_sessions"
    wait_for("model_sessions", look, report, PATIENCE, where, pause=0.5)
    airflow.wait("model_sessions", runs[-1], report)


def redrive(places: Places, params: dict[str, Any], report: Report) -> dict[str, int]:
    """Put what was refused on the stream again, with the params of redrive_failed; its counts. Raises LocalError."""
    airflow = Airflow(places)
    run_id = airflow.trigger("redrive_failed", params)
    airflow.wait("redrive_failed", run_id, report)
    counts: dict[str, int] = airflow.returned("redrive_failed", run_id, f"redrive_{params['source'].replace('-', '_')}")
    return counts


def erase(
    places: Places, asked: dict[str, Any], dry_run: bool, report: Report
) -> tuple[dict[str, int], list[dict[str, str]]]:
    """Erase a person; return what was found or taken away, by place, and ids that somebody has to decide on first.

    `asked`: the ids, with the names of the form of erase_person. They go by an object, not by Airflow's database.
    Raises LocalError.
    """
    bucket, s3 = places.settings()["CLICKSTREAM_LAKE_BUCKET"], aws_client("s3", places)
    name, airflow = uuid.uuid4().hex, Airflow(places)
    request = {"Bucket": bucket, "Key": erasure_key(name, "requests/")}
    s3.put_object(**request, Body=json.dumps(asked).encode())
    failure = None
    try:
        run_id = airflow.trigger("erase_person", {"request": name, "dry_run": dry_run})
        try:
            airflow.wait("erase_person", run_id, report)
        except LocalError as error:
            failure = error
    finally:
        s3.delete_object(**request)  # if find_ids has not
    job = {"Bucket": bucket, "Key": erasure_key(run_id)}
    try:
        undecided = json.loads(s3.get_object(**job)["Body"].read())["undecided"]
    except s3.exceptions.NoSuchKey:  # it is over
        undecided = []
    if failure and not undecided:
        raise failure
    s3.delete_object(**job)
    return airflow.returned("erase_person", run_id, "preview" if dry_run else "prove") or {}, undecided


def erasure_key(name: str, folder: str = "") -> str:
    """Return where clickstream.erase.job keeps the job of a run, or a request; a test compares the two."""
    return f"erasures/{folder}{hashlib.sha256(name.encode()).hexdigest()}.json"


def rebuild(places: Places, params: dict[str, Any], report: Report) -> dict[str, int]:
    """Rebuild typed tables, with the params of rebuild_typed_events; messages by table. Raises LocalError."""
    airflow = Airflow(places)
    run_id = airflow.trigger("rebuild_typed_events", params)
    airflow.wait("rebuild_typed_events", run_id, report)
    messages: dict[str, int] = airflow.returned("rebuild_typed_events", run_id, "rebuild")
    return messages


def query(places: Places, statement: str) -> tuple[list[str], list[list[Any]]]:
    """Column names and rows of one statement."""
    with connect_trino(places) as connection:
        cursor = connection.cursor()
        cursor.execute(statement.rstrip().removesuffix(";"))
        rows = cursor.fetchall()
        return [column[0] for column in cursor.description or []], rows


def write_csv(names: list[str], rows: list[list[Any]], output: TextIO) -> None:
    """Write rows as CSV with a header: instants in ISO 8601, arrays, maps and rows as JSON, NULL as an empty field."""
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([[csv_value(value) for value in row] for row in rows])


def csv_value(value: Any) -> Any:
    """Return a value as a CSV field."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value


def _health(places: Places) -> dict[str, Any]:
    health: dict[str, Any] = httpx.get(f"{places.aws_url}/_clickstream/health", timeout=300).raise_for_status().json()
    return health
