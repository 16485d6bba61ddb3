"""A crawler that crawls: reads the objects of its S3 target and leaves a Glue table, as a real crawl does.

Crawlers are made, changed and deleted through ministack; this runs them. A crawl works in a thread, so the server
keeps answering, and only touches tables of the crawler's own database and targets.

As on AWS: types inferred from the head of each object, one table a target when the objects are alike (or
CombineCompatibleSchemas is set), UpdateBehavior, DeleteBehavior, MergeNewColumns, CrawlerRunningException on a second
start, state and LastCrawl, a suffix on the name when another location has the table's name.

What AWS does and this does not: start-up of a minute or more and its 10-minute charge, other formats than JSON and
other stores than S3, custom classifiers, partitions (see crawl_grouping), incremental crawls and RecrawlPolicy,
schedules, exclusion patterns beyond * and ?, Lake Formation, logs in CloudWatch, and only one crawl looks at
columns that appear first after the sampled head.
"""

import contextvars
import fnmatch
import hashlib
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.aws.crawl_grouping import SampledObject, crawled_tables, group_objects
from local.aws.glue_table import (
    MAX_TYPE_CHARACTERS,
    CrawledTable,
    CrawlPolicy,
    changed_table,
    deprecated_table,
    new_table,
)
from local.aws.s3_samples import list_objects, sample_object

logger = logging.getLogger("local.aws.crawler")

Clients = Callable[[str], Any]


