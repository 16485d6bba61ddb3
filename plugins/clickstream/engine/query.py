"""Run one statement on Trino: no splitting, values bound, cancelled on demand, commit conflicts retried.

A MERGE that an `alter table` beside it undid is run again: docs/adr/0016-table-evolution.md.
"""

import logging
import re
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential
from trino.dbapi import Connection, Cursor
from trino.exceptions import Error as TrinoError
from trino.exceptions import TrinoQueryError

from clickstream.engine.sql import Statement, render

logger = logging.getLogger(__name__)

# Iceberg refuses a commit when another one got in between: run again, it sees the other's rows.
# Right after its start, Trino has no worker yet. Glue throttles, and Trino's client calls it once only: see
# docs/local-and-aws.md.
RETRIED_ERRORS = frozenset({"ICEBERG_COMMIT_ERROR", "ICEBERG_CATALOG_ERROR", "NO_NODES_AVAILABLE"})
ATTEMPTS = 8

TABLES_A_LOOK = 50
"""Tables that one look for commits names."""

ALTERING_SECONDS = 0.5
"""Between two looks whether a table is still being altered, which takes some tenths of a second."""

_ALTERED_MEANWHILE = "inputPage channelCount"
"""In the message of the internal error of a MERGE whose table got a column after it had begun."""


@dataclass(frozen=True)
class Result:
    """The result of a statement: its rows as dictionaries, and the query's id and counts as Trino reports them."""

    rows: list[dict[str, Any]]
    query_id: str
    elapsed_ms: int
    cpu_ms: int | None
    """None where the engine does not report it."""
    read_bytes: int
    changed_rows: int = 0
    """Rows that a statement added, updated or deleted."""
    read_rows: int = 0
    splits: int = 0
    written_bytes: int = 0
    peak_bytes: int = 0
    """Memory at its largest. All 0 where the engine does not report them."""

    def text(self) -> str:
        """Return one line for a log."""
        cpu = "" if self.cpu_ms is None else f"{self.cpu_ms / 1000:.2f} s of CPU, "
        return f"query {self.query_id}: {self.elapsed_ms / 1000:.2f} s, {cpu}{self.read_bytes:,} bytes read"


class Runner(Protocol):
    """What runs statements, one at a time, on either engine."""

    info_url: str
    """The page of the latest query; empty before the first."""

    def run(self, statement: Statement) -> Result:
        """Run the statement to its end. Raises trino.exceptions.Error and CancelledError."""

    def run_unchecked(self, statement: Statement) -> Result:
        """Do the same, but leave to `undone` whether what it wrote was replaced."""

    def undone(self, done: Sequence[tuple[Statement, Result]]) -> list[Statement]:
        """Return those whose commit a change of their table has replaced: they have to run again."""

    def cancel(self) -> None:
        """Cancel the running statement, and refuse later ones."""


class CancelledError(RuntimeError):
    """The runner was cancelled: it runs nothing more."""


class ReplacedError(RuntimeError):
    """What a MERGE wrote was undone each time that it was run; the message names the table."""


