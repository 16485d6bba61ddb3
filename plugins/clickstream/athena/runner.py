"""Run statements on Athena: translated, polled to their end, stopped on demand, commit conflicts retried.

In place of Trino's system tables: Glue knows tables, columns and comments, Athena's own API knows queries.
 The tables over raw lines are made in Glue too, as Trino's Hive connector makes them.
"""

import logging
import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from trino.exceptions import TrinoQueryError

from clickstream.athena.hive_types import TypeNameError, to_trino
from clickstream.athena.sql import Step, lines_table, translate
from clickstream.athena.values import read_value
from clickstream.engine.query import RETRIED_ERRORS, CancelledError, Result, run_with_retries
from clickstream.engine.sql import Statement, literal
from clickstream.settings import Settings

logger = logging.getLogger(__name__)

# OPTIMIZE and VACUUM end so when there is more to do than one run of them does.
MORE_RUNS_NEEDED = frozenset({"ICEBERG_OPTIMIZE_MORE_RUNS_NEEDED", "ICEBERG_VACUUM_MORE_RUNS_NEEDED"})

SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
LONGEST_WAIT = 4 * 3600.0
"""Seconds; no quota of Athena's lets a statement run longer."""

# How many of the workgroup's latest queries are looked through for those of an earlier try.
LATEST_QUERIES = 500

_ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
_ERROR_NAME = re.compile(r"\b([A-Z]+(?:_[A-Z]+)+):")


class AthenaQueryError(TrinoQueryError):
    """A statement failed on Athena. Its errors have the names of Trino's: `error_name` and `message` say why."""

    def __init__(self, reason: str, query_id: str) -> None:
        name = _ERROR_NAME.search(reason)
        super().__init__(
            {"errorName": name[1] if name else "ATHENA_ERROR", "errorType": "EXTERNAL", "message": reason}, query_id
        )


