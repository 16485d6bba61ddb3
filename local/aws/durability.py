"""Keep ministack's state on disk while it runs, not only when it stops.

ministack writes one JSON file a service on a clean stop. Here the Glue catalog, buckets and queues are written before a
change is answered, Kinesis records and sent messages go to journals and objects to files (`ministack_s3`) before they
are answered, and every other service is written within about a quarter of a second of a request that may have changed
it. So neither a kill -9 nor a full disk loses what was answered of these; of the rest, a kill loses at
most the last moment. (Power loss is another matter: nothing is fsynced.)
"""

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from ministack.core import persistence

from local.aws.atomic_files import write_atomically

logger = logging.getLogger("local.aws.durability")

INTERVAL_SECONDS = 0.25
# Work started by a request (a stack being made, a queue's function) changes state for a while after its answer.
AFTERGLOW_SECONDS = 15.0
# Between attempts when the disk refuses.
RETRY_SECONDS = 2.0
SNAPSHOT_ATTEMPTS = 20

StateReaders = dict[str, Callable[[], dict[str, Any] | None]]


class StateSaver:
    """Write ministack's state files, in ministack's own format, when their content has changed."""

    def __init__(self, folder: Path, readers: Callable[[], StateReaders]) -> None:
        self._folder = folder
        self._readers = readers
        self._written: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._guards: dict[str, Callable[[], AbstractContextManager[Any]]] = {}
        self._fingerprints: dict[str, Callable[[], object]] = {}
        self._fingerprints_written: dict[str, object] = {}
        self.failing: set[str] = set()
        self._wake = threading.Event()
        self._changed_at = 0.0
        self.saves = 0
        self.seconds = 0.0

    def guard(
        self,
        service: str,
        hold: Callable[[], AbstractContextManager[Any]],
        fingerprint: Callable[[], object] | None = None,
    ) -> None:
        """Hold this lock while the service is written; with a `fingerprint`, write regularly only when that changed."""
        self._guards[service] = hold
        if fingerprint is not None:
            self._fingerprints[service] = fingerprint

    def stale(self, service: str) -> bool:
        """Return whether the fingerprint of a service differs from the one it had when it was last written."""
        return self._fingerprints[service]() != self._fingerprints_written.get(service)

    def start(self) -> None:
        threading.Thread(target=self._run, name="state-saver", daemon=True).start()

    def changed(self) -> None:
        """Note that a request may have changed something."""
        self._changed_at = time.monotonic()
        self._wake.set()

    def save(self, service: str) -> None:
        """Write one service now, under its guard. Raises OSError when the disk refuses."""
        reader = self._readers().get(service)
        if reader is not None:
            with self._guards.get(service, nullcontext)():
                self._write(service, reader)

    def save_all(self, readers: StateReaders) -> None:
        """Write every loaded service; one that fails is logged, once until it works, and does not stop the others."""
        for service in readers:
            try:
                self.save(service)
                self.failing.discard(service)
            except Exception as error:
                if service not in self.failing:
                    trace = not isinstance(error, OSError)
                    logger.error("state of %s was not written, and is retried: %s", service, error, exc_info=trace)
                self.failing.add(service)

    def _write(self, service: str, reader: Callable[[], dict[str, Any] | None]) -> None:
        started = time.monotonic()
        with self._lock:
            # Taken before the state is read, noted after it is written: never newer than the file.
            fingerprint = self._fingerprints.get(service, lambda: None)()
            text = self._serialise(service, reader)
            if text is not None:
                digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
                if self._written.get(service) != digest:
                    write_atomically(self._folder / f"{service}.json", text)
                    self._written[service] = digest
            self._fingerprints_written[service] = fingerprint
        self.saves += 1
        self.seconds += time.monotonic() - started

    def _serialise(self, service: str, reader: Callable[[], dict[str, Any] | None]) -> str | None:
        for attempt in range(SNAPSHOT_ATTEMPTS):
            try:
                state = reader()
                if state is None:
                    return None
                version = persistence._state_format_version(service)
                wrapped = {"__ministack_format__": version, "payload": state}
                return json.dumps(wrapped, default=persistence._json_default)
            except RuntimeError:
                # "dictionary changed size during iteration": another thread is in the middle of a change.
                if attempt == SNAPSHOT_ATTEMPTS - 1:
                    raise
                time.sleep(0.005)
        return None

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while self.failing or time.monotonic() - self._changed_at < AFTERGLOW_SECONDS:
                time.sleep(RETRY_SECONDS if self.failing else INTERVAL_SECONDS)
                started = time.monotonic()
                self.save_all(
                    {
                        name: reader
                        for name, reader in self._readers().items()
                        if name not in self._fingerprints or name in self.failing or self.stale(name)
                    }
                )
                # Never more than a tenth of the time, however large the state has grown.
                time.sleep(9 * (time.monotonic() - started))
