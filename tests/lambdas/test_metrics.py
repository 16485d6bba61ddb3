"""Log lines in the embedded metric format, held to AWS's specification (its limits and required members)."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from clickstream_stream import stage_object
from clickstream_stream.metrics import metric_line
from clickstream_stream.newline_transform import lambda_handler
from tests.lambdas.conftest import RAW
from tests.lambdas.memory_s3 import MemoryS3

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
UNITS = {"Seconds", "Count"}


def metrics_of(line: str) -> dict[str, float | list[float]]:
    """What CloudWatch makes of a line: the values by name. Anything that it would drop fails here."""
    node = json.loads(line)
    assert isinstance(node["_aws"]["Timestamp"], int)
    age = datetime.now(UTC) - datetime.fromtimestamp(node["_aws"]["Timestamp"] / 1000, UTC)
    assert timedelta() <= age < timedelta(hours=1), "milliseconds since 1970"
    (directive,) = node["_aws"]["CloudWatchMetrics"]
    assert directive.keys() == {"Namespace", "Dimensions", "Metrics"}
    for name in (name for names in directive["Dimensions"] for name in names):
        assert isinstance(node[name], str), "a dimension is a member of the root, a text"
    for metric in directive["Metrics"]:
        assert metric["Unit"] in UNITS
        value = node[metric["Name"]]
        values = value if isinstance(value, list) else [value]
        assert 1 <= len(values) <= 100
        assert all(isinstance(one, int | float) for one in values)
    return {metric["Name"]: node[metric["Name"]] for metric in directive["Metrics"]}


def test_the_transform_counts_what_it_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "clickstream-newline-transform")

    lambda_handler({"records": [{"recordId": "1", "data": "e30="}, {"recordId": "2", "data": "W10="}]}, None)

    line = capsys.readouterr().out
    assert metrics_of(line) == {"Records": 2, "RefusedRecords": 1}
    assert json.loads(line)["FunctionName"] == "clickstream-newline-transform"
    assert json.loads(line)["failed"] == {"not_an_object": 1}


def test_staging_counts_objects_and_says_how_old_they_were(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_object, "s3_client", lambda: MemoryS3({f"{RAW}/raw/a.gz": b"{}"}))
    sent = (datetime.now(UTC) - timedelta(seconds=90)).isoformat().replace("+00:00", "Z")
    record = {"eventName": "ObjectCreated:Put", "eventTime": sent, "s3": {"bucket": {"name": RAW}}}
    events = [{**record, "s3": {**record["s3"], "object": {"key": key}}} for key in ("raw/a.gz", "raw/gone.gz")]

    stage_object.lambda_handler({"Records": [{"messageId": "1", "body": json.dumps({"Records": events})}]}, None)

    told = metrics_of(capsys.readouterr().out.splitlines()[-1])
    (age,) = told.pop("SecondsToStage")
    assert 90 <= age < 600
    assert told == {"StagedObjects": 1, "FailedMessages": 0}


def test_a_line_holds_a_hundred_values_of_a_metric() -> None:
    assert len(metrics_of(metric_line({"A": ("Seconds", [0.5] * 250)}, {}))["A"]) == 100
