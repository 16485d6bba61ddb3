"""Real SDKs, as their registries have them, against the collector as an HTTP server before the local Kinesis."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from clickstream_collector.sources import digest
from local.collector import CollectorServer, Event, compiled_file, make_door, responder, sink_of
from local.shop import Pages, analytics_js, shop
from tests.collector.sdks.senders import SDKS, Sdk, analytics_js_1_83, browse
from tests.local.aws.conftest import LocalAws
from tools.live import Stream

WEB_KEY, SERVER_KEY = "wk_tests_web", "wk_tests_server"
# Batches leave soon, and are whole: a browser need not wait.
SOURCES = f"""
version: 1
sources:
  shop:
    id: id_shop
    kind: web
    keys: [{{key: {WEB_KEY}, state: active}}]
    settings: {{batching: {{size: 20, timeout: 300}}}}
    plan: {{at_door: flag}}
    cookie: {{domain: shop.localhost}}
  backend:
    id: id_backend
    kind: server
    keys: [{{sha256: {digest(SERVER_KEY)}, state: active}}]
"""
NO_PAGES: Pages = lambda path: None  # noqa: E731

Json = dict[str, Any]


class Collector:
    """The collector's code before a local AWS: it serves, and tells what came to the stream."""

    def __init__(self, aws: LocalAws, folder: Path) -> None:
        name, _ = aws.kinesis()
        file = folder / "sources.yaml"
        file.write_text(SOURCES, encoding="utf-8")
        self._respond = responder(make_door(compiled_file(file), sink_of(aws.endpoint, name, aws.bucket())), print)
        self._stream = Stream(aws.client("kinesis"), name, datetime.now(UTC) - timedelta(minutes=1))
        self._messages: dict[str, Json] = {}

    @contextmanager
    def serving(self, pages: Pages = NO_PAGES) -> Iterator[tuple[str, list[str]]]:
        """Serve at an address; note the method and path of each request."""
        asked: list[str] = []

        def respond(event: Event) -> Event:
            asked.append(f"{event['requestContext']['http']['method']} {event['rawPath']}")
            return self._respond(event)

        with CollectorServer(respond, 0, pages) as server:
            Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            yield server.url, asked
            server.shutdown()

    def messages(self) -> list[Json]:
        """All that came to the stream so far, each message once: a record whose answer is lost is sent again."""
        is_all = False
        while not is_all:
            found, is_all = self._stream.look()
            for one in found:
                self._messages.setdefault(one.message["messageId"], one.message)
        return list(self._messages.values())

    def of(self, user: str) -> list[Json]:
        """What came of a user."""
        return [one for one in self.messages() if one.get("userId") == user]


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    folder = tmp_path_factory.mktemp("collector")
    aws = LocalAws(folder / "aws")
    aws.start()
    yield Collector(aws, folder)
    aws.end()


def check(messages: list[Json], user: str, library: tuple[str, str], source: str) -> None:
    """The five calls of sdks/, as each SDK makes them."""
    by_type = {message["type"]: message for message in messages}
    assert sorted(message["type"] for message in messages) == ["alias", "group", "identify", "page", "track"]
    assert by_type["identify"]["traits"] == {"name": "김하늘", "logins": 2}
    assert by_type["track"]["event"] == "SDK Tried"
    assert by_type["track"]["properties"] == {"title": 'Celadon Cup "Crane" 🍵', "price": 12.5, "quantity": 3}
    assert (by_type["page"]["name"], by_type["page"]["properties"]["path"]) == ("Checkout", "/checkout")
    assert (by_type["group"]["groupId"], by_type["group"]["traits"]) == (f"group-of-{user}", {"seats": 5})
    assert by_type["alias"]["previousId"] == f"before-{user}"
    for message in messages:
        assert (message["context"]["library"]["name"], message["context"]["library"]["version"]) == library
        assert message["projectId"] == source
        assert "writeKey" not in message
        received, at = (datetime.fromisoformat(message[name]) for name in ("receivedAt", "timestamp"))
        assert abs(received - at) < timedelta(minutes=2)


@pytest.mark.promise("P12")
@pytest.mark.parametrize("sdk", SDKS.values(), ids=SDKS)
def test_an_sdk_of_servers(sdk: Sdk, collector: Collector) -> None:
    user = str(uuid.uuid4())

    with collector.serving() as (url, _):
        sdk.send(url, SERVER_KEY, user)

    check(collector.of(user), user, sdk.library, "id_backend")


@pytest.mark.promise("P12")
@pytest.mark.parametrize(
    ("version", "scripts", "strategy", "paths"),
    [
        # Up to 1.83 batches go to https, whatever the settings say; and no preflight is needed.
        ("1.83.0", analytics_js_1_83, "standard", {"a", "g", "i", "p", "t"}),
        ("1.84.3", analytics_js, "standard", {"a", "g", "i", "p", "t"}),
        ("1.84.3", analytics_js, "", {"b"}),  # as the collector's settings say
    ],
)
def test_analytics_js_on_a_page_of_another_origin(
    version: str, scripts: Callable[[], Path], strategy: str, paths: set[str], collector: Collector
) -> None:
    """From 1.84 on it sends Authorization, which a browser asks for first."""
    user = str(uuid.uuid4())

    with (
        collector.serving(shop(scripts(), lambda: WEB_KEY)) as (url, asked),
        collector.serving(shop(scripts(), lambda: WEB_KEY, url)) as (page, _),
    ):
        browse(page.replace("127.0.0.1", "localhost"), "calls", user, strategy)

    check(collector.of(user), user, ("analytics.js", f"next-{version}"), "id_shop")
    assert {one.removeprefix("POST /v1/") for one in asked if one.startswith("POST")} == paths
    assert any(one.startswith("OPTIONS") for one in asked) is (version == "1.84.3")


def test_a_visit_of_the_shop(collector: Collector) -> None:
    """Page and collector are one origin: no preflight. What the page sends keeps to the tracking plan."""
    user = f"{uuid.uuid4()}@shop.example"

    with collector.serving(shop(analytics_js(), lambda: WEB_KEY)) as (url, asked):
        browse(url, "visit", user)

    [anonymous_id] = {one["anonymousId"] for one in collector.of(user)}
    visit = [one for one in collector.messages() if one.get("anonymousId") == anonymous_id]
    assert [one.get("event") or one["type"] for one in sorted(visit, key=lambda one: one["timestamp"])] == [
        "page", "Products Searched", "Product Viewed", "Product Added", "Checkout Started", "identify",
        "Order Completed",
    ]  # fmt: skip
    assert [one for one in visit if "violations" in one["context"]] == []
    assert {one["context"]["ip"] for one in visit} == {"127.0.0.1"}
    assert {request.partition(" ")[0] for request in asked} == {"GET", "POST"}


def test_a_browser_takes_the_cookie_of_its_own_origin(collector: Collector) -> None:
    """Names below `localhost` are of this machine. Scripts of the page cannot set cookies."""
    with collector.serving(shop(analytics_js(), lambda: WEB_KEY)) as (url, _):
        [cookie] = browse(url.replace("127.0.0.1", "www.shop.localhost"), "cookie")

    assert (cookie["name"], cookie["domain"], cookie["path"]) == ("ajs_anonymous_id", ".shop.localhost", "/")
    assert [one["type"] for one in collector.messages() if one.get("anonymousId") == cookie["value"]] == ["page"]
    assert cookie["expires"] - datetime.now(UTC).timestamp() > timedelta(days=364).total_seconds()
