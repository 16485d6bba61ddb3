"""What is usual at an hour of the week, from the same hours of past weeks, and what is not."""

import math
from collections.abc import Sequence
from enum import StrEnum

HOURS = 24
"""Hours that are judged, and drawn."""

WEEKS = 4
"""Past weeks whose same hours say what is usual."""

FEWEST_WEEKS = 2
"""Past weeks that are needed: one alone may have been unusual itself."""

FILLING = 1
"""Hours at the end that are not judged: their last messages may be loaded only by the next run."""


class Verdict(StrEnum):
    """How the latest full hour compares with the same hour of past weeks."""

    SILENT = "silent"
    LOW = "below usual"
    HIGH = "above usual"
    USUAL = "usual"
    FEW = "too few to judge"
    UNKNOWN = "no past weeks"


def usual(past: Sequence[int]) -> tuple[int, int]:
    """Return the fewest and the most messages that are usual in an hour which had `past` of them in past weeks.

    Counts of independent messages vary by their square root: the band is wider by twice that on either side.
    """
    least, most = min(past), max(past)
    return max(0, math.floor(least - 2 * math.sqrt(least))), math.ceil(most + 2 * math.sqrt(most)) + 1


def judge(hours: Sequence[int], low: Sequence[int], high: Sequence[int]) -> Verdict:
    """Judge the latest hour that is complete; the three lists are of the same hours, the oldest first.

    An hour of none in which none is usual too says nothing: it is FEW.
    """
    if not low:
        return Verdict.UNKNOWN
    count, least, most = (values[-1 - FILLING] for values in (hours, low, high))
    if count < least:
        return Verdict.LOW if count else Verdict.SILENT
    if not count:
        return Verdict.FEW
    return Verdict.HIGH if count > most else Verdict.USUAL


def silent_hours(hours: Sequence[int]) -> int:
    """Return how many complete hours at the end have no message."""
    complete = hours[: len(hours) - FILLING]
    return next((number for number, count in enumerate(reversed(complete)) if count), len(complete))
