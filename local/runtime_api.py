"""A Lambda Runtime API: hands events to a real runtime client in a process of its own.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from local.places import ROOT

SOURCE = ROOT / "lambdas" / "src"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:under-test"
TIMEOUT = 20


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body leave in one segment
    server: "_Server"

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def do_GET(self) -> None:
        event = self.server.events.get()
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": "00000000-0000-4000-8000-000000000000",
            "Lambda-Runtime-Deadline-Ms": "4102444800000",
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000",
        }
        self._answer(200, json.dumps(event).encode("utf-8"), headers)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answers.put((self.path.rsplit("/", 1)[1], json.loads(body)))
        self._answer(202, b"", {})


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.events: queue.Queue[Any] = queue.Queue()
        self.answers: queue.Queue[tuple[str, Any]] = queue.Queue()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Quiet: a function that is killed resets its connection."""


class Function:
    """`handler` under awslambdaric, as Lambda runs it: the package on the path, only `environment` set."""

    def __init__(self, handler: str, environment: dict[str, str], python: Path = Path(sys.executable)) -> None:
        self.handler, self.environment, self.python = handler, environment, python

    def __enter__(self) -> Self:
        self._server = _Server()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        # A file, for a pipe that nobody reads stops who writes much.
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            [self.python, "-m", "awslambdaric", self.handler],
            cwd=SOURCE,
            env={
                "PATH": os.environ["PATH"],
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
                "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
                "LAMBDA_TASK_ROOT": str(SOURCE),
                "PYTHONDONTWRITEBYTECODE": "1",
                **self.environment,
            },
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        return self

    def invoke(self, event: Any) -> tuple[str, Any]:
        """("response", the handler's answer) or ("error", {errorMessage, errorType, ...})."""
        self._server.events.put(event)
        return self._server.answers.get(timeout=TIMEOUT)

    def memory_bytes(self) -> int:
        """Return the bytes of memory that the process holds now."""
        held: int = psutil.Process(self._process.pid).memory_info().rss
        return held

    def cpu_seconds(self) -> float:
        """Return the seconds of CPU that the process has used, in steps of 10 ms."""
        used = psutil.Process(self._process.pid).cpu_times()
        return float(used.user + used.system)

    def stop(self) -> str:
        """End the process and return what it logged."""
        self._process.terminate()
        self._process.wait(timeout=TIMEOUT)
        self._log.seek(0)
        return self._log.read()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._log.close()
        self._server.shutdown()
        self._server.server_close()
