"""Keep the lake tables small: compact, expire snapshots, remove orphan files, and drop abandoned batches.

Nothing here changes what a query returns; upkeep/retention.py does.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from clickstream.engine.query import Result
from clickstream.engine.sql import is_batch_table
from clickstream.engine.table_shape import Name
from clickstream.engine.tables import Partitioning

# Runs a file of include/sql with these values.
Run = Callable[..., Result]

# Younger than this, a partition may still be written by the hourly load.
SETTLED_AFTER = timedelta(hours=2)
STRAY_AFTER = timedelta(days=1)
# How long a snapshot stays. Trino refuses less.
SHORTEST_RETENTION_DAYS, LONGEST_RETENTION_DAYS = 7, 365

DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class TableFigures:
    """What a table weighs: files, their bytes, snapshots."""

    files: int
    bytes: int
    snapshots: int

    def text(self) -> str:
        """Return one line for a log."""
        return f"{self.files} files, {self.bytes:,} bytes, {self.snapshots} snapshots"


@dataclass(frozen=True)
class Upkeep:
    """What one table weighed before and after, and what was done to it."""

    table: str
    before: TableFigures
    after: TableFigures
    rewritten_files: int
    orphan_files: int

    def text(self) -> str:
        """Return the report as a person reads it."""
        return (
            f"{self.table}: before {self.before.text()}; after {self.after.text()}; "
            f"{self.rewritten_files} files rewritten, {self.orphan_files} orphan files deleted"
        )

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON values."""
        return asdict(self)


def closed_before(now: datetime, span: timedelta) -> datetime:
    """Return the latest boundary of partitions of `span` before which no load is expected to write any more."""
    settled = now - SETTLED_AFTER
    return settled - (settled - _EPOCH) % span


def maintain(run: Run, table: Name, partitioning: Partitioning | None, now: datetime, retention: timedelta) -> Upkeep:
    """Compact the closed partitions of one table, expire its snapshots, then remove orphan files.

    Orphans last: expiry itself leaves files without a snapshot. Raises trino.exceptions.TrinoQueryError.
    """
    before = _figures(run, table)
    rewritten = run(
        "maintenance/compact.sql",
        altered=table,
        partition_column=partitioning.column if partitioning else None,
        closed_before=closed_before(now, partitioning.span if partitioning else DAY),
    )
    run("maintenance/expire_snapshots.sql", altered=table, retention=retention)
    removed = run("maintenance/remove_orphan_files.sql", altered=table, retention=retention)
    return Upkeep(
        table[1],
        before,
        _figures(run, table),
        rewritten_files=_metric(rewritten, "rewritten_data_files_count"),
        orphan_files=_metric(removed, "deleted_files_count"),
    )


def stray_batches(changed: Iterable[tuple[str, datetime]], now: datetime) -> list[str]:
    """Return the abandoned batches among the tables of the work schema, each with its last write."""
    return sorted(name for name, at in changed if is_batch_table(name) and now - at > STRAY_AFTER)


def _figures(run: Run, table: Name) -> TableFigures:
    return TableFigures(**run("maintenance/figures.sql", altered=table).rows[0])


def _metric(result: Result, name: str) -> int:
    return sum(row["metric_value"] for row in result.rows if row["metric_name"] == name)
