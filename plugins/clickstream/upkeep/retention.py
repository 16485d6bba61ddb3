"""Remove the rows of a table that were kept for as long as they may be: docs/retention.md.

The clock is the column `after` of the table's `retention`, the boundary a start of a day: nothing younger can go.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from clickstream.engine.evolution import Run
from clickstream.engine.retention import is_lake_table, kept_since
from clickstream.engine.table_shape import Name
from clickstream.engine.tables import Table
from clickstream.watch.alarms import REJECTS_NEAR_END
from clickstream.window import DAY, Window

WARNED_FOR = timedelta(days=7)
"""How long the alarm has been open before a rejected line goes that was not sent again."""

MOST_DAYS = 400
"""Days of rows that one run removes of a table, the oldest: after a team sets a number, the next run goes on."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Removed:
    """What was removed of a table: rows of how many days before `until`. Where a row stays, its value counts."""

    table: str
    rows: int = 0
    days: int = 0
    until: datetime | None = None

    def text(self) -> str:
        """Return one line for a log."""
        if not self.rows:
            return f"{self.table}: nothing is older than it is kept"
        return f"{self.table}: removed {self.rows:,} rows of {self.days} days before {self.until:%Y-%m-%d}"


def remove_past(run: Run, name: Name, table: Table, days: int, now: datetime) -> Removed:
    """Remove the rows, or the values in them, that are older than `days`; the second time, nothing.

    Raises trino.exceptions.TrinoQueryError.
    """
    values = {"altered": name, "table": table, "keeps_unsettled": _keeps_unsettled(run, table, now)}
    since = kept_since(now, days)
    rows = run("maintenance/past.sql", **values, until=since, day_limit=MOST_DAYS).rows
    if not rows:
        return Removed(name[1])
    until = since if len(rows) < MOST_DAYS else min(since, rows[-1]["past_day"] + DAY)
    run(f"maintenance/{'blank' if table.retention.blank else 'remove'}_past.sql", **values, until=until)
    if not _goes_whole(table):
        _rewrite(run, name, table, until)
    return Removed(name[1], sum(row["past_rows"] for row in rows), len(rows), until)


def is_warned(opened_at: datetime | None, now: datetime) -> bool:
    """Return whether the alarm about rejected lines has been open for long enough."""
    return opened_at is not None and now - opened_at >= WARNED_FOR


def _keeps_unsettled(run: Run, table: Table, now: datetime) -> bool:
    if table.name != "rejects" or not is_lake_table(table):
        return False
    (row,) = run("lake/alarms/open_since.sql", alarm_name=REJECTS_NEAR_END, seen_since=now - DAY).rows
    return not is_warned(row["opened_at"], now)


def _goes_whole(table: Table) -> bool:
    """Return whether what goes is whole partitions."""
    part = table.partitioned_by
    return part is not None and part.column == table.retention.after and not table.retention.blank


def _rewrite(run: Run, name: Name, table: Table, until: datetime) -> None:
    """Write the files anew that rows were removed from: a large file would keep them, marked as deleted."""
    column = table.partitioned_by.column if table.partitioned_by else None
    run("maintenance/rewrite.sql", altered=name, partition_column=column, span=Window(_EPOCH, until))
