"""The only place, with `ministack_s3`, that reaches into ministack past its HTTP API: what is replaced, and why.

ministack is pinned, and `check_version` refuses another one, because these names are not its public contract.
Everything is installed before ministack's ASGI app starts.
"""

import asyncio
import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import ministack.app as ministack_app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response
from ministack.services import firehose as ministack_firehose
from ministack.services import glue as ministack_glue
from ministack.services import kinesis as ministack_kinesis
from ministack.services import lambda_svc, sqs, sts

from local.aws.atomic_files import not_stored
from local.aws.authorization import PERMISSIONS, Decisions, glue_resources
from local.aws.durability import StateReaders, StateSaver
from local.aws.firehose_service import FirehoseService, PutRefusedError, Store
from local.aws.glue_catalog import READS, GlueCatalog, Response
from local.aws.kinesis_journal import SNAPSHOT_BYTES, KinesisJournal
from local.aws.sqs_journal import MessageJournal

logger = logging.getLogger("local.aws")

MINISTACK_VERSION = "1.5.33"
# Handler processes at once, whatever the source of the events; ministack has no limit for S3 events.
MAX_HANDLERS = 8
HANDLER_WAIT_SECONDS = 60.0


async def pass_on(scope: Any, receive: Any, send: Any) -> None:
    """Call ministack's own ASGI app."""
    await ministack_app.app(scope, receive, send)


def check_version() -> None:
    """Raise RuntimeError when another ministack is installed than the one these hooks were written for."""
    found = version("ministack")
    if found != MINISTACK_VERSION:
        raise RuntimeError(f"local.aws needs ministack {MINISTACK_VERSION}, found {found}")


def request_scope() -> tuple[str, str]:
    """Return (account, region) of the request that is being answered."""
    return get_account_id(), get_region()


def checks_permissions() -> bool:
    """Return whether ministack checks signatures and policies."""
    return bool(ministack_app.AUTH)


