"""What one run of load_events has to load, from how it was started and the values of its form."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clickstream.form import FormError, read_choice, read_flag, read_from_to, read_window, require_short
from clickstream.window import Window

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


def read_load_request(
    run_type: str, interval: tuple[datetime | None, datetime | None], params: Mapping[str, Any]
) -> LoadRequest:
    """Read the request of a run: its type, data interval and params `from`, `to`, `source`, `rebuild`, `dry_run`.

    A backfill loads its interval. Any other run loads from..to, or when both are empty, all that is not loaded.
    Raises FormError, naming the value.
    """
    if "rederive" in params:
        raise FormError("rederive: its name is rebuild now")
    window = _backfilled(interval, params) if run_type == "backfill" else read_window(params)
    source = read_choice(params, "source", SOURCES)
    rebuild, dry_run = read_flag(params, "rebuild", False), read_flag(params, "dry_run", False)
    if window is not None:
        require_short(window)
    elif rebuild:
        raise FormError("rebuild=True: needs from and to, the range whose rows are rebuilt")
    elif source == "archive":
        raise FormError("source='archive': needs from and to, the range to read from the archive")
    return LoadRequest(window, source, rebuild, dry_run)


def _backfilled(interval: tuple[datetime | None, datetime | None], params: Mapping[str, Any]) -> Window:
    if read_from_to(params) != (None, None):
        raise FormError("from and to: a backfill has its own range, leave them empty")
    start, end = interval
    if start is None or end is None or start >= end:
        raise FormError("the backfill run has no data interval")
    return Window(start, end)
