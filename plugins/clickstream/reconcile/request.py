"""What one run of reconcile_archive compares and heals; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clickstream.form import FormError, read_flag, read_whole, read_window
from clickstream.watch.alarms import ReconciledHour
from clickstream.window import DAY, HOUR, Window, full_hour, joined

LONGEST_DAYS = 31
"""Days that one run compares, at most: each is read by statements of its own."""

MOST_HOURS = 24
"""Hours that a run heals, unless its form says otherwise."""

AGAIN_FOR = timedelta(days=7)
"""How long an hour that differs is compared again by the scheduled runs."""

MOST_AGAIN = 24
"""Hours that a run compares again: the latest in which something is missing, then the latest with late messages."""

LARGE_PERCENT = 10
"""The share of an hour's messages above which it is not healed before a person looked."""


@dataclass(frozen=True)
class ReconcileRequest:
    """`window`: which hours, whole; None for the UTC day before the run. `dry_run`: only say what healing would load.

    `most_hours`: how many hours are healed, at most. `large`: those too of which more than LARGE_PERCENT is missing.
    """

    window: Window | None
    dry_run: bool
    most_hours: int
    large: bool


def read_reconcile_request(params: Mapping[str, Any]) -> ReconcileRequest:
    """Read the form of a run. Raises FormError."""
    window = read_window(params)
    if window is not None:
        window = Window(full_hour(window.start), full_hour(window.end - timedelta(microseconds=1)) + HOUR)
        if window.end - window.start > DAY * LONGEST_DAYS:
            raise FormError(f"from and to: at most {LONGEST_DAYS} days in one run")
    return ReconcileRequest(
        window,
        read_flag(params, "dry_run", True),
        read_whole(params, "most_hours", 1, LONGEST_DAYS * 24),
        read_flag(params, "large", False),
    )


def reach(request: ReconcileRequest, at: datetime) -> Window:
    """Return the time in which a run of `at` heals, and looks for hours to compare again."""
    end = full_hour(at).replace(hour=0)
    return request.window or Window(end - AGAIN_FOR, end)


def windows(request: ReconcileRequest, at: datetime, before: Iterable[ReconciledHour]) -> tuple[Window, ...]:
    """Return what a run of `at` compares: of the hours `before`, those too that may have what they missed by now."""
    if request.window:
        return (request.window,)
    end = full_hour(at).replace(hour=0)
    open_hours = sorted(
        (bool(hour.missing_here or hour.missing_there), hour.received_hour)
        for hour in before
        if hour.missing_here or hour.missing_there or hour.late
    )[-MOST_AGAIN:]
    return joined([Window(end - DAY, end), *(Window(hour, hour + HOUR) for _, hour in open_hours)])


@dataclass(frozen=True)
class Healing:
    """What to load from the archive; `window` is None for nothing. `hours`: those in it that miss messages, `left`:
    those of a later run, `large`: those that a person has to look at first.
    """

    window: Window | None
    hours: tuple[datetime, ...] = ()
    left: tuple[datetime, ...] = ()
    large: tuple[datetime, ...] = ()

    def conf(self, dry_run: bool) -> dict[str, Any]:
        """Return the form of load_events that does it: a normal backfill of a range from the archive."""
        assert self.window is not None
        return {
            "from": self.window.start.isoformat(),
            "to": self.window.end.isoformat(),
            "source": "archive",
            "dry_run": dry_run,
            "rebuild": False,
        }


def _is_large(hour: ReconciledHour) -> bool:
    return hour.missing_here * 100 > hour.messages_there * LARGE_PERCENT


def plan_healing(differ: Iterable[ReconciledHour], request: ReconcileRequest) -> Healing:
    """Return the range from the first hour to heal: at most `most_hours` long, and without an hour that is too large.

    A range is one load. Hours in it that miss nothing are read again and change nothing.
    """
    missing = sorted((hour for hour in differ if hour.missing_here), key=lambda hour: hour.received_hour)
    large = () if request.large else tuple(hour.received_hour for hour in missing if _is_large(hour))
    small = [hour.received_hour for hour in missing if hour.received_hour not in large]
    if not small:
        return Healing(None, large=large)
    end = min([small[0] + HOUR * request.most_hours, *(hour for hour in large if hour > small[0])])
    chosen = [hour for hour in small if hour < end]
    return Healing(Window(chosen[0], chosen[-1] + HOUR), tuple(chosen), tuple(small[len(chosen) :]), large)
