"""The proxy itself, before a small server that counts what it hears."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests.faults.proxy import Answer, Call, FaultProxy, Mode

BODY = b"0123456789" * 20


class Server(ThreadingHTTPServer):
    """Answers everything with BODY; `heard` has what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.heard: list[tuple[str, str, bytes]] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.heard.append((self.command, self.path, body))
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.send_header("X-Case-Kept", "yes")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(BODY)

    do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    serving = Server()
    threading.Thread(target=serving.serve_forever, args=(0.05,), daemon=True).start()
    yield serving
    serving.shutdown()


@pytest.fixture
def proxy(server: Server) -> Iterator[FaultProxy]:
    made = FaultProxy(server.server_port)
    yield made
    made.close()


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{proxy.port}", timeout=10) as made:
        yield made


def test_everything_passes_as_it_is_over_one_connection(client: httpx.Client, server: Server) -> None:
    large = b"x" * 3_000_000

    def chunks() -> Iterator[bytes]:
        yield from (b"a", b"bc")

    assert client.get("/a%2Fb//c?d=%20&e").content == BODY
    assert client.put("/put", content=large, headers={"Expect": "100-continue"}).status_code == 200
    assert client.post("/chunked", content=chunks()).status_code == 200
    answer = client.head("/head", headers={"X-Long": "y" * 60_000})
    assert (answer.headers["content-length"], answer.content) == (str(len(BODY)), b"")

    heard = [(method, path) for method, path, _ in server.heard]
    assert heard == [("GET", "/a%2Fb//c?d=%20&e"), ("PUT", "/put"), ("POST", "/chunked"), ("HEAD", "/head")]
    assert server.heard[1][2] == large


@pytest.mark.parametrize(
    ("mode", "is_heard", "error"),
    [(Mode.RESET, False, httpx.ReadError), (Mode.LOSE, True, httpx.ReadError), (Mode.CUT, True, httpx.ReadError)],
    ids=lambda value: getattr(value, "value", None),
)
def test_a_call_is_harmed_so_often_and_no_other_is(
    client: httpx.Client, proxy: FaultProxy, server: Server, mode: Mode, is_heard: bool, error: type[Exception]
) -> None:
    fault = proxy.harm(Call("POST", "^/b", "UpdateTable", '"events"'), mode, times=2)
    target = {"X-Amz-Target": "AWSGlue.UpdateTable"}

    def update() -> httpx.Response:
        return client.post("/b", content=b'{"events"}', headers=target)

    assert client.get("/b").content == BODY
    assert client.post("/a", content=b'{"events"}', headers=target).content == BODY
    assert client.post("/b", content=b'{"rejects"}', headers=target).content == BODY
    assert client.post("/b", content=b'{"events"}').content == BODY
    for _ in range(2):
        with pytest.raises((error, httpx.RemoteProtocolError)):
            update()
    assert update().content == BODY
    assert (fault.met, dict(proxy.injected)) == (2, {mode.value: 2})
    assert len(server.heard) == 5 + 2 * is_heard


def test_a_cut_answer_arrives_by_half(client: httpx.Client, proxy: FaultProxy) -> None:
    proxy.harm(Call(), Mode.CUT)
    arrived = b""
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)), client.stream("GET", "/") as answer:  # noqa: PT012
        for part in answer.iter_raw():
            arrived += part
    assert arrived == BODY[: len(BODY) // 2]


def test_a_canned_answer_comes_from_the_proxy(client: httpx.Client, proxy: FaultProxy, server: Server) -> None:
    proxy.harm(Call(), Mode.ANSWER, answer=Answer(503, b"<Error/>", "application/xml"))

    answer = client.get("/")

    assert (answer.status_code, answer.content, server.heard) == (503, b"<Error/>", [])
    assert client.get("/").status_code == 200


def test_a_delayed_call_takes_its_time(client: httpx.Client, proxy: FaultProxy) -> None:
    proxy.harm(Call(), Mode.DELAY, seconds=0.4)
    began = time.monotonic()

    assert client.get("/").content == BODY
    assert time.monotonic() - began >= 0.4


@pytest.mark.parametrize("is_released", [True, False], ids=["released", "dropped"])
def test_a_held_call_waits_for_the_word(
    client: httpx.Client, proxy: FaultProxy, server: Server, is_released: bool
) -> None:
    fault = proxy.harm(Call(), Mode.HOLD)
    answers: list[object] = []

    def ask() -> None:
        try:
            answers.append(client.get("/").content)
        except httpx.HTTPError as error:
            answers.append(type(error))

    asking = threading.Thread(target=ask)
    asking.start()
    fault.wait()
    assert (answers, server.heard) == ([], [])
    fault.release() if is_released else fault.drop()
    asking.join(10)

    assert (answers == [BODY]) is is_released
    assert len(server.heard) == is_released


def test_a_fault_that_nobody_meets_is_told() -> None:
    proxy = FaultProxy(1)
    with pytest.raises(TimeoutError, match="never"):
        proxy.harm(Call(path="never"), Mode.RESET).wait(0.01)
    proxy.close()


def test_connections_are_refused_and_taken_again_on_the_same_port(client: httpx.Client, proxy: FaultProxy) -> None:
    assert client.get("/").content == BODY
    proxy.refuse()
    with pytest.raises(httpx.ConnectError):
        client.get("/")
    proxy.accept()
    assert client.get("/").content == BODY


def test_healed_it_passes_everything_on(client: httpx.Client, proxy: FaultProxy) -> None:
    proxy.harm(Call(), Mode.RESET, times=None)
    proxy.refuse()
    proxy.heal()
    assert client.get("/").content == BODY


def test_without_a_server_the_connection_is_reset(client: httpx.Client, proxy: FaultProxy, server: Server) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.get("/")
