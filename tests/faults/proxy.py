"""An HTTP/1.1 proxy that fails on purpose: it stands before one server and harms the calls that it is told to.

It listens on 127.0.0.1 only, on a free port, in a thread of its own. A call is told by its method, path, `X-Amz-Target`
and body, so that one call among thousands can be hit. Without a fault that matches, it passes everything on as it is.
"""

import asyncio
import contextlib
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import h11

HOST = "127.0.0.1"
# A task's whole statement travels in a header: Trino's client sends prepared statements so.
MAX_HEAD_BYTES = 8 * 1024 * 1024
READ_BYTES = 64 * 1024
# However wrong a test goes, no call is held longer than this.
MAX_HOLD_SECONDS = 900.0


class Mode(Enum):
    """What happens to a call."""

    DELAY = "delay"
    """Passed on after `seconds`."""
    HOLD = "hold"
    """Passed on when released, or its connection is closed when dropped."""
    RESET = "reset"
    """The connection is reset; the server never hears of the call."""
    CUT = "cut"
    """The server answers; half of the answer arrives."""
    LOSE = "lose"
    """The server answers; nothing of the answer arrives."""
    ANSWER = "answer"
    """The proxy answers; the server never hears of the call."""


@dataclass(frozen=True)
class Answer:
    """A canned answer."""

    status: int
    body: bytes
    content_type: str


@dataclass(frozen=True)
class Call:
    """Which calls: each given part must match. All but `method` are regular expressions."""

    method: str = ""
    path: str = ""
    action: str = ""
    body: str = ""

    def holds(self, request: h11.Request, body: bytes) -> bool:
        """Whether a request is such a call. `action` is all that follows the last dot of its X-Amz-Target."""
        target = dict(request.headers).get(b"x-amz-target", b"").decode()
        return (
            self.method in ("", request.method.decode())
            and re.search(self.path, request.target.decode()) is not None
            and re.fullmatch(self.action or ".*", target.rpartition(".")[2]) is not None
            and re.search(self.body.encode(), body) is not None
        )


@dataclass
class Fault:
    """What to do to the next `times` of some calls; to all of them while `times` is None. `met` counts those it hit."""

    call: Call
    mode: Mode
    times: int | None = 1
    seconds: float = 0.0
    answer: Answer | None = None
    met: int = 0
    _met: threading.Event = field(default_factory=threading.Event)
    _go_on: threading.Event = field(default_factory=threading.Event)
    _is_dropped: bool = False

    def wait(self, patience: float = 600.0) -> None:
        """Wait until a call was hit. Raises TimeoutError after `patience` seconds."""
        if not self._met.wait(patience):
            raise TimeoutError(f"no call was like {self.call} within {patience} s")

    def release(self) -> None:
        """Let the calls that are held, and those after them, pass."""
        self._go_on.set()

    def drop(self) -> None:
        """Close the connections of the calls that are held; the server never hears of them."""
        self._is_dropped = True
        self._go_on.set()

    def take(self, request: h11.Request, body: bytes) -> bool:
        """Whether this fault hits the call; counts it."""
        if (self.times is not None and self.met >= self.times) or not self.call.holds(request, body):
            return False
        self.met += 1
        self._met.set()
        return True

    async def held(self) -> None:
        """Returns when the call may pass. Raises ConnectionError when it is dropped."""
        deadline = time.monotonic() + MAX_HOLD_SECONDS
        while not self._go_on.is_set() and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        if self._is_dropped:
            raise ConnectionError("dropped")


