"""Log lines that CloudWatch reads metrics from, with no call and no library: the embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

NAMESPACE = "Clickstream"
MOST_VALUES = 100
"""Values that one metric may have in one line."""

Metrics = Mapping[str, tuple[str, float | Sequence[float]]]


def metric_line(metrics: Metrics, fields: Mapping[str, Any], at: float | None = None) -> str:
    """Return one line of JSON with `fields`, and `metrics` (name: unit, value or values) for CloudWatch by function.

    The metrics are of the instant `at`, in seconds since 1970, or of now. Of more than 100 values the first 100 are
    kept. A metric without a value is left out.
    """
    shown = {name: _at_most(values) for name, (_, values) in metrics.items() if not _is_empty(values)}
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": name, "Unit": metrics[name][0]} for name in shown],
    }
    milliseconds = int(time.time() * 1000) if at is None else round(at * 1000)
    head = {"Timestamp": milliseconds, "CloudWatchMetrics": [directive]}
    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "local")
    return json.dumps({**fields, "FunctionName": function, **shown, "_aws": head})


def _is_empty(values: float | Sequence[float]) -> bool:
    return isinstance(values, Sequence) and not values


def _at_most(values: float | Sequence[float]) -> float | list[float]:
    return list(values[:MOST_VALUES]) if isinstance(values, Sequence) else values
