"""What a run of load_events would do, worked out without writing to the tables that people query."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from clickstream.engine.spent import format_dollars
from clickstream.load.cost import RECENT
from clickstream.load.manifest import Manifest
from clickstream.plan.file import TrackingPlan


@dataclass(frozen=True)
class Preview:
    """Counts of what would happen, named as in the run report of the load itself.

    `people`: distinct users or devices whose messages are in it; `partition_hours`: hours of received_at touched;
    `tables`: of single events, that would get rows; `sessions_touched`: sessions there that would be modelled again;
    `forecast_dollars`: by what recent runs cost, None when there are none.
    """

    run_id: str
    objects: int
    bytes: int
    rows_read: int
    rows_loaded: int
    rows_duplicate: int
    rows_rejected: int
    rows_updated: int
    people: int
    partition_hours: int
    first_received_at: datetime | None
    last_received_at: datetime | None
    tables: tuple[str, ...]
    sessions_touched: int
    forecast_dollars: float | None = None

    def text(self) -> str:
        """Return the preview as a person reads it."""
        updated = f" ({self.rows_updated} differ and would be updated)" if self.rows_updated else ""
        lines = [
            "DRY RUN: nothing is written to the tables",
            f"objects     {self.objects} ({self.bytes:,} bytes)",
            f"rows read   {self.rows_read}",
            f"= new       {self.rows_loaded}",
            f"+ duplicate {self.rows_duplicate}{updated}",
            f"+ rejected  {self.rows_rejected}",
            f"touches     {self.partition_hours} hourly partitions of events, {self.people} users or devices",
            f"models      {self.sessions_touched} sessions again, and those that begin",
            f"fills       {', '.join(self.tables) or 'no table of a single event'}",
        ]
        if self.first_received_at and self.last_received_at:
            first, last = (f"{at:%Y-%m-%d %H:%M:%S}" for at in (self.first_received_at, self.last_received_at))
            lines.append(f"received    {first} to {last} UTC")
        if self.forecast_dollars is not None:
            lines.append(f"costs       some {format_dollars(self.forecast_dollars)}, by the runs of {RECENT.days} days")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON values, instants in ISO 8601."""
        return {
            **asdict(self),
            "tables": list(self.tables),
            "first_received_at": self.first_received_at and self.first_received_at.isoformat(),
            "last_received_at": self.last_received_at and self.last_received_at.isoformat(),
        }


def preview_from_row(taken: Manifest, row: Mapping[str, Any], plan: TrackingPlan, sessions_touched: int) -> Preview:
    """Return the preview in a row of work/batch/preview.sql."""
    duplicate = row["rows_read"] - row["rows_rejected"] - row["rows_new"]
    return Preview(
        taken.run_id,
        len(taken.objects),
        sum(taken.bytes),
        row["rows_read"],
        row["rows_new"],
        duplicate,
        row["rows_rejected"],
        row["rows_changed"],
        row["people"],
        row["partition_hours"],
        row["first_received_at"],
        row["last_received_at"],
        tables=tuple(sorted(event.table for event in plan.live if set(event.slugs) & set(json.loads(row["tracked"])))),
        sessions_touched=sessions_touched,
    )
