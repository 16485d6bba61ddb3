"""Values of a trigger form, checked again: a run's conf can hold anything, whatever the form would have let through."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from clickstream.window import LONGEST, Window


class FormError(ValueError):
    """A value of the form cannot be used; the message names it and what it must be."""


def read_choice(params: Mapping[str, Any], name: str, choices: Collection[str]) -> str:
    """Return one of `choices`. Raises FormError."""
    given = params.get(name)
    if not isinstance(given, str) or given not in choices:
        raise FormError(f"{name}={given!r}: must be {' or '.join(choices)}")
    return given


def read_flag(params: Mapping[str, Any], name: str, default: bool) -> bool:
    """Read true or false, not a word for it. Raises FormError."""
    given = params.get(name, default)
    if type(given) is not bool:
        raise FormError(f"{name}={given!r}: must be true or false")
    return given


def read_whole(params: Mapping[str, Any], name: str, least: int, most: int) -> int:
    """Return a whole number from `least` to `most`, not a text of one. Raises FormError."""
    given = params.get(name)
    if type(given) is not int or not least <= given <= most:
        raise FormError(f"{name}={given!r}: must be a whole number, {least:,} to {most:,}")
    return given


def read_instant(params: Mapping[str, Any], name: str) -> datetime | None:
    """Return an instant with its offset, from ISO 8601; None when it is left empty. Raises FormError."""
    given = params.get(name)
    if given is None or given == "":
        return None
    try:
        instant = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        raise FormError(f"{name}={given!r}: must be a date and time, as 2026-11-24T05:00:00Z") from None
    if instant.tzinfo is None:
        raise FormError(f"{name}={given!r}: must have an offset, as 2026-11-24T05:00:00Z")
    try:
        # Whatever goes through its hours and days looks a day ahead.
        instant.astimezone(UTC) + timedelta(days=1)
    except OverflowError:
        raise FormError(f"{name}={given!r}: is too near the end of the calendar") from None
    return instant


def read_from_to(params: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """Read `from` and `to`, each open when empty. Raises FormError, also when they are the wrong way round."""
    start, end = read_instant(params, "from"), read_instant(params, "to")
    if start is not None and end is not None and start >= end:
        raise FormError(f"from={start.isoformat()}: must be before to={end.isoformat()}")
    return start, end


def read_window(params: Mapping[str, Any]) -> Window | None:
    """Read `from` and `to`, which are given both or left empty both: then None. Raises FormError."""
    start, end = read_from_to(params)
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise FormError(f"{'to' if end is None else 'from'} is empty: give both from and to, or neither")
    return Window(start, end)


def require_short(window: Window) -> None:
    """Raise FormError when one run cannot take so long a time."""
    length = window.end - window.start
    if length > LONGEST:
        raise FormError(f"from and to: {length.days} days, at most {LONGEST.days} in one run")
