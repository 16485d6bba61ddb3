"""What one run of load_events has to load, from how it was started and the values of its form."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clickstream.form import FormError, read_choice, read_flag, read_span
from clickstream.window import LONGEST, Window

SOURCES = ("auto", "staging", "archive")


@dataclass(frozen=True)
class LoadRequest:
    """What to load.

    `window`: of which time; None is all that is staged and not yet loaded. `source`: one of SOURCES. `rebuild`: also
    update rows that are there. `dry_run`: only say what would happen.
    """

    window: Window | None = None
    source: str = "auto"
    rebuild: bool = False
    dry_run: bool = False


def read_request(
    run_type: str, interval: tuple[datetime | None, datetime | None], params: Mapping[str, Any]
) -> LoadRequest:
    """Read the request of a run: its type, data interval and params `from`, `to`, `source`, `rebuild`, `dry_run`.

    A backfill loads its interval. Any other run loads from..to, or when both are empty, all that is not loaded.
    Raises FormError, naming the value.
    """
    if "rederive" in params:
        raise FormError("rederive: its name is rebuild now")
    start, end = read_span(params)
    source = read_choice(params, "source", SOURCES)
    rebuild, dry_run = read_flag(params, "rebuild", False), read_flag(params, "dry_run", False)
    if run_type == "backfill":
        if start is not None or end is not None:
            raise FormError("from and to: a backfill has its own range, leave them empty")
        start, end = interval
        if start is None or end is None or start >= end:
            raise FormError("the backfill run has no data interval")
    if start is not None and end is not None:
        if end - start > LONGEST:
            raise FormError(f"from and to: {(end - start).days} days, at most {LONGEST.days} in one run")
        return LoadRequest(Window(start, end), source, rebuild, dry_run)
    if start is not None or end is not None:
        raise FormError(f"{'to' if end is None else 'from'} is empty: give both from and to, or neither")
    if rebuild:
        raise FormError("rebuild=True: needs from and to, the range whose rows are rebuilt")
    if source == "archive":
        raise FormError("source='archive': needs from and to, the range to read from the archive")
    return LoadRequest(None, source, rebuild, dry_run)
