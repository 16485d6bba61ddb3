"""`make live`: print events as they arrive, from the stream itself, and those that the collector refused.

Of the installation that CLICKSTREAM_STREAM and CLICKSTREAM_RAW_BUCKET in the environment name, with the credentials
that boto3 finds, as the AWS CLI does; without CLICKSTREAM_STREAM, of the local stack. FROM= is how far to look back, as
far as the stream keeps its records; TO= ends there, without it only an interrupt does. Needs kinesis:ListShards,
kinesis:GetShardIterator and kinesis:GetRecords on the stream, s3:ListBucket and s3:GetObject on `refused/`.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.places import LocalError, open_places
from local.services import ACCESS_KEY, REGION, SECRET_KEY
from tools.sources_file import SourcesFileError, read_file

from clickstream.form import FormError, read_from_to  # isort: skip - tools.sources_file leads to the package
from clickstream.plan.file import read_plan
from clickstream.staging.redrive import REFUSED_PREFIX
from tools.live_view import Arrived, accepted, line, masked, read_wanted, refused

PAUSE_SECONDS = 2.0
"""Between two looks: a shard may be read five times a second, by all of its readers together."""

LOOK_BACK = timedelta(minutes=1)
"""How far back without FROM; and how late an object of refused events may come."""


class Stream:
    """The shards of a stream, from an instant on; each is read once a look. A shard that ends leads to its children."""

    def __init__(self, client: Any, name: str, start: datetime) -> None:
        self._client, self._name = client, name
        self._iterators: dict[str, str | None] = {}
        self._open("AT_TIMESTAMP", Timestamp=start)

    def _open(self, kind: str, **more: Any) -> None:
        for page in self._client.get_paginator("list_shards").paginate(StreamName=self._name):
            for shard in page["Shards"]:
                if shard["ShardId"] not in self._iterators:
                    answer = self._client.get_shard_iterator(
                        StreamName=self._name, ShardId=shard["ShardId"], ShardIteratorType=kind, **more
                    )
                    self._iterators[shard["ShardId"]] = answer["ShardIterator"]

    def look(self) -> tuple[list[Arrived], bool]:
        """Return what came since the last look, at most a call for each shard; and whether that is all there is."""
        found: list[Arrived] = []
        is_all = True
        for shard, iterator in list(self._iterators.items()):
            if iterator is None:
                continue
            answer = self._client.get_records(ShardIterator=iterator)
            self._iterators[shard] = answer.get("NextShardIterator")
            is_all = is_all and not answer.get("MillisBehindLatest")
            for record in answer["Records"]:
                found += accepted(record["Data"], record["ApproximateArrivalTimestamp"].astimezone(UTC))
            if self._iterators[shard] is None:
                self._open("TRIM_HORIZON")
        return found, is_all


class Refusals:
    """The objects of refused events, from an instant on; each is read once."""

    def __init__(self, client: Any, bucket: str, start: datetime) -> None:
        self._client, self._bucket, self._start = client, bucket, start
        self._seen: set[str] = set()

    def look(self, now: datetime) -> list[Arrived]:
        """Return what arrived since the last look. Names hold hour and millisecond, so only the newest are listed."""
        at = f"{REFUSED_PREFIX}{self._start:%Y/%m/%d/%H}/collector-{int(self._start.timestamp() * 1000)}"
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=REFUSED_PREFIX, StartAfter=at
        )
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        found = [one for key in keys if key not in self._seen for one in refused(self._read(key))]
        self._seen = set(keys)
        self._start = max(self._start, now - LOOK_BACK)
        return found

    def _read(self, key: str) -> bytes:
        body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return body


def arrivals(
    stream: Stream,
    refusals: Refusals | None,
    end: datetime | None,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> Iterator[Arrived]:
    """Yield what arrives, look by look, each look in the order of time; without an `end` for ever."""
    while True:
        looked_at = now()
        found, is_all = stream.look()
        found += refusals.look(looked_at) if refusals else []
        yield from sorted((one for one in found if end is None or one.at < end), key=lambda one: one.at)
        if end is not None and is_all and looked_at >= end:
            return
        if is_all:
            sleep(PAUSE_SECONDS)


def clients() -> tuple[Any, Any, str, str]:
    """Return clients of Kinesis and S3, the stream's name and the raw bucket's, possibly empty. Raises LocalError."""
    if name := os.environ.get("CLICKSTREAM_STREAM"):
        return boto3.client("kinesis"), boto3.client("s3"), name, os.environ.get("CLICKSTREAM_RAW_BUCKET", "")
    places = open_places()
    settings = places.settings()
    kinesis, s3 = (
        boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=places.aws_url,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )
        for service in ("kinesis", "s3")
    )
    return kinesis, s3, settings["CLICKSTREAM_STREAM"], settings["CLICKSTREAM_RAW_BUCKET"]


def show() -> None:
    """Print what was requested. Raises what `main` reports."""
    given = {
        name: os.environ.get(f"CLICKSTREAM_{name}", "") for name in ("SOURCE", "MATCH", "FROM", "TO", "PII", "FULL")
    }
    start, end = read_from_to({"from": given["FROM"] or None, "to": given["TO"] or None})
    names = {source["id"]: name for name, source in read_file()["sources"].items()}
    wanted, plan = read_wanted(names.get(given["SOURCE"], given["SOURCE"]), given["MATCH"]), read_plan()
    kinesis, s3, name, bucket = clients()
    start = start or datetime.now(UTC) - LOOK_BACK
    refusals = Refusals(s3, bucket, start) if bucket else None
    for arrived in arrivals(Stream(kinesis, name, start), refusals, end, lambda: datetime.now(UTC), time.sleep):
        one = replace(arrived, source=names.get(arrived.source, arrived.source))
        if wanted.holds(one):
            message = one.message if given["PII"] == "show" else masked(one.message, plan)
            print(line(one, message, is_full=bool(given["FULL"])), flush=True)


def main() -> int:
    """Show; a reason instead of a traceback, and exit code 1, when it cannot be done."""
    try:
        show()
    except KeyboardInterrupt:
        return 0
    # A mistake in the request, or in the plan, is a ValueError that says what to do.
    except (LocalError, FormError, SourcesFileError, BotoCoreError, ClientError, OSError, ValueError) as error:
        print(f"clickstream: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
