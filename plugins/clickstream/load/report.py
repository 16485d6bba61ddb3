"""What one run of load_events did, and whether it adds up."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from clickstream.engine.spent import Spent, format_dollars


@dataclass(frozen=True)
class RunReport:
    """Counts of one run over all its objects, from the ledger. Every line read is in one of the three.

    `violations_by_event`: `messages` loaded, and how many of them are `violating` the tracking plan, for each event of
    which some are. `tables_failed`: the reason of each event's table that could not be filled. `dollars`: of what was
    `spent` up to the report; `forecast_dollars`: by the runs before it, None where there are none or nobody asked.
    `seconds`: from the start of the run to the report, None where that is not known.
    """

    run_id: str
    objects: int = 0
    bytes: int = 0
    rows_read: int = 0
    rows_loaded: int = 0
    rows_duplicate: int = 0
    rows_rejected: int = 0
    rejected_by_reason: Mapping[str, int] = field(default_factory=dict)
    first_received_at: datetime | None = None
    last_received_at: datetime | None = None
    objects_unread: int = 0
    values_discarded: int = 0
    rows_updated: int = 0
    rows_by_delay: Mapping[str, int] = field(default_factory=dict)
    violations_by_event: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    tables_failed: Mapping[str, str] = field(default_factory=dict)
    spent: Spent = field(default_factory=Spent)
    dollars: float = 0.0
    forecast_dollars: float | None = None
    seconds: float | None = None

    @property
    def unaccounted(self) -> int:
        """Lines read that are neither loaded, nor duplicate, nor rejected. Anything but 0 is a fault."""
        return self.rows_read - self.rows_loaded - self.rows_duplicate - self.rows_rejected

    @property
    def adds_up(self) -> bool:
        """Whether every line has its place, and no object with content read as nothing."""
        return self.unaccounted == 0 and self.objects_unread == 0

    @property
    def reasons_json(self) -> str:
        """The rejected lines by reason, as JSON text."""
        return json.dumps(dict(self.rejected_by_reason), sort_keys=True)

    @property
    def delays_json(self) -> str:
        """The loaded rows by how late they came, as JSON text."""
        return json.dumps(dict(self.rows_by_delay), sort_keys=True)

    @property
    def violations_json(self) -> str:
        """The violating messages by event, as JSON text."""
        return json.dumps({event: dict(counts) for event, counts in self.violations_by_event.items()}, sort_keys=True)

    @property
    def failures_json(self) -> str:
        """The tables that could not be filled, with the reason, as JSON text."""
        return json.dumps(dict(self.tables_failed), sort_keys=True, ensure_ascii=False)

    def text(self) -> str:
        """Return the report as a person reads it."""
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(self.rejected_by_reason.items()))
        lines = [
            f"run         {self.run_id}",
            f"objects     {self.objects} ({self.bytes:,} bytes)",
            f"rows read   {self.rows_read}",
            f"= loaded    {self.rows_loaded}",
            f"+ duplicate {self.rows_duplicate}" + (f" ({self.rows_updated} updated)" if self.rows_updated else ""),
            f"+ rejected  {self.rows_rejected}" + (f" ({reasons})" if reasons else ""),
        ]
        if self.first_received_at and self.last_received_at:
            first, last = (f"{at:%Y-%m-%d %H:%M:%S}" for at in (self.first_received_at, self.last_received_at))
            lines.append(f"received    {first} to {last} UTC")
        if self.rows_by_delay:
            delays = ", ".join(f"{delay} {count}" for delay, count in sorted(self.rows_by_delay.items()))
            lines.append(f"delay       {delays}")
        if self.values_discarded:
            lines.append(f"discards    {self.values_discarded} values that did not fit their column")
        lines += self._violation_lines()
        lines += self._cost_lines()
        lines += [f"NOT FILLED  {table}: {reason}" for table, reason in sorted(self.tables_failed.items())]
        if self.objects_unread:
            lines.append(
                f"DOES NOT ADD UP: {self.objects_unread} objects have content but no line was read: "
                "is the table lines over another folder?"
            )
        if self.unaccounted:
            lines.append(f"DOES NOT ADD UP: {self.unaccounted} rows are nowhere")
        return "\n".join(lines)

    def _violation_lines(self) -> list[str]:
        """Return the events that break rules, the highest rate first."""
        rates = {event: counts["violating"] / counts["messages"] for event, counts in self.violations_by_event.items()}
        return [
            f"violations  {event}: {counts['violating']} of {counts['messages']} messages ({rates[event]:.1%})"
            for event, counts in sorted(self.violations_by_event.items(), key=lambda item: (-rates[item[0]], item[0]))
        ]

    def _cost_lines(self) -> list[str]:
        if not self.spent.queries:
            return []
        spent = self.spent
        lines = [
            f"cost        {format_dollars(self.dollars)} at list prices: {spent.queries} queries, "
            f"{spent.cpu_seconds:.1f} s of CPU, {spent.bytes_read:,} bytes read, {spent.bytes_written:,} written, "
            f"{spent.tries} tries of tasks"
        ]
        if self.forecast_dollars:
            off = self.dollars / self.forecast_dollars - 1
            lines.append(
                f"forecast    {format_dollars(self.forecast_dollars)} by the runs before it; it cost {off:+.0%}"
            )
        return lines

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON values, instants in ISO 8601."""
        return {
            "run_id": self.run_id,
            "objects": self.objects,
            "bytes": self.bytes,
            "rows_read": self.rows_read,
            "rows_loaded": self.rows_loaded,
            "rows_duplicate": self.rows_duplicate,
            "rows_rejected": self.rows_rejected,
            "rejected_by_reason": dict(self.rejected_by_reason),
            "first_received_at": self.first_received_at and self.first_received_at.isoformat(),
            "last_received_at": self.last_received_at and self.last_received_at.isoformat(),
            "objects_unread": self.objects_unread,
            "values_discarded": self.values_discarded,
            "rows_updated": self.rows_updated,
            "rows_by_delay": dict(self.rows_by_delay),
            "violations_by_event": {event: dict(counts) for event, counts in self.violations_by_event.items()},
            "tables_failed": dict(self.tables_failed),
            "spent": self.spent.to_dict(),
            "dollars": self.dollars,
            "forecast_dollars": self.forecast_dollars,
            "seconds": self.seconds,
        }


def report_from_row(
    run_id: str, row: Mapping[str, Any], rows_by_delay: str | None = None, violations_by_event: str | None = None
) -> RunReport:
    """Return the report from a row of lake/load_ledger/report.sql, with lateness.sql and violations/by_event.sql."""
    counts = {
        "rejected_by_reason": row["rejected_by_reason"],
        "rows_by_delay": rows_by_delay,
        "violations_by_event": violations_by_event,
    }
    return RunReport(run_id, **{**row, **{name: json.loads(text or "{}") for name, text in counts.items()}})