class FaultProxy:
    """One proxy before the server on `upstream`, a port of this machine. `injected` counts the harm done, by mode."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port = 0
        self.injected: Counter[str] = Counter()
        self._faults: list[Fault] = []
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._thread.start()
        self.accept()

    def harm(
        self, call: Call, mode: Mode, times: int | None = 1, seconds: float = 0.0, answer: Answer | None = None
    ) -> Fault:
        """From now on, do this to such calls."""
        fault = Fault(call, mode, times, seconds, answer)
        self._faults.append(fault)
        return fault

    @property
    def harmed(self) -> list[int]:
        """How many calls each fault has hit, in the order in which the faults were given."""
        return [fault.met for fault in self._faults]

    def heal(self) -> None:
        """Forget every fault; what is held passes; listen, if it did not."""
        for fault in self._faults:
            fault.release()
        self._faults = []
        self.accept()

    def refuse(self) -> None:
        """Refuse connections, and reset those that are open."""
        self.injected["refuse"] += 1
        self._do(self._stop_listening())

    def accept(self) -> None:
        """Listen, on the same port as ever."""
        if self._server is None:
            self._do(self._start_listening())

    def close(self) -> None:
        """Stop for good."""
        self.heal()
        self._do(self._stop_listening())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start_listening(self) -> None:
        self._server = await asyncio.start_server(self._serve, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for client in self._clients:
            _reset(client)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client's connection: call after call, until one side ends it."""
        self._clients.add(writer)
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
        try:
            while connection.our_state is h11.IDLE:
                request, body = await _read_message(connection, reader, writer)
                if not isinstance(request, h11.Request):
                    break
                await self._exchange(request, body, connection, writer)
                if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                    break
                connection.start_next_cycle()
            writer.close()
        except (OSError, EOFError, h11.ProtocolError):
            _reset(writer)
        finally:
            self._clients.discard(writer)

    async def _exchange(
        self, request: h11.Request, body: bytes, connection: h11.Connection, writer: asyncio.StreamWriter
    ) -> None:
        fault = next((fault for fault in self._faults if fault.take(request, body)), None)
        if fault is not None:
            self.injected[fault.mode.value] += 1
            await _before(fault)
        if fault is not None and fault.mode is Mode.ANSWER and fault.answer is not None:
            headers = [("Content-Type", fault.answer.content_type), ("Content-Length", str(len(fault.answer.body)))]
            response, content = h11.Response(status_code=fault.answer.status, headers=headers), fault.answer.body
        else:
            response, content = await self._ask(request, body)
        if fault is not None and fault.mode is Mode.LOSE:
            raise ConnectionError("lost")
        writer.write(connection.send(response) or b"")
        if fault is not None and fault.mode is Mode.CUT:
            writer.write(connection.send(h11.Data(data=content[: len(content) // 2])) or b"")
            await writer.drain()
            raise ConnectionError("cut")
        if content:
            writer.write(connection.send(h11.Data(data=content)) or b"")
        writer.write(connection.send(h11.EndOfMessage()) or b"")
        await writer.drain()

    async def _ask(self, request: h11.Request, body: bytes) -> tuple[h11.Response, bytes]:
        """The server's answer to a call, over a connection of its own."""
        headers = [(name, value) for name, value in request.headers.raw_items() if name.lower() != b"expect"]
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        async with _connected(self.upstream) as (reader, writer):
            writer.write(
                connection.send(h11.Request(method=request.method, target=request.target, headers=headers)) or b""
            )
            if body:
                writer.write(connection.send(h11.Data(data=body)) or b"")
            writer.write(connection.send(h11.EndOfMessage()) or b"")
            await writer.drain()
            response, content = await _read_message(connection, reader, writer)
            if not isinstance(response, h11.Response):
                raise EOFError("no answer")
            return response, content


async def _before(fault: Fault) -> None:
    if fault.mode is Mode.DELAY:
        await asyncio.sleep(fault.seconds)
    elif fault.mode is Mode.HOLD:
        await fault.held()
    elif fault.mode is Mode.RESET:
        raise ConnectionError("reset")


async def _read_message(
    connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> tuple[h11.Request | h11.Response | None, bytes]:
    """One whole request or response and its body; None when the peer has no more to say. Raises EOFError when cut."""
    head: h11.Request | h11.Response | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            if connection.they_are_waiting_for_100_continue:
                writer.write(connection.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
            connection.receive_data(await reader.read(READ_BYTES))
        elif isinstance(event, h11.Request | h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return head, bytes(body)
        elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
            return None, b""


@contextlib.asynccontextmanager
async def _connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield reader, writer
    finally:
        writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection with RST, as a peer does that was killed."""
    peer = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