class GlueError(Exception):
    """A Glue API error: `code` is the exception's name."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class CancelledError(Exception):
    """StopCrawler was called."""


@dataclass
class Crawl:
    """One run. Times in Unix seconds; `state` is RUNNING, COMPLETED, FAILED or STOPPED (ListCrawls)."""

    crawler: str
    crawl_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = field(default_factory=time.time)
    ended: float | None = None
    state: str = "RUNNING"
    error: str = ""
    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)


class CrawlerRunner:
    """Run crawlers of ministack's store. `clients` returns, for a role, the boto3 clients of the caller's account."""

    def __init__(self, store: Any, clients: Callable[[str], Clients]) -> None:
        self._store = store
        self._clients = clients
        self._lock = threading.Lock()
        self.crawls: list[Crawl] = []

    def start(self, name: str) -> None:
        """Serve StartCrawler. Raises GlueError EntityNotFoundException or CrawlerRunningException."""
        with self._lock:
            crawler = self._existing(name)
            if crawler["State"] != "READY":
                raise GlueError("CrawlerRunningException", f"Crawler with name {name} has already started")
            crawler["State"] = "RUNNING"
            crawl = Crawl(name)
            self.crawls.append(crawl)
        context = contextvars.copy_context()
        thread = threading.Thread(
            target=context.run, args=(self._run, crawler, crawl), name=f"crawl-{name}", daemon=True
        )
        thread.start()

    def stop(self, name: str) -> None:
        """Serve StopCrawler. Raises GlueError when it is not there, not running, or stopping already."""
        with self._lock:
            crawler = self._existing(name)
            if crawler["State"] == "STOPPING":
                raise GlueError("CrawlerStoppingException", f"Crawler with name {name} is stopping")
            if crawler["State"] != "RUNNING":
                raise GlueError("CrawlerNotRunningException", f"Crawler with name {name} is not running")
            crawler["State"] = "STOPPING"
            self._of(name)[-1].cancelled.set()

    def metrics(self, names: list[str]) -> list[dict[str, Any]]:
        """Serve GetCrawlerMetrics: times in seconds, tables of the last crawl."""
        result = []
        for name in names or list(self._store):
            crawls = self._of(name)
            ended = sorted(crawl.ended - crawl.started for crawl in crawls if crawl.ended is not None)
            last = crawls[-1] if crawls else Crawl(name)
            if name in self._store:
                result.append(
                    {
                        "CrawlerName": name,
                        "TimeLeftSeconds": 0.0,
                        "StillEstimating": last.ended is None and bool(crawls),
                        "LastRuntimeSeconds": (last.ended or last.started) - last.started,
                        "MedianRuntimeSeconds": ended[len(ended) // 2] if ended else 0.0,
                        "TablesCreated": len(last.created),
                        "TablesUpdated": len(last.updated),
                        "TablesDeleted": len(last.deleted),
                    }
                )
        return result

    def history(self, name: str) -> list[dict[str, Any]]:
        """Serve ListCrawls: runs since the process started, newest first."""
        self._existing(name)
        rows = []
        for crawl in reversed(self._of(name)):
            row: dict[str, Any] = {"CrawlId": crawl.crawl_id, "State": crawl.state, "StartTime": crawl.started}
            if crawl.ended is not None:
                row["EndTime"] = crawl.ended
            if crawl.error:
                row["ErrorMessage"] = crawl.error
            rows.append(row)
        return rows

    def _of(self, name: str) -> list[Crawl]:
        return [crawl for crawl in self.crawls if crawl.crawler == name]

    def _existing(self, name: str) -> dict[str, Any]:
        crawler: dict[str, Any] | None = self._store.get(name)
        if crawler is None:
            raise GlueError("EntityNotFoundException", f"Crawler entry with name {name} does not exist")
        return crawler

    def _run(self, crawler: dict[str, Any], crawl: Crawl) -> None:
        status = "SUCCEEDED"
        try:
            crawl_targets(dict(crawler), crawl, self._clients(crawler.get("Role") or ""))
            crawl.state = "COMPLETED"
        except CancelledError:
            crawl.state, status = "STOPPED", "CANCELLED"
        except Exception as error:  # whatever went wrong is the crawl's result, not the server's
            crawl.state, status, crawl.error = "FAILED", "FAILED", f"{error}"
            logger.warning("crawl of %s failed: %s: %s", crawl.crawler, type(error).__name__, error)
        crawl.ended = time.time()
        last: dict[str, Any] = {
            "Status": status,
            "LogGroup": "/aws-glue/crawlers",
            "LogStream": crawl.crawler,
            "MessagePrefix": crawl.crawl_id,
            "StartTime": crawl.started,
        }
        if crawl.error:
            last["ErrorMessage"] = crawl.error
        with self._lock:
            # The result first: a reader of READY must see this crawl's result.
            crawler["LastCrawl"] = last
            crawler["CrawlElapsedTime"] = 0
            crawler["State"] = "READY"


def crawl_targets(crawler: dict[str, Any], crawl: Crawl, clients: Clients) -> None:
    """Crawl every S3 target of a crawler definition and write its tables.

    Raises ValueError for a target that is not S3, a path that is not s3://bucket/..., or objects that are not
    JSON; CancelledError after StopCrawler; and what boto3 raises, for example when the database or bucket is not there.
    """
    policy, combine = read_policy(crawler, crawl.crawl_id)
    targets = crawler.get("Targets") or {}
    if any(entries for kind, entries in targets.items() if kind != "S3Targets"):
        raise ValueError("only S3 targets are crawled locally")
    glue, s3 = clients("glue"), clients("s3")
    glue.get_database(Name=crawler["DatabaseName"])
    for target in targets.get("S3Targets") or []:
        bucket, folder = parse_target(target["Path"])
        samples = _sample(s3, bucket, folder, target.get("Exclusions") or [], crawl)
        groups = group_objects(samples, combine)
        found = crawled_tables(groups, bucket=bucket, folder=folder, prefix=crawler.get("TablePrefix") or "")
        TableWriter(glue, crawler["DatabaseName"], policy, crawl).write(found, f"s3://{bucket}/{folder}")


def read_policy(crawler: dict[str, Any], run_id: str) -> tuple[CrawlPolicy, bool]:
    """Return how to treat existing tables, and whether CombineCompatibleSchemas is set. Raises ValueError."""
    configuration = crawler.get("Configuration") or "{}"
    settings = json.loads(configuration) if isinstance(configuration, str) else configuration
    tables = settings.get("CrawlerOutput", {}).get("Tables", {})
    change = crawler.get("SchemaChangePolicy") or {}
    policy = CrawlPolicy(
        crawler=crawler["Name"],
        run_id=run_id,
        merge_new_columns=tables.get("AddOrUpdateBehavior") == "MergeNewColumns",
        update=change.get("UpdateBehavior") or "UPDATE_IN_DATABASE",
        delete=change.get("DeleteBehavior") or "DEPRECATE_IN_DATABASE",
    )
    return policy, settings.get("Grouping", {}).get("TableGroupingPolicy") == "CombineCompatibleSchemas"


def parse_target(path: str) -> tuple[str, str]:
    """Return (bucket, folder with a slash at the end or empty) of an include path s3://bucket/folder."""
    if not path.startswith("s3://") or len(path) <= len("s3://"):
        raise ValueError(f"the target path {path} is not s3://bucket/folder")
    bucket, _, folder = path.removeprefix("s3://").partition("/")
    folder = folder.strip("/")
    return bucket, f"{folder}/" if folder else ""


