"""`make collector-check`: compare what the collector accepted with what was loaded, hour by hour.

Accepted is the metric AcceptedMessages of CloudWatch, loaded what `events` has of the sources in include/sources.yaml.
FROM= and TO= are full hours; without them, the 24 hours that ended two hours ago, whose events have been delivered and
loaded. Of the installation that CLICKSTREAM_* and AIRFLOW_CONN_* in the environment name; without
CLICKSTREAM_STAGING_BUCKET, of the local stack. Needs cloudwatch:ListMetrics and cloudwatch:GetMetricStatistics.
"""

import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table
from trino.exceptions import Error as TrinoError

from local.places import LocalError
from local.segment.sources import BACK_OFFICE
from tools.config_check import prepare
from tools.sources_file import SourcesFileError, read_file

from clickstream.form import FormError, read_from_to  # isort: skip - tools.sources_file leads to the package
from clickstream.window import HOUR, LONGEST, Bounds, Window, full_hour

NAMESPACE, METRIC = "Clickstream", "AcceptedMessages"
DELIVERED_AFTER = timedelta(hours=2)
"""When an hour's events are loaded: Firehose buffers for minutes, and the load is hourly."""

MOST_DATAPOINTS = 1_440
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html"""


@dataclass(frozen=True)
class Hour:
    """Messages of one hour: `left` of its objects were duplicates or rejected, at most."""

    start: datetime
    accepted: int = 0
    loaded: int = 0
    left: int = 0

    @property
    def missing(self) -> int:
        """How many were accepted and are nowhere, at least."""
        return max(0, self.accepted - self.loaded - self.left)


def read_window(given: Mapping[str, str | None], now: datetime) -> Window:
    """Return the full hours asked for. Raises FormError."""
    start, end = read_from_to(given)
    for name, instant in (("from", start), ("to", end)):
        if instant and full_hour(instant) != instant:
            raise FormError(f"{name}={instant.isoformat()}: must be a full hour, as 2026-11-24T05:00:00Z")
    end = end or full_hour(now - DELIVERED_AFTER)
    start = start or end - timedelta(days=1)
    if not start < end <= start + LONGEST:
        raise FormError(f"from={start.isoformat()}, to={end.isoformat()}: from must be before to, by a year at most")
    return Window(start, end)


def function_of(names: Sequence[str], wanted: str) -> str:
    """Return the function whose metrics count. Raises FormError when it is not clear which."""
    if wanted and wanted not in names:
        raise FormError(f"FUNCTION={wanted}: no metrics of it; there are {', '.join(names) or 'none'}")
    if not wanted and len(names) != 1:
        raise FormError(
            f"FUNCTION= must name the collector: {', '.join(names)}"
            if names
            else f"no metric {METRIC} in CloudWatch's namespace {NAMESPACE}: has the collector taken a request?"
        )
    return wanted or names[0]


def functions(client: Any) -> list[str]:
    """Return the functions of which CloudWatch has the metric."""
    pages = client.get_paginator("list_metrics").paginate(Namespace=NAMESPACE, MetricName=METRIC)
    named = (dimension for page in pages for metric in page["Metrics"] for dimension in metric["Dimensions"])
    return sorted({dimension["Value"] for dimension in named if dimension["Name"] == "FunctionName"})


def accepted_by_hour(client: Any, function: str, window: Window) -> dict[datetime, int]:
    """Return how many messages a collector accepted, by hour; hours without any are not in it."""
    found: dict[datetime, int] = {}
    start = window.start
    while start < window.end:
        end = min(start + MOST_DATAPOINTS * HOUR, window.end)
        points = client.get_metric_statistics(
            Namespace=NAMESPACE, MetricName=METRIC, Dimensions=[{"Name": "FunctionName", "Value": function}],
            StartTime=start, EndTime=end, Period=3600, Statistics=["Sum"],
        )["Datapoints"]  # fmt: skip
        found |= {point["Timestamp"].astimezone(UTC): round(point["Sum"]) for point in points}
        start = end
    return found


def compared(accepted: Mapping[datetime, int], rows: Iterable[Mapping[str, Any]]) -> list[Hour]:
    """Return the hours of lake/load_ledger/by_hour.sql, with what was accepted in each."""
    starts = ((row, row["received_hour"].astimezone(UTC)) for row in rows)
    return [Hour(start, accepted.get(start, 0), row["rows_loaded"], row["rows_left"]) for row, start in starts]


def compare(given: Mapping[str, str]) -> list[Hour]:
    """Return the hours. Raises what `main` reports."""
    # Airflow reads its environment when it is imported.
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook  # noqa: PLC0415

    from clickstream.engine.sql import render  # noqa: PLC0415
    from clickstream.operators.engine import connect  # noqa: PLC0415
    from clickstream.settings import load_settings  # noqa: PLC0415

    window = read_window({"from": given["FROM"] or None, "to": given["TO"] or None}, datetime.now(UTC))
    settings = load_settings()
    client = AwsBaseHook(settings.aws_conn_id, client_type="cloudwatch").get_conn()
    accepted = accepted_by_hour(client, function_of(functions(client), given["FUNCTION"]), window)
    ids = [*(source["id"] for source in read_file()["sources"].values()), BACK_OFFICE.project_id]
    span = window.closed
    values = {"bounds": Bounds(span.start, span.end), "project_ids": sorted(ids)}
    return compared(accepted, connect(settings).run(render("lake/load_ledger/by_hour.sql", settings, values)).rows)


def show(hours: Sequence[Hour]) -> None:
    """Print a row for each hour in which there is something, and what that means."""
    table = Table("hour", "accepted", "loaded", "duplicate or rejected, at most", "missing, at least", box=None)
    for hour in hours:
        if hour.accepted or hour.loaded:
            counts = (hour.accepted, hour.loaded, hour.left, hour.missing)
            table.add_row(f"{hour.start:%Y-%m-%d %H:00}", *(f"{count:,}" for count in counts))
    console = Console()
    if table.row_count:
        console.print(table)
    missing = sum(hour.missing for hour in hours)
    console.print(
        f"{sum(hour.accepted for hour in hours):,} messages accepted in {len(hours)} h, "
        + (
            f"at least {missing:,} of them missing, or not loaded yet: docs/collector.md#nothing-lost"
            if missing
            else "none missing"
        )
    )


def main() -> int:
    """Compare; exit code 3 when messages are missing, and 1 with a reason when it cannot be done."""
    given = {name: os.environ.get(f"CLICKSTREAM_{name}", "") for name in ("FROM", "TO", "FUNCTION")}
    with tempfile.TemporaryDirectory(prefix="clickstream-collector-check-") as home:
        try:
            prepare(home)
            hours = compare(given)
        # A mistake in the request, the settings or the sources is a ValueError that says what to do.
        except (LocalError, SourcesFileError, TrinoError, BotoCoreError, ClientError, OSError, ValueError) as error:
            print(f"clickstream: {error}", file=sys.stderr)
            return 1
    show(hours)
    return 3 if any(hour.missing for hour in hours) else 0


if __name__ == "__main__":
    sys.exit(main())
