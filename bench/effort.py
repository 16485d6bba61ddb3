"""How much a benchmark does."""

from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")


class Effort(StrEnum):
    """QUICK: little data, once: do the ways give the same? USUAL: all in half an hour. FULL: as the page has it."""

    QUICK = "quick"
    USUAL = "usual"
    FULL = "full"

    def choose(self, quick: T, usual: T, full: T) -> T:
        """Return the one of the three that this effort takes."""
        return {Effort.QUICK: quick, Effort.USUAL: usual, Effort.FULL: full}[self]
