"""Metrics in a function's log, read into the local CloudWatch, and counted by hour as `make collector-check` does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clickstream_stream.metrics import metric_line
from local import cloudwatch
from tests.local.aws.conftest import LocalAws
from tools.collector_check import accepted_by_hour, functions

from clickstream.window import HOUR, Window  # isort: skip - tools.collector_check leads to the package


def test_lines_of_the_function_s_log_are_counted_by_hour(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a real CloudWatch call by call: metrics of three hours, of two functions."""
    lines: list[str] = []
    log = cloudwatch.logger(aws.client("cloudwatch"), lines.append)

    def take(function: str, at: datetime, accepted: int) -> None:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", function)
        metrics: dict[str, Any] = {"AcceptedMessages": ("Count", accepted), "ReceivedMessages": ("Count", accepted + 1)}
        log(metric_line(metrics, {"source": "shop"}, at.timestamp()))

    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 3 * HOUR
    take("collector", start, 3)
    take("collector", start + HOUR - timedelta(seconds=1), 4)
    take("collector", start + 2 * HOUR, 5)
    take("collector", start + 3 * HOUR, 100)
    take("other", start, 1_000)

    assert len(lines) == 5
    assert functions(aws.client("cloudwatch")) == ["collector", "other"]
    found = accepted_by_hour(aws.client("cloudwatch"), "collector", Window(start, start + 3 * HOUR))
    assert found == {start: 7, start + 2 * HOUR: 5}
