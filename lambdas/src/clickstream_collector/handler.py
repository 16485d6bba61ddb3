"""The collector as a Lambda function, behind a function URL or an HTTP API."""

import os
import random
import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

from clickstream_collector.aws import KINESIS_SECONDS, S3_SECONDS, AwsSink, Service, fetch_object
from clickstream_collector.collector import Door, answer, log_fields, metrics_of
from clickstream_collector.current_sources import CurrentSources
from clickstream_collector.delivery import Rhythm
from clickstream_collector.environment import environment
from clickstream_collector.http_event import read_event
from clickstream_collector.limiter import Limiter
from clickstream_stream.metrics import metric_line


@cache
def door() -> Door:
    """Return what this environment of the function answers with."""
    settings = environment()
    kinesis, s3 = Service("kinesis", os.environ, KINESIS_SECONDS), Service("s3", os.environ, S3_SECONDS)
    fetch = fetch_object(s3, settings.sources_bucket, settings.sources_key)
    return Door(
        CurrentSources(fetch, time.monotonic, report).get,
        AwsSink(kinesis, s3, settings.stream, settings.raw_bucket),
        Limiter(time.monotonic),
        Rhythm(time.monotonic, time.sleep, random.random),
        settings.path_prefix,
    )


def report(problem: str) -> None:
    """Log that the sources could not be read again: the metric UnreadSources."""
    print(metric_line({"UnreadSources": ("Count", 1)}, {"message": problem}))


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer a request in payload format 2.0. Logs one JSON line, with counts and nothing of a message."""
    settings = environment()
    request = read_event(event, datetime.now(UTC), prefix=settings.path_prefix, front_secret=settings.front_secret)
    found, tally = answer(request, door())
    # Of the instant that its events have as receivedAt, so that CloudWatch's hours are those of the tables.
    print(metric_line(metrics_of(tally), log_fields(tally, found.status, request), request.received_at.timestamp()))
    return found.to_event()
