"""The process: ministack's ASGI app with a crawler that crawls and a Firehose that buffers.

`/_clickstream/health` answers 200 with JSON once requests are served; every other request goes to ministack.
"""

import asyncio
import json
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config as ClientConfig
from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config as ServerConfig

from local.aws import ministack_hooks as hooks
from local.aws.authorization import Decisions
from local.aws.crawler import CrawlerRunner
from local.aws.durability import StateSaver
from local.aws.firehose_service import FirehoseService
from local.aws.glue_catalog import READS, GlueCatalog
from local.aws.kinesis_journal import KinesisJournal
from local.aws.ministack_s3 import keep_objects
from local.aws.sqs_journal import MessageJournal

HEALTH_PATH = "/_clickstream/health"
STOP_SECONDS = 8.0
# A function may work for five minutes while Firehose waits for it.
CLIENT_CONFIG = ClientConfig(
    read_timeout=310, connect_timeout=5, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}
)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class LocalAws:
    """The parts of the stand-in, put together over ministack."""

    def __init__(self, port: int, state: Path) -> None:
        hooks.check_version()
        self.started = time.time()
        self._state = state
        self._endpoint = f"http://127.0.0.1:{port}"
        self._client_lock = threading.Lock()
        self._make_client = cache(self._new_client)
        self.saver = StateSaver(state / "services", hooks.state_readers)
        self.journal = KinesisJournal(state / "kinesis.journal.ndjson")
        self.messages = MessageJournal(state / "sqs.journal.ndjson")
        self.crawlers = CrawlerRunner(hooks.crawler_store(), self._clients_of_request)
        self.catalog = GlueCatalog(
            hooks.table_store(), self.crawlers, lambda: self.saver.save("glue"), hooks.request_scope
        )
        self.firehose = FirehoseService(hooks.delivery_streams, self._client, state / "firehose")
        self._install()

    def _install(self) -> None:
        self.saver.guard("glue", lambda: self.catalog.lock)
        self.saver.guard("kinesis", lambda: hooks.snapshot_guard(self.journal), hooks.kinesis_structure)
        self.saver.guard("sqs", lambda: hooks.snapshot_guard(self.messages))
        hooks.serve_glue(self.catalog)
        hooks.serve_firehose(self.firehose)
        hooks.journal_kinesis(self.journal, lambda: self.saver.stale("kinesis"), lambda: self.saver.save("kinesis"))
        hooks.keep_queues(self.messages, lambda: self.saver.save("sqs"))
        keep_objects(lambda: self.saver.save("s3"))
        hooks.limit_handlers()
        if hooks.checks_permissions():
            hooks.check_as_aws_does(Decisions(self._state / "decisions.ndjson"))
        hooks.save_through(self.saver)

    def _new_client(self, service: str, account: str, region: str, role: str) -> Any:
        # An access key of 12 digits is ministack's way to name the account, with all permissions.
        credentials = {"aws_access_key_id": account, "aws_secret_access_key": "test"}
        if role and hooks.checks_permissions():
            credentials = hooks.role_credentials(role, account, "local-aws")
        make: Any = boto3.client
        return make(service, endpoint_url=self._endpoint, region_name=region, config=CLIENT_CONFIG, **credentials)

    def _client(self, service: str, account: str, region: str, role: str) -> Any:
        with self._client_lock:
            return self._make_client(service, account, region, role)

    def _clients_of_request(self, role: str) -> Callable[[str], Any]:
        account, region = hooks.request_scope()
        return lambda service: self._client(service, account, region, role)

    def started_up(self) -> None:
        """Repair the state that ministack has loaded, and begin to work."""
        hooks.after_load(self.journal, self.messages)
        self.saver.start()
        self.firehose.start()

    def stop_work(self) -> None:
        """Come to rest while requests are still served, so that what is under way can end."""
        self.firehose.stop(STOP_SECONDS)
        hooks.stop_event_sources(STOP_SECONDS)
        hooks.stop_handlers()

    def health(self) -> dict[str, Any]:
        """Return what the health path answers."""
        crawls = self.crawlers.crawls
        return {
            "status": "ok",
            "uptime_seconds": round(time.time() - self.started, 1),
            "crawls": {
                "run": sum(crawl.ended is not None for crawl in crawls),
                "running": sum(crawl.ended is None for crawl in crawls),
                "failed": sum(crawl.state == "FAILED" for crawl in crawls),
            },
            "firehose": self.firehose.health(),
            "state_saves": {
                "count": self.saver.saves,
                "seconds": round(self.saver.seconds, 3),
                "failing": sorted(self.saver.failing),
            },
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, as an ASGI app."""
        if scope["type"] == "lifespan":
            await hooks.pass_on(scope, receive, self._with_start_up(send))
        elif scope["type"] == "http" and scope["path"] == HEALTH_PATH:
            await _send_json(send, await asyncio.to_thread(self.health))
        else:
            await hooks.pass_on(as_if_encrypted(scope), receive, send)
            if scope["type"] == "http" and may_change_state(scope):
                self.saver.changed()

    def _with_start_up(self, send: Send) -> Send:
        async def wrapped(message: Any) -> None:
            if message["type"] == "lifespan.startup.complete":
                self.started_up()
            await send(message)

        return wrapped


def as_if_encrypted(scope: Scope) -> Scope:
    """Return the request as one that came by HTTPS, or policies that deny plain HTTP would deny every local request.

    One that says `x-forwarded-proto: http` stays what it is.
    """
    if scope["type"] != "http" or not hooks.checks_permissions():
        return scope
    if any(name.lower() == b"x-forwarded-proto" for name, _ in scope["headers"]):
        return scope
    return {**scope, "headers": [*scope["headers"], (b"x-forwarded-proto", b"https")]}


def may_change_state(scope: Scope) -> bool:
    """Return whether a request may have changed a service's state, by its method and its action's name."""
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return False
    target = next((value for name, value in scope["headers"] if name.lower() == b"x-amz-target"), b"")
    action = target.decode("latin-1").rpartition(".")[2]
    if target.startswith(b"Kinesis_") and action.startswith(("Put", *READS)):
        return False
    return not action.startswith((*READS, "Describe"))


async def _send_json(send: Send, data: dict[str, Any]) -> None:
    body = json.dumps(data).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _serve(app: LocalAws, host: str, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    async def until_stopped() -> None:
        await stop.wait()
        await asyncio.to_thread(app.stop_work)

    config = ServerConfig()
    config.bind = [f"{host}:{port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2
    config.loglevel = "WARNING"
    serving = asyncio.ensure_future(hypercorn_serve(app, config, shutdown_trigger=until_stopped))  # type: ignore[arg-type]
    announcing = asyncio.ensure_future(_announce(port))
    await serving
    announcing.cancel()


async def _announce(port: int) -> None:
    while True:
        try:
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        print(f"local AWS ready on http://127.0.0.1:{port}", flush=True)
        return


def serve(port: int, state: Path, host: str = "127.0.0.1") -> int:
    """Serve until a signal; return the exit code. Print in one line why it could not start."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            print(f"local AWS cannot use port {port}: {error.strerror}", file=sys.stderr)
            return 1
    logging.getLogger("local.aws").setLevel(logging.INFO)
    asyncio.run(_serve(LocalAws(port, state), host, port))
    return 0