class AthenaRunner:
    """Run statements in one workgroup, until it is cancelled: the interface of clickstream.engine.query.QueryRunner.

    `athena` and `glue` are boto3 clients. `cancel` may be called from another thread or a signal handler.
    """

    def __init__(self, athena: Any, glue: Any, settings: Settings, sleep: Callable[[float], None] = time.sleep) -> None:
        self._athena = athena
        self._glue = glue
        self._settings = settings
        self._sleep = sleep
        self._running = ""
        self._is_cancelled = False
        self.info_url = ""
        """The console's page of the latest query; empty before the first."""
        self._otherwise: dict[str, Callable[[Statement], list[dict[str, Any]]]] = {
            "staging/lines/create.sql": self._create_lines,
            "staging/archive_lines/create.sql": self._create_lines,
            "evolution/show_lines.sql": self._show_lines,
            "evolution/columns.sql": self._columns,
            "runtime/comments.sql": self._comments,
            "runtime/leftovers.sql": self._leftovers,
            "runtime/kill.sql": self._kill,
        }

    def run(self, statement: Statement) -> Result:
        """Run the statement to its end; retry on a commit conflict.

        Raises AthenaQueryError, CancelledError, and AthenaSqlError for what Athena cannot run.
        """
        if self._is_cancelled:
            raise CancelledError("cancelled")
        if statement.path in self._otherwise:
            return Result(self._otherwise[statement.path](statement), "none", 0, None, 0)
        return run_with_retries(self._run_once, statement, RETRIED_ERRORS | MORE_RUNS_NEEDED, self._sleep)

    def run_unchecked(self, statement: Statement) -> Result:
        """Do the same: Athena does not tell who changes a table."""
        return self.run(statement)

    def undone(self, done: Sequence[tuple[Statement, Result]]) -> list[Statement]:
        """Return none, for that cannot be looked up."""
        return []

    def cancel(self) -> None:
        """Stop the running statement, and refuse later ones."""
        self._is_cancelled = True
        if self._running:
            self._athena.stop_query_execution(QueryExecutionId=self._running)

    def _run_once(self, statement: Statement) -> Result:
        result = Result([], "none", 0, None, 0)
        for step in translate(statement, self._location):
            done = self._step(step)
            result = Result(
                done.rows, done.query_id, result.elapsed_ms + done.elapsed_ms, None, result.read_bytes + done.read_bytes
            )
        return result

    def _location(self, schema: str, table: str) -> str:
        return f"s3://{self._settings.lake_bucket}/{schema}/{table}-{uuid.uuid4().hex[:12]}/"

    def _step(self, step: Step) -> Result:
        if self._is_cancelled:
            raise CancelledError("cancelled")
        query_id: str = self._athena.start_query_execution(
            QueryString=step.text,
            # So that a call that is sent again after a lost answer starts nothing twice.
            ClientRequestToken=uuid.uuid4().hex,
            QueryExecutionContext={"Catalog": "AwsDataCatalog"},
            ResultConfiguration={"OutputLocation": self._settings.athena_result_location},
            WorkGroup=self._settings.athena_workgroup,
        )["QueryExecutionId"]
        self._running = query_id
        self.info_url = _console(self._athena.meta.region_name, query_id)
        if self._is_cancelled:  # while it was started
            self.cancel()
        # What breaks in here, such as a time-out, leaves a query running that `cancel` must still find.
        execution = self._ended(query_id)
        self._running = ""
        status, figures = execution["Status"], execution.get("Statistics", {})
        if status["State"] == "CANCELLED" and self._is_cancelled:
            raise CancelledError("cancelled")
        if status["State"] != "SUCCEEDED":
            raise AthenaQueryError(status.get("StateChangeReason") or status["State"], query_id)
        rows = list(self._rows(query_id)) if step.gives_rows else []
        return Result(
            rows, query_id, figures.get("TotalExecutionTimeInMillis", 0), None, figures.get("DataScannedInBytes", 0)
        )

    def _ended(self, query_id: str) -> dict[str, Any]:
        pause, waited = SHORTEST_PAUSE, 0.0
        while True:
            execution: dict[str, Any] = self._athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            if execution["Status"]["State"] in _ENDED:
                return execution
            if waited > LONGEST_WAIT:
                self._athena.stop_query_execution(QueryExecutionId=query_id)
                raise AthenaQueryError(f"not ended after {LONGEST_WAIT / 3600:.0f} hours, stopped", query_id)
            self._sleep(pause)
            waited += pause
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def _rows(self, query_id: str) -> Iterator[dict[str, Any]]:
        is_head = True
        for page in self._athena.get_paginator("get_query_results").paginate(QueryExecutionId=query_id):
            columns = [(info["Name"], info["Type"]) for info in page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
            for row in page["ResultSet"]["Rows"]:
                if not is_head:
                    yield {
                        name: read_value(name, kind, datum.get("VarCharValue"))
                        for (name, kind), datum in zip(columns, row["Data"], strict=True)
                    }
                is_head = False

    def _create_lines(self, statement: Statement) -> list[dict[str, Any]]:
        database, table = lines_table(statement)
        try:
            self._glue.create_table(DatabaseName=database, TableInput=table)
        except self._glue.exceptions.AlreadyExistsException:
            logger.info("%s.%s is there", database, table["Name"])
        return []

    def _show_lines(self, statement: Statement) -> list[dict[str, Any]]:
        _, database, name = re.findall(r'"([^"]+)"', statement.text)
        found = self._glue.get_table(DatabaseName=database, Name=name)["Table"]["StorageDescriptor"]["Location"]
        return [{"Create Table": f"external_location = {literal(found)}"}]

    def _columns(self, statement: Statement) -> list[dict[str, Any]]:
        return [
            {
                "table_schema": table["DatabaseName"],
                "table_name": table["Name"],
                "column_name": column["Name"],
                "data_type": _trino_type(column["Type"]),
                "column_comment": None,  # Athena sets none alone, so that of a column that is there stays
            }
            for table in self._tables(statement)
            for column in table.get("StorageDescriptor", {}).get("Columns", [])
            # A column that was dropped stays in Glue, marked so.
            if column.get("Parameters", {}).get("iceberg.field.current", "true") == "true"
        ]

    def _comments(self, statement: Statement) -> list[dict[str, Any]]:
        return [
            {
                "schema_name": table["DatabaseName"],
                "table_name": table["Name"],
                "comment": table.get("Parameters", {}).get("comment") or table.get("Description"),
            }
            for table in self._tables(statement)
        ]

    def _tables(self, statement: Statement) -> Iterator[dict[str, Any]]:
        """Yield those in the schemas that the statement queries; its first value is the catalog."""
        for database in statement.parameters[1:]:
            for page in self._glue.get_paginator("get_tables").paginate(DatabaseName=database):
                yield from page["TableList"]

    def _leftovers(self, statement: Statement) -> list[dict[str, Any]]:
        (pattern,) = statement.parameters
        tag = pattern.strip("%")
        pages = self._athena.get_paginator("list_query_executions").paginate(
            WorkGroup=self._settings.athena_workgroup, PaginationConfig={"MaxItems": LATEST_QUERIES, "PageSize": 50}
        )
        found = []
        for page in pages:
            if ids := page["QueryExecutionIds"]:
                executions = self._athena.batch_get_query_execution(QueryExecutionIds=ids)["QueryExecutions"]
                found += [one for one in executions if one["Status"]["State"] not in _ENDED and tag in one["Query"]]
        return [{"query_id": one["QueryExecutionId"]} for one in found]

    def _kill(self, statement: Statement) -> list[dict[str, Any]]:
        (query_id,) = statement.parameters
        self._athena.stop_query_execution(QueryExecutionId=query_id)
        return []


def _trino_type(hive: str) -> str:
    try:
        return to_trino(hive)
    except TypeNameError:
        return hive  # of a table that is not ours


def _console(region: str, query_id: str) -> str:
    return f"https://{region}.console.aws.amazon.com/athena/home?region={region}#/query-editor/history/{query_id}"
