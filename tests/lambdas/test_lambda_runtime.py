"""Both handlers under AWS's own runtime client, from the folder that is packaged, in a process of their own."""

import base64
import json
from pathlib import Path

import pytest

from local.runtime_api import Function

EVENTS = Path(__file__).parent / "events"
STAGE_ENVIRONMENT = {
    "CLICKSTREAM_RAW_BUCKET": "clickstream-raw-000000000000",
    "CLICKSTREAM_RAW_PREFIX": "raw/",
    "CLICKSTREAM_STAGING_BUCKET": "clickstream-staging-000000000000",
    "CLICKSTREAM_STAGING_PREFIX": "staging/",
}


def test_newline_transform_answers_and_logs_one_line() -> None:
    event = json.loads((EVENTS / "transform" / "rejected.json").read_text(encoding="utf-8"))
    with Function("clickstream_stream.newline_transform.lambda_handler", {}) as function:
        kind, answer = function.invoke(event)
        again = function.invoke({"records": [{"recordId": "1", "data": base64.b64encode(b"{}").decode()}]})
        log = function.stop()

    assert kind == "response"
    assert [one["recordId"] for one in answer["records"]] == [one["recordId"] for one in event["records"]]
    assert sum(one["result"] == "Ok" for one in answer["records"]) == 2
    assert again == ("response", {"records": [{"recordId": "1", "result": "Ok", "data": "e30K"}]})
    assert [json.loads(line)["records"] for line in log.splitlines()] == [len(event["records"]), 1]


@pytest.mark.scenario("X29")
def test_an_overflowing_answer_passes_the_runtime() -> None:
    payload = base64.b64encode(b'{"a":"' + b"x" * 1_000_000 + b'"}').decode()
    with Function("clickstream_stream.newline_transform.lambda_handler", {}) as function:
        kind, answer = function.invoke({"records": [{"recordId": str(i), "data": payload} for i in range(5)]})

    assert kind == "response"
    assert [one["result"] for one in answer["records"]] == ["Ok"] * 4 + ["ProcessingFailed"]


def test_stage_object_reports_the_bad_message_only() -> None:
    test_event = json.loads((EVENTS / "stage" / "test_event.json").read_text(encoding="utf-8"))["event"]
    bad = {"messageId": "bad", "body": "not json"}
    with Function("clickstream_stream.stage_object.lambda_handler", STAGE_ENVIRONMENT) as function:
        answer = function.invoke({"Records": [*test_event["Records"], bad]})

    assert answer == ("response", {"batchItemFailures": [{"itemIdentifier": "bad"}]})


def test_stage_object_without_its_settings_says_which_one_is_missing() -> None:
    with Function("clickstream_stream.stage_object.lambda_handler", {}) as function:
        kind, error = function.invoke({"Records": []})

    assert kind == "error"
    assert error["errorType"] == "EnvironmentSettingError"
    assert error["errorMessage"].startswith("CLICKSTREAM_RAW_BUCKET is not set")
