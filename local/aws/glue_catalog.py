"""Close gaps of ministack's Glue: changes are serial and on disk before they are answered, lists come in pages,
old versions of a table are kept, and crawlers crawl.

Serial, because ministack checks VersionId and then writes without a lock between, so that two commits of one
Iceberg table at the same instant could both succeed.

What AWS does and this does not: version ids that start at 0 (here 1), GetPartitions expressions, versions of
deleted tables, archives across a restart.
"""

import base64
import copy
import json
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, json_response

from local.aws.atomic_files import not_stored
from local.aws.crawler import CrawlerRunner, GlueError

Response = tuple[int, dict[str, str], bytes]
PAGE_SIZES = {
    "GetTables": ("TableList", 100),
    "GetPartitions": ("Partitions", 1000),
    "GetDatabases": ("DatabaseList", 100),
}
KEPT_VERSIONS = 100
READS = ("Get", "List", "BatchGet", "Search", "Query", "Check")


class GlueCatalog:
    """Answer Glue's JSON actions. `tables` is ministack's store, `scope` returns (account, region) of the request."""

    def __init__(
        self, tables: Any, crawlers: CrawlerRunner, save: Callable[[], None], scope: Callable[[], tuple[str, str]]
    ) -> None:
        self._tables = tables
        self._crawlers = crawlers
        self._save = save
        self._scope = scope
        self.lock = threading.RLock()
        self._archive: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)

    def answer(self, action: str, data: dict[str, Any], handler: Callable[[], Response]) -> Response:
        """Answer one action; `handler` is ministack's own answer to it."""
        own = self._own_actions().get(action)
        if own is not None:
            try:
                return json_response(own(data))  # type: ignore[no-any-return]
            except GlueError as error:
                return error_response_json(error.code, str(error), 400)  # type: ignore[no-any-return]
        if action in PAGE_SIZES:
            return self._page(action, data, handler())
        if action.startswith(READS):
            return handler()
        with self.lock:
            before = self._before_update(action, data)
            undo = self._undo(action, data)
            response = handler()
            if response[0] < 300:
                try:
                    self._save()
                except OSError as error:
                    undo()
                    return error_response_json("InternalServiceException", not_stored(error), 500)  # type: ignore[no-any-return]
                if before is not None:
                    self._archive[before[0]] = [*self._archive[before[0]], before[1]][-KEPT_VERSIONS:]
        return response

    def _undo(self, action: str, data: dict[str, Any]) -> Callable[[], None]:
        """Put a table back as it is now, after a CreateTable or UpdateTable that could not be stored.

        Any other change stays in memory and is stored with the next one that can be.
        """
        if action not in ("CreateTable", "UpdateTable"):
            return lambda: None
        key = f"{data.get('DatabaseName')}/{data.get('TableInput', {}).get('Name')}"
        table = copy.deepcopy(self._tables.get(key))

        def undo() -> None:
            if table is None:
                self._tables.pop(key, None)
            else:
                self._tables[key] = table

        return undo

    def _own_actions(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        return {
            "StartCrawler": self._start_crawler,
            "StopCrawler": self._stop_crawler,
            "GetCrawlerMetrics": lambda data: {
                "CrawlerMetricsList": self._crawlers.metrics(data.get("CrawlerNameList") or [])
            },
            "ListCrawls": lambda data: {"Crawls": self._crawlers.history(data.get("CrawlerName", ""))},
            "GetTableVersions": self._table_versions,
        }

    def _start_crawler(self, data: dict[str, Any]) -> dict[str, Any]:
        self._crawlers.start(data.get("Name", ""))
        return {}

    def _stop_crawler(self, data: dict[str, Any]) -> dict[str, Any]:
        self._crawlers.stop(data.get("Name", ""))
        return {}

    def _before_update(self, action: str, data: dict[str, Any]) -> tuple[tuple[str, str, str], dict[str, Any]] | None:
        """Return the table before an UpdateTable that archives it."""
        if action != "UpdateTable" or data.get("SkipArchive"):
            return None
        key = f"{data.get('DatabaseName')}/{data.get('TableInput', {}).get('Name')}"
        table = self._tables.get(key)
        return ((*self._scope(), key), copy.deepcopy(table)) if table else None

    def _table_versions(self, data: dict[str, Any]) -> dict[str, Any]:
        """Serve GetTableVersions: the table as it is and what UpdateTable archived, newest first, one page."""
        key = f"{data.get('DatabaseName')}/{data.get('TableName')}"
        table = self._tables.get(key)
        if table is None:
            raise GlueError("EntityNotFoundException", f"Table {data.get('TableName')} not found.")
        versions = [table, *reversed(self._archive[(*self._scope(), key)])]
        return {"TableVersions": [{"Table": version, "VersionId": version["VersionId"]} for version in versions]}

    def _page(self, action: str, data: dict[str, Any], response: Response) -> Response:
        status, _headers, body = response
        if status >= 300:
            return response
        field, largest = PAGE_SIZES[action]
        answer = json.loads(body)
        entries = answer[field]
        segment = data.get("Segment")
        if segment:
            entries = entries[int(segment["SegmentNumber"]) :: int(segment["TotalSegments"])]
        size = min(int(data.get("MaxResults") or largest), largest)
        start = _offset(data.get("NextToken"))
        answer[field] = entries[start : start + size]
        if start + size < len(entries):
            answer["NextToken"] = base64.b64encode(str(start + size).encode()).decode()
        return json_response(answer)  # type: ignore[no-any-return]


def _offset(token: str | None) -> int:
    return int(base64.b64decode(token)) if token else 0
