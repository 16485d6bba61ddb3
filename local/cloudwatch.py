"""CloudWatch's reading of a function's log: the metrics in its lines, in the embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

Json = dict[str, Any]


def metrics_in(line: str) -> Iterator[tuple[str, list[Json]]]:
    """Yield each namespace of a line with its metrics, as PutMetricData takes them."""
    fields = json.loads(line)
    at = datetime.fromtimestamp(fields["_aws"]["Timestamp"] / 1000, UTC)
    for directive in fields["_aws"]["CloudWatchMetrics"]:
        yield (
            directive["Namespace"],
            [
                {
                    "MetricName": metric["Name"],
                    "Dimensions": [{"Name": name, "Value": fields[name]} for name in names],
                    "Timestamp": at,
                    "Unit": metric["Unit"],
                    "Values": value if isinstance(value := fields[metric["Name"]], list) else [value],
                }
                for names in directive["Dimensions"]
                for metric in directive["Metrics"]
            ],
        )


def logger(client: Any, log: Callable[[str], None]) -> Callable[[str], None]:
    """Return what logs a line and puts its metrics into the CloudWatch of `client`."""

    def log_and_put(line: str) -> None:
        log(line)
        try:
            for namespace, metrics in metrics_in(line):
                client.put_metric_data(Namespace=namespace, MetricData=metrics)
        except (BotoCoreError, ClientError) as error:
            log(f"no metrics of the line above: {error}")

    return log_and_put
