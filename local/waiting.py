"""Waits that end when nothing has moved for long, and not when a time is over: the machine may be slow or busy."""

import time
from collections.abc import Callable

from local.places import LocalError

LONGEST = 3600.0
"""Seconds after which a wait ends although something moves."""

Report = Callable[[str], None]
"""Takes a line for a person: what is done, or what is being waited for."""

Look = Callable[[], tuple[bool, str]]
"""Returns whether the thing is there, and how far it is: a text that changes whenever something moves."""


def wait_for(
    what: str,
    look: Look,
    report: Report,
    patience: float,
    where: str,
    pause: float = 0.3,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return when `look` says that the thing is there; report how far it is.

    `what` names the thing, `where` says where to look when it does not come, `pause` is in seconds. Raises LocalError
    when nothing has moved for `patience` seconds, and after LONGEST.
    """
    began = moved = clock()
    before = None
    while True:
        is_there, state = look()
        if is_there:
            return
        now = clock()
        if state != before:
            before, moved = state, now
            report(f"{what}: {state}")
        if now - moved > patience:
            raise LocalError(f"{what}: nothing has moved for {patience:.0f} s ({state}): {where}")
        if now - began > LONGEST:
            raise LocalError(f"{what}: not done after {LONGEST:.0f} s ({state}): {where}")
        sleep(pause)
