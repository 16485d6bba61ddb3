"""What a command does now: on a terminal one line that changes, elsewhere a line every few seconds."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

EVERY = 5.0
"""Seconds between two lines where there is no terminal."""


@contextmanager
def progress(console: Console, clock: Callable[[], float] = time.monotonic) -> Iterator[Callable[[str], None]]:
    """Give the function to report with. A step shorter than EVERY seconds writes nothing into a file."""
    if console.is_terminal:
        with console.status("starting") as status:
            yield status.update
        return
    written = clock()

    def report(text: str) -> None:
        nonlocal written
        if clock() - written >= EVERY:
            written = clock()
            console.print(f"  ... {text}")

    yield report