def _sample(s3: Any, bucket: str, folder: str, exclusions: list[str], crawl: Crawl) -> list[SampledObject]:
    samples: list[SampledObject] = []
    unreadable: list[str] = []
    for name, size in list_objects(s3, bucket, folder):
        if crawl.cancelled.is_set():
            raise CancelledError
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in exclusions):
            continue
        sampled = sample_object(s3, bucket, folder, name, size)
        if sampled is None:
            unreadable.append(name)
        else:
            samples.append(sampled)
    if unreadable and not samples:
        raise ValueError(f"no object below s3://{bucket}/{folder} is JSON, for example {unreadable[0]}")
    if unreadable:
        logger.warning("crawl of %s passed over %d objects that are not JSON", crawl.crawler, len(unreadable))
    return samples


@dataclass
class TableWriter:
    """Write what one target's crawl found to the catalog, through the Glue API."""

    glue: Any
    database: str
    policy: CrawlPolicy
    crawl: Crawl

    def write(self, found: list[CrawledTable], target: str) -> None:
        """Create or change the tables found; treat this crawler's other tables below the target as gone."""
        pages = self.glue.get_paginator("get_tables").paginate(DatabaseName=self.database)
        existing = {table["Name"]: table for page in pages for table in page["TableList"]}
        names = {self._write_one(table, existing) for table in found}
        for name, table in existing.items():
            location = (table.get("StorageDescriptor") or {}).get("Location") or ""
            mine = (table.get("Parameters") or {}).get("UPDATED_BY_CRAWLER") == self.policy.crawler
            if mine and location.startswith(target) and name not in names:
                self._gone(table)

    def _write_one(self, found: CrawledTable, existing: dict[str, Any]) -> str:
        for column in found.columns:
            if len(column["Type"]) > MAX_TYPE_CHARACTERS:
                raise ValueError(f"the type of column {column['Name']} is over {MAX_TYPE_CHARACTERS} characters")
        before = existing.get(found.name)
        if before is not None and _place(before) != found.location.rstrip("/"):
            suffix = hashlib.md5(found.location.encode(), usedforsecurity=False).hexdigest()
            found = CrawledTable(**{**vars(found), "name": f"{found.name}_{suffix}"})
            before = existing.get(found.name)
        if before is None:
            self.glue.create_table(DatabaseName=self.database, TableInput=new_table(found, self.policy))
            self.crawl.created.append(found.name)
            return found.name
        changed = changed_table(before, found, self.policy, round(time.time() * 1000))
        if changed is not None:
            self.glue.update_table(DatabaseName=self.database, TableInput=changed)
            self.crawl.updated.append(found.name)
        return found.name

    def _gone(self, table: dict[str, Any]) -> None:
        if self.policy.delete == "DELETE_FROM_DATABASE":
            self.glue.delete_table(DatabaseName=self.database, Name=table["Name"])
            self.crawl.deleted.append(table["Name"])
        elif self.policy.delete == "DEPRECATE_IN_DATABASE":
            changed = deprecated_table(table, round(time.time() * 1000))
            self.glue.update_table(DatabaseName=self.database, TableInput=changed)
            self.crawl.deleted.append(table["Name"])


def _place(table: dict[str, Any]) -> str:
    return str((table.get("StorageDescriptor") or {}).get("Location") or "").rstrip("/")