class QueryRunner:
    """Run statements over one connection, until it is cancelled.

    `cancel` may be called from another thread or a signal handler, and after a time-out broke into `run`.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursor: Cursor | None = None
        self._is_cancelled = False
        self.info_url = ""
        """Trino's page of the latest query, as Trino returns it; empty before the first."""

    def run(self, statement: Statement) -> Result:
        """Run the statement to its end; retry on a commit conflict and when its commit was undone.

        Raises trino.exceptions.Error, CancelledError and ReplacedError.
        """
        for _ in range(ATTEMPTS):
            result = self.run_unchecked(statement)
            if not self.undone([(statement, result)]):
                return result
        raise ReplacedError(f"{statement.merged_table}: a change of the table undid what was written, {ATTEMPTS} times")

    def run_unchecked(self, statement: Statement) -> Result:
        """Run the statement to its end; retry on a commit conflict. Whether it was undone is left to `undone`."""
        return run_with_retries(self._run_once, statement, RETRIED_ERRORS)

    def undone(self, done: Sequence[tuple[Statement, Result]]) -> list[Statement]:
        """Return the statements whose commit was replaced, once nothing can replace one any more.

        Trino changes columns without naming to Glue the version of the table it read: what was committed meanwhile is
        gone. So the tables are conclusive as soon as no such change runs that may have begun before.
        """
        merged = [(statement, result) for statement, result in done if statement.merged_table and result.changed_rows]
        tables = {statement.merged_table for statement, _ in merged}
        tables |= {statement.altered_table for statement, _ in done if statement.altered_table}
        url = self.info_url
        while tables and self._look("runtime/altering.sql", altering=_changes_of(tables)):
            time.sleep(ALTERING_SECONDS)
        kept: set[str] = set()
        for at in range(0, len(merged), TABLES_A_LOOK):
            some = merged[at : at + TABLES_A_LOOK]
            snapshots = sorted({f'{statement.merged_table[:-1]}$snapshots"' for statement, _ in some})
            ids = [result.query_id for _, result in some]
            found = self._look("evolution/commits.sql", snapshots=snapshots, query_ids=ids)
            kept |= {row["query_id"] for row in found}
        self.info_url = url
        lost = [(statement, result) for statement, result in merged if result.query_id not in kept]
        for _, result in lost:
            logger.warning("query %s: its commit was replaced, run again", result.query_id)
        return [statement for statement, _ in lost]

    def _look(self, path: str, **values: Any) -> list[dict[str, Any]]:
        return run_with_retries(self._run_once, render(path, None, values), RETRIED_ERRORS).rows

    def cancel(self) -> None:
        """Cancel the running statement, and refuse later ones."""
        self._is_cancelled = True
        if self._cursor is not None:
            self._cursor.cancel()

    def _run_once(self, statement: Statement) -> Result:
        if self._is_cancelled:
            raise CancelledError("cancelled")
        cursor = self._connection.cursor()
        self._cursor = cursor
        try:
            cursor.execute(statement.text, [_bindable(value) for value in statement.parameters] or None)
            rows = cursor.fetchall()
        except TrinoError:
            self._cursor = None
            raise
        finally:
            self.info_url = cursor.info_uri or self.info_url
        # Anything else that broke in, such as a time-out, leaves a query running that `cancel` must still find.
        self._cursor = None
        names = [column[0] for column in cursor.description or []]
        stats = cursor.stats or {}
        return Result(
            rows=[dict(zip(names, row, strict=True)) for row in rows],
            query_id=cursor.query_id,
            elapsed_ms=stats.get("elapsedTimeMillis", 0),
            cpu_ms=stats.get("cpuTimeMillis", 0),
            read_bytes=stats.get("physicalInputBytes", 0),
            changed_rows=max(0, cursor.rowcount),
            read_rows=stats.get("processedRows", 0),
            splits=stats.get("totalSplits", 0),
            written_bytes=stats.get("physicalWrittenBytes", 0),
            peak_bytes=stats.get("peakMemoryBytes", 0),
        )


class _FourDigitYear(datetime):
    """An instant that Trino's client can write: with glibc, `strftime` leaves out the zeros of a year before 1000."""

    def strftime(self, format: str, /) -> str:
        return super().strftime(format.replace("%Y", f"{self.year:04}"))


def _bindable(value: Any) -> Any:
    """Return the value as Trino's client can send it. Raises ValueError for a number that no bigint holds."""
    if isinstance(value, list):
        return [_bindable(item) for item in value]
    if isinstance(value, datetime):
        return _FourDigitYear.combine(value.date(), value.timetz())
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError(f"{value} cannot be bound: it has more than 64 bits")
    return value


def run_with_retries(
    run_once: Callable[[Statement], Result],
    statement: Statement,
    error_names: Collection[str],
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Return the result of `run_once`; retry after one of these errors of the engine, with growing pauses."""
    retrying = Retrying(
        retry=retry_if_exception(
            lambda error: (
                isinstance(error, TrinoQueryError)
                and (error.error_name in error_names or _ALTERED_MEANWHILE in str(error.message))
            )
        ),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=1, max=30),
        sleep=sleep,
        before_sleep=lambda state: logger.info("retried: %s", state.outcome and state.outcome.exception()),
        reraise=True,
    )
    result: Result = retrying(run_once, statement)
    return result


def _changes_of(tables: Collection[str]) -> str:
    """Return a regular expression for statements that change columns of a table of one of these names."""
    names = sorted(re.escape(table.replace('"', "").rpartition(".")[2]) for table in tables)
    return rf"(?is)^(/\*.*?\*/)?\s*(alter|comment)\s.*\b({'|'.join(names)})\b"


def query_url(info_url: str, ui: str) -> str:
    """Return the address of a query's page for a browser: below the base address `ui`, else as Trino returns it.

    Trino names itself as its client called it, which a browser elsewhere may not reach.
    """
    if not info_url or not ui:
        return info_url
    address = urlsplit(info_url)
    return ui.rstrip("/") + info_url.removeprefix(f"{address.scheme}://{address.netloc}")
