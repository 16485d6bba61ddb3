"""The few calls to Glue: crawl, and patch the crawled table."""

import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from clickstream.settings import Settings
from clickstream.staging.glue_schema import Patch, choose_table, with_string_columns

PATCH_ATTEMPTS = 5
PARTITIONS_AT_ONCE = 100


class CrawlError(RuntimeError):
    """The crawl failed, was cancelled or did not end in time; the message says which."""


class PartitionError(RuntimeError):
    """Glue did not take a partition; the message says which and why."""


def last_crawl_start(client: Any, crawler: str, succeeded: bool = False) -> datetime | None:
    """Return when the last crawl started; None before the first, or with `succeeded` after a failed one."""
    last = client.get_crawler(Name=crawler)["Crawler"].get("LastCrawl", {})
    started: datetime | None = last.get("StartTime")
    return None if succeeded and last.get("Status") != "SUCCEEDED" else started


def crawl(
    client: Any,
    crawler: str,
    newest: datetime | None,
    timeout: timedelta,
    pause: float = 2.0,
    log: Callable[[str], None] = print,
) -> datetime:
    """Run the crawler to its end; return when the accepted crawl started.

    A crawl is accepted only if it began after `newest`, when the newest object wanted landed: one that ran already, and
    was joined, may have missed that object, and then another is run. The state READY alone says nothing about this
    crawl: the last crawl's start must move (the provider's waiter takes an earlier crawl's result).
    Raises CrawlError.
    """
    deadline = time.monotonic() + timeout.total_seconds()
    while True:
        before = last_crawl_start(client, crawler)
        joined = not _start(client, crawler)
        log(f"crawler {crawler}: {'joined the crawl that is running' if joined else 'started'}")
        started = _wait(client, crawler, before, deadline, pause)
        if newest is None or started >= newest:
            return started
        log(f"crawler {crawler}: that crawl began at {started}, before the newest object ({newest}): once more")


def _start(client: Any, crawler: str) -> bool:
    try:
        client.start_crawler(Name=crawler)
    except client.exceptions.CrawlerRunningException:
        return False
    return True


def _wait(client: Any, crawler: str, before: datetime | None, deadline: float, pause: float) -> datetime:
    while time.monotonic() < deadline:
        state = client.get_crawler(Name=crawler)["Crawler"]
        last = state.get("LastCrawl", {})
        started: datetime | None = last.get("StartTime")
        if state["State"] == "READY" and started is not None and started != before:
            if last["Status"] != "SUCCEEDED":
                raise CrawlError(f"crawler {crawler} {last['Status']}: {last.get('ErrorMessage', 'no message')}")
            return started
        time.sleep(pause)
    raise CrawlError(f"crawler {crawler} did not end in time: look at it in the Glue console")


def patch_staging_table(client: Any, settings: Settings, keys: Collection[str] = ()) -> Patch:
    """Make every column of the crawled table a string, add these keys as columns; return the patch that was needed.

    Sends nothing when nothing changes, no archived version (versions have a quota), and the VersionId that was read:
    when another writer was faster, the table is read and patched again.
    Raises CrawledTableError when the crawl left no usable table.
    """
    allowed = client.meta.service_model.shape_for("TableInput").members
    for attempt in range(1, PATCH_ATTEMPTS + 1):
        tables = _tables(client, settings.staging_database)
        table = choose_table(tables, settings.staging_location, settings.staging_table, settings.crawler)
        patch = with_string_columns(table, allowed, keys)
        if not patch.is_needed:
            return patch
        try:
            client.update_table(
                DatabaseName=settings.staging_database,
                TableInput=patch.table_input,
                SkipArchive=True,
                VersionId=table["VersionId"],
            )
            return patch
        except client.exceptions.ConcurrentModificationException:
            if attempt == PATCH_ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _tables(client: Any, database: str) -> list[dict[str, Any]]:
    pages = client.get_paginator("get_tables").paginate(DatabaseName=database)
    return [table for page in pages for table in page["TableList"]]


def add_partitions(client: Any, database: str, table: str, locations: Mapping[str, str]) -> int:
    """Add the partitions that a table of one partition column lacks, value to location; return how many it added.

    Raises PartitionError when Glue refuses one for another reason than being there.
    https://docs.aws.amazon.com/glue/latest/webapi/API_BatchCreatePartition.html
    """
    storage = client.get_table(DatabaseName=database, Name=table)["Table"]["StorageDescriptor"]
    wanted = [
        {"Values": [value], "StorageDescriptor": {**storage, "Location": location}}
        for value, location in locations.items()
    ]
    refused = []
    for first in range(0, len(wanted), PARTITIONS_AT_ONCE):
        answer = client.batch_create_partition(
            DatabaseName=database, TableName=table, PartitionInputList=wanted[first : first + PARTITIONS_AT_ONCE]
        )
        refused += answer.get("Errors", [])
    for error in refused:
        if error["ErrorDetail"]["ErrorCode"] != "AlreadyExistsException":
            raise PartitionError(f"{table}: partition {error['PartitionValues']}: {error['ErrorDetail']}")
    return len(wanted) - len(refused)


def last_changes(client: Any, database: str) -> list[tuple[str, datetime]]:
    """Return the tables of a database, each with when it was last written; a recreated table keeps its CreateTime."""
    return [
        (table["Name"], max(table["CreateTime"], table.get("UpdateTime", table["CreateTime"])))
        for table in _tables(client, database)
    ]


def staging_columns(client: Any, settings: Settings) -> list[str]:
    """Return the columns of the crawled table."""
    table = client.get_table(DatabaseName=settings.staging_database, Name=settings.staging_table)["Table"]
    return [column["Name"] for column in table["StorageDescriptor"]["Columns"]]