def role_credentials(role: str, account: str, session: str) -> dict[str, str]:
    """Client arguments with which a service acts in a role, given by name or ARN, as AWS's services do."""
    name = role.rpartition("/")[2]
    digest = hashlib.sha256(f"{account}:{role}:{session}".encode()).hexdigest()
    key, secret, token = f"ASIA{digest[:16].upper()}", digest[16:56], digest
    sts.register_session(
        key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
            "UserId": f"{name}:{session}",
            "SecretAccessKey": secret,
            "SessionToken": token,
        },
    )
    return {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_session_token": token}


_glue_resources: ContextVar[list[str]] = ContextVar("glue_resources", default=[])  # noqa: B039 - never changed


def check_as_aws_does(decisions: Decisions) -> None:
    """Let each Glue call need permission on all that AWS wants it on, and write down every decision."""
    evaluate, name_resource = iam_evaluator.enforce, iam_actions.extract_resource_arn

    def resource(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> str:
        if service != "glue":
            return name_resource(service, method, path, headers, body, *rest)  # type: ignore[no-any-return]
        account, region = request_scope()
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        needed = glue_resources(action, json.loads(body or b"{}"), account, region)
        _glue_resources.set(needed)
        return needed[0]

    def enforce(key: str, action: str, service: str, region: str, resource_arn: str = "*", **more: Any) -> Any:
        action = PERMISSIONS.get(action, action)
        needed = _glue_resources.get() if service == "glue" else []
        for one in needed if resource_arn in needed else [resource_arn]:
            denied = evaluate(key, action, service, region, resource_arn=one, **more)
            caller = iam_evaluator.resolve_principal(key or "", request_scope()[0])
            decisions.add(getattr(caller, "arn", "unknown"), action, one, denied is None)
            if denied is not None:
                return denied
        return None

    iam_actions.extract_resource_arn, iam_evaluator.enforce = resource, enforce


def state_readers() -> StateReaders:
    """Return how to read the state of every service that ministack has loaded, by the name of its state file."""
    readers: StateReaders = ministack_app._build_persistence_save_dict()
    # Read without ministack's deep copy, which costs more than writing; the saver holds the catalog's lock.
    readers["glue"] = lambda: ministack_glue._ALL_STATE
    return readers


def delivery_streams() -> Store:
    """Return ministack's delivery streams by (account, region, name)."""
    return dict(ministack_firehose._streams._data)


def crawler_store() -> Any:
    """Return ministack's crawlers, by name within the account and region of the request."""
    return ministack_glue._crawlers


def table_store() -> Any:
    """Return ministack's tables, by `database/table` within the account and region of the request."""
    return ministack_glue._tables


def serve_glue(catalog: GlueCatalog) -> None:
    """Route every Glue action through `catalog`."""
    original = ministack_glue._handle_request_sync

    def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Response:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if not action or path.startswith("/iceberg"):
            return original(method, path, headers, body, query)  # type: ignore[no-any-return]
        try:
            data = json.loads(body) if body else {}
        except ValueError:
            return error_response_json("SerializationException", "Invalid JSON", 400)  # type: ignore[no-any-return]
        return catalog.answer(action, data, lambda: original(method, path, headers, body, query))

    ministack_glue._handle_request_sync = handle


def serve_firehose(service: FirehoseService) -> None:
    """Answer the put actions ourselves and turn ministack's own delivery off; it still holds the definitions."""

    def put(action: str) -> Callable[[dict[str, Any]], Response]:
        def answer(data: dict[str, Any]) -> Response:
            try:
                return json_response(service.put(request_scope(), action, data))  # type: ignore[no-any-return]
            except PutRefusedError as error:
                return error_response_json(error.code, str(error), 400)  # type: ignore[no-any-return]
            except OSError as error:
                return error_response_json("ServiceUnavailableException", not_stored(error), 503)  # type: ignore[no-any-return]

        return answer

    for action in ("PutRecord", "PutRecordBatch"):
        ministack_firehose._HANDLERS[action] = put(action)
    # ministack calls this inside PutRecord(s), before it answers: instead of delivering, it wakes the readers.
    ministack_firehose.ingest_from_kinesis_source = lambda stream_arn, _records: service.kinesis_put(stream_arn)


def kinesis_structure() -> object:
    """Return what a record in the journal needs to find its place again: the streams and their shards."""
    streams = list(ministack_kinesis._streams._data.items())
    return tuple(
        (key, stream["StreamARN"], stream["RetentionPeriodHours"], *stream["shards"]) for key, stream in streams
    )


def journal_kinesis(journal: KinesisJournal, outdated: Callable[[], bool], snapshot: Callable[[], None]) -> None:
    """Write accepted records to the journal before they are answered.

    A snapshot is written instead when it would not know the stream, which CloudFormation may just have made, and
    when the journal has grown.
    """
    put_one, put_many = ministack_kinesis._put_record, ministack_kinesis._put_records

    def store(data: dict[str, Any], sent: list[dict[str, Any]], answered: list[dict[str, Any]]) -> None:
        name, _stream = ministack_kinesis._resolve_stream(data)
        if outdated() or journal.append((*request_scope(), name), sent, answered) > SNAPSHOT_BYTES:
            snapshot()

    def put(data: dict[str, Any], handler: Callable[[dict[str, Any]], Response], one: bool) -> Response:
        with journal.lock:
            response = handler(data)
            if response[0] == 200:
                answer = json.loads(response[2])
                try:
                    store(data, [data] if one else data["Records"], [answer] if one else answer["Records"])
                except OSError as error:
                    # The records are in memory and may be read, as on AWS after a put whose answer was lost.
                    return error_response_json("InternalFailureException", not_stored(error), 500)  # type: ignore[no-any-return]
            return response

    ministack_kinesis._put_record = lambda data: put(data, put_one, one=True)
    ministack_kinesis._put_records = lambda data: put(data, put_many, one=False)


def keep_queues(journal: MessageJournal, save: Callable[[], None]) -> None:
    """Answer a change of a queue, or a message sent, only when it is stored.

    What a receiver does is not waited for: SQS may deliver a message twice.
    """
    dispatch = sqs._dispatch

    def store_sent(data: dict[str, Any], url: str, answer: dict[str, Any]) -> None:
        address = data.get("QueueUrl", url)
        sent = {done["MessageId"] for done in answer.get("Successful", [answer])}
        messages = [message for message in list(sqs._get_q(address)["messages"]) if message["id"] in sent]
        journal.append((*request_scope(), address.rpartition("/")[2]), messages)

    async def kept(action: str, data: dict[str, Any], url: str) -> Any:
        answer = await dispatch(action, data, url)
        try:
            if action.startswith("SendMessage"):
                await asyncio.to_thread(store_sent, data, url, answer)
            elif not action.startswith((*READS, "Receive", "DeleteMessage", "ChangeMessageVisibility")):
                await asyncio.to_thread(save)
        except OSError as error:
            raise sqs._Err("ServiceUnavailable", not_stored(error), 503) from error
        return answer

    sqs._dispatch = kept


def snapshot_guard(journal: KinesisJournal | MessageJournal) -> AbstractContextManager[Any]:
    """Held while the state of the journal's service is written; afterwards the journal is not needed."""

    class Guard(AbstractContextManager[None]):
        def __enter__(self) -> None:
            journal.lock.acquire()

        def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
            try:
                if error is None:
                    journal.clear()
            finally:
                journal.lock.release()

    return Guard()


def save_through(saver: StateSaver) -> None:
    """Let ministack's clean stop write its state through `saver`."""
    ministack_app.save_all = saver.save_all


def limit_handlers() -> None:
    """Let at most MAX_HANDLERS function processes work at once; the others wait their turn.

    A wait is bounded, so that functions that call functions cannot block each other for ever.
    """
    places = threading.BoundedSemaphore(MAX_HANDLERS)
    execute = lambda_svc._execute_function

    def limited(function: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
        taken = places.acquire(timeout=HANDLER_WAIT_SECONDS)
        try:
            return execute(function, event)  # type: ignore[no-any-return]
        finally:
            if taken:
                places.release()

    lambda_svc._execute_function = limited


def after_load(records: KinesisJournal, messages: MessageJournal) -> None:
    """Repair what a restart, a kill or another port left behind in the state that was loaded."""
    records.replay(ministack_kinesis._streams)
    messages.replay(sqs._queues._data)
    for crawler in list(ministack_glue._crawlers._data.values()):
        if crawler.get("State") != "READY":
            crawler["State"] = "READY"
            crawler["LastCrawl"] = {
                "Status": "FAILED",
                "ErrorMessage": "The crawl was cut off by a restart",
                "StartTime": time.time(),
            }
    _repair_queues()


def _repair_queues() -> None:
    # Queues are stored by a URL that has the port of the process that made them.
    place = f"{sqs.DEFAULT_HOST}:{sqs.DEFAULT_PORT}"
    for key, queue in list(sqs._queues._data.items()):
        account, region, url = key
        moved = urlsplit(url)._replace(netloc=place).geturl()
        del sqs._queues._data[key]
        sqs._queues._data[(account, region, moved)] = queue
        if "url" in queue:
            queue["url"] = moved
        # The receivers of messages are gone, so no visibility timeout has to pass.
        for message in queue.get("messages", []):
            if message.get("receipt_handle"):
                message["visible_at"] = min(message["visible_at"], time.time())
    sqs._queue_name_to_url.clear()
    sqs._rebuild_queue_name_index()


def stop_event_sources(timeout: float) -> None:
    """Take no more batches from queues, and wait at most `timeout` seconds for those that are being handled."""
    lambda_svc._poll_sqs = lambda: False
    deadline = time.monotonic() + timeout
    while lambda_svc._esm_inflight and time.monotonic() < deadline:
        time.sleep(0.05)


def stop_handlers() -> None:
    """End every function process and remove its temporary folder."""
    lambda_runtime.reset()
