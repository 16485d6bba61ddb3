"""Rebuild the tables of single events from `events`, by the current tracking plan: no staged object is read.

Rows are written, tables never altered. That is left to load_events: docs/adr/0016-table-evolution.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clickstream.engine.evolution import Run, present_shapes
from clickstream.engine.table_shape import changes
from clickstream.form import FormError, read_from_to, require_short
from clickstream.plan.file import TrackingPlan
from clickstream.plan.typed_tables import Filled, RunEach, load
from clickstream.settings import Settings
from clickstream.window import Bounds, Window, days


class PendingChangesError(RuntimeError):
    """Tables do not match the plan yet; the message says what load_events will change in which."""


@dataclass(frozen=True)
class RebuildRequest:
    """Which messages, by received_at, and of which event: its name or table, '' for every live one."""

    window: Window
    event: str = ""


def read_rebuild_request(params: Mapping[str, Any]) -> RebuildRequest:
    """Return the form's values `from`, `to` and `event`, checked. Raises FormError, naming the value."""
    start, end = read_from_to(params)
    if start is None or end is None:
        raise FormError("from and to: give both, the time whose rows are rebuilt")
    window = Window(start, end)
    require_short(window)
    event = params.get("event") or ""
    if not isinstance(event, str):
        raise FormError(f"event={event!r}: must be the name of an event, or its table")
    return RebuildRequest(window, event)


def chosen(plan: TrackingPlan, event: str) -> TrackingPlan:
    """Return the plan's live events, or the one with this name or table. Raises FormError when there is none."""
    events = tuple(one for one in plan.live if event in ("", one.name, one.table))
    if not events:
        raise FormError(f"event={event!r}: no live event of the tracking plan has this name or table")
    return TrackingPlan(events)


def require_current(run: Run, plan: TrackingPlan, settings: Settings) -> None:
    """Raise PendingChangesError unless every table matches the plan; DestructiveChangeError as a load does.

    A load then has nothing to alter, unless another plan is deployed meanwhile.
    """
    present = present_shapes(run, settings, [settings.events_database])
    wanted = {(settings.events_database, event.table): event.shape for event in plan.live}
    pending = [f"create {'.'.join(table)}" for table in wanted if table not in present]
    pending += [change.text for change in changes(wanted, present)]
    if pending:
        raise PendingChangesError("\n".join([*pending, "The next run of load_events does this: rebuild after it"]))


def rebuild(
    run: Run, run_each: RunEach, plan: TrackingPlan, run_id: str, now: datetime, window: Window
) -> Iterator[tuple[Window, Filled]]:
    """Rebuild day by day, and return what was filled of each.

    Run again after a failure, the same rows remain. Raises trino.exceptions.Error and TypedRowsError.
    """
    values = {"run_id": run_id, "now": now}
    for day in days(window):
        received = Bounds(day.closed.start, day.closed.end)
        yield day, load(run, run_each, plan, values, received, again=True)
