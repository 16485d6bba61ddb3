"""The function as Lambda calls it: settings from the environment, sources from S3, one log line, no boto3."""

import base64
import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from clickstream_collector import aws, handler
from clickstream_collector.environment import environment, read_environment
from clickstream_stream.environment import EnvironmentSettingError
from tests.collector.doors import basic, event
from tests.lambdas.test_metrics import metrics_of
from tools.sources_file import compile_sources, read_file

VARIABLES = {
    "CLICKSTREAM_STREAM": "events",
    "CLICKSTREAM_RAW_BUCKET": "raw-bucket",
    "CLICKSTREAM_SOURCES_BUCKET": "config-bucket",
    "CLICKSTREAM_SOURCES_KEY": "collector/sources.json",
    "CLICKSTREAM_COLLECTOR_PATH_PREFIX": "in",
}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str, bytes]]]:
    """The function's environment, and what it calls of AWS, which answers that all is well."""
    made: list[tuple[str, str, bytes]] = []

    def call(self: aws.Service, method: str, path: str, body: bytes = b"", headers: object = None) -> object:
        made.append((method, path, body))
        if method == "GET":
            return 200, {"etag": "1"}, compile_sources(read_file()).encode()
        return 200, {}, json.dumps({"Records": [{}] * body.count(b"PartitionKey")}).encode()

    monkeypatch.setattr(aws.Service, "call", call)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    environment.cache_clear()
    handler.door.cache_clear()
    yield made
    environment.cache_clear()
    handler.door.cache_clear()


def test_a_request(calls: list[tuple[str, str, bytes]], capsys: pytest.CaptureFixture[str]) -> None:
    body = gzip.compress(b'{"batch":[{"type":"track","userId":"u"},7]}')

    answer = handler.lambda_handler(event("POST", "/in/v1/batch", body, basic("wk_example_orders")), None)

    assert answer["statusCode"] == 200
    assert answer["isBase64Encoded"] is False
    assert json.loads(answer["body"]) == {"success": True, "accepted": 1, "refused": 1}
    fetched, put, kept = calls
    assert fetched[:2] == ("GET", "/config-bucket/collector/sources.json")
    assert json.loads(put[2])["StreamName"] == "events"
    assert kept[1].startswith("/raw-bucket/refused/")
    (line,) = capsys.readouterr().out.splitlines()
    (record,) = json.loads(put[2])["Records"]
    stamped = json.loads(base64.b64decode(record["Data"]))["receivedAt"]
    assert json.loads(line)["_aws"]["Timestamp"] == datetime.fromisoformat(stamped).timestamp() * 1000
    assert metrics_of(line) == {"ReceivedMessages": 2, "AcceptedMessages": 1, "RefusedMessages": 1}
    assert json.loads(line)["source"] == "orders"


def test_settings_are_checked() -> None:
    assert read_environment(VARIABLES).path_prefix == "/in"
    assert read_environment({**VARIABLES, "CLICKSTREAM_COLLECTOR_PATH_PREFIX": "/"}).path_prefix == ""
    for name in list(VARIABLES)[:4]:
        with pytest.raises(EnvironmentSettingError, match=name):
            read_environment({**VARIABLES, name: " "})


def test_no_cold_start_waits_for_boto3() -> None:
    source = Path(__file__).parents[2] / "lambdas" / "src"
    program = "import sys, clickstream_collector.handler; print(any(m.startswith('boto') for m in sys.modules))"

    told = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(source)}, capture_output=True, text=True, check=True
    )

    assert told.stdout.strip() == "False"
