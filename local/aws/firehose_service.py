"""All delivery streams of the process: starts and ends their threads, and answers PutRecord and PutRecordBatch.

Limits: Firehose API, PutRecord and PutRecordBatch. A limit that is broken refuses the whole request; no request is
half taken, so FailedPutCount is always 0 here, where AWS may take a part of a batch.
"""

import base64
import binascii
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.aws.firehose import DeliveryStream
from local.aws.firehose_settings import UnsupportedDeliveryError, read_settings

logger = logging.getLogger("local.aws.firehose")

MAX_RECORDS = 500
MAX_RECORD_BYTES = 1_024_000
MAX_REQUEST_BYTES = 4 * 1024 * 1024
SCAN_SECONDS = 1.0

Key = tuple[str, str, str]
Store = dict[Key, dict[str, Any]]


class PutRefusedError(Exception):
    """A put that breaks a rule: `code` is the exception's name."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class FirehoseService:
    """`store` returns ministack's delivery streams by (account, region, name).

    `clients` makes a boto3 client for a service, an account, a region and a role.
    """

    def __init__(self, store: Callable[[], Store], clients: Callable[[str, str, str, str], Any], folder: Path) -> None:
        self._store = store
        self._clients = clients
        self._folder = folder
        self._lock = threading.Lock()
        self._streams: dict[Key, DeliveryStream] = {}
        self._refused: dict[Key, str] = {}
        self._created: dict[Key, float] = {}
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to serve the streams that are there, and those that are made later."""
        threading.Thread(target=self._watch, name="firehose-watch", daemon=True).start()

    def stop(self, timeout: float) -> None:
        """End every stream's thread, waiting at most `timeout` seconds for the steps that are under way."""
        self._stopping.set()
        with self._lock:
            streams = list(self._streams.values())
        for stream in streams:
            stream.stop()
        for stream in streams:
            stream.join(timeout)

    def kinesis_put(self, stream_arn: str) -> None:
        """Wake the delivery streams that read a Kinesis stream, which has new records."""
        self._scan()
        for stream in list(self._streams.values()):
            if stream.settings.kinesis_arn == stream_arn:
                stream.wake()

    def put(self, scope: tuple[str, str], action: str, data: dict[str, Any]) -> dict[str, Any]:
        """Answer PutRecord or PutRecordBatch. Raises PutRefusedError."""
        self._scan()
        name = data.get("DeliveryStreamName", "")
        key = (*scope, name)
        if key not in self._store():
            raise PutRefusedError("ResourceNotFoundException", f"Firehose {name} under account {scope[0]} not found.")
        stream = self._streams.get(key)
        if stream is None:
            raise PutRefusedError("InvalidArgumentException", self._refused.get(key, "not served"))
        records = data.get("Records") if action == "PutRecordBatch" else [data.get("Record") or {}]
        try:
            ids = stream.put(read_payloads(records or []))
        except UnsupportedDeliveryError as error:
            raise PutRefusedError("InvalidArgumentException", str(error)) from error
        if action == "PutRecord":
            return {"RecordId": ids[0], "Encrypted": False}
        answers = [{"RecordId": record_id} for record_id in ids]
        return {"FailedPutCount": 0, "Encrypted": False, "RequestResponses": answers}

    def health(self) -> dict[str, Any]:
        """Report by delivery stream name: counters, what waits, and the error of a stream that cannot be served."""
        self._scan()
        report = {key[2]: stream.health() for key, stream in self._streams.items()}
        return {
            **report,
            **{key[2]: {"error": message, "all_delivered": False} for key, message in self._refused.items()},
        }

    def _watch(self) -> None:
        while not self._stopping.wait(SCAN_SECONDS):
            self._scan()

    def _scan(self) -> None:
        with self._lock:
            if self._stopping.is_set():
                return
            store = self._store()
            for key in [*self._streams, *self._refused]:
                if key not in store or self._created[key] != store[key]["created_at"]:
                    self._forget(key)
            for key, record in store.items():
                if key not in self._streams and key not in self._refused:
                    self._serve(key, record["created_at"])

    def _forget(self, key: Key) -> None:
        self._refused.pop(key, None)
        stream = self._streams.pop(key, None)
        if stream is not None:
            stream.stop()

    def _serve(self, key: Key, created_at: float) -> None:
        account, region, _name = key
        self._created[key] = created_at
        try:
            role = read_settings(self._store()[key]).role
            self._streams[key] = DeliveryStream(
                describe=lambda: self._store()[key],
                clients=lambda service: self._clients(service, account, region, role),
                folder=self._folder / account / region,
            )
        except UnsupportedDeliveryError as error:
            self._refused[key] = str(error)
            logger.warning("delivery stream %s is not served: %s", key[2], error)


def read_payloads(records: list[dict[str, Any]]) -> list[bytes]:
    """Return the data of put records. Raises PutRefusedError for a broken limit or data that are not base64."""
    if not 1 <= len(records) <= MAX_RECORDS:
        raise PutRefusedError(
            "InvalidArgumentException", f"A batch has 1 to {MAX_RECORDS} records, not {len(records)}."
        )
    try:
        payloads = [base64.b64decode(record["Data"], validate=True) for record in records]
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise PutRefusedError("SerializationException", f"Record.Data is not base64: {error}") from error
    if any(len(payload) > MAX_RECORD_BYTES for payload in payloads):
        raise PutRefusedError("InvalidArgumentException", f"A record has at most {MAX_RECORD_BYTES} bytes.")
    if sum(map(len, payloads)) > MAX_REQUEST_BYTES:
        raise PutRefusedError("InvalidArgumentException", f"A request has at most {MAX_REQUEST_BYTES} bytes.")
    return payloads
