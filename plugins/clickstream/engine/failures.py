"""Why a statement failed, and which of the things that it reads are the reason."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from trino.exceptions import TrinoQueryError

from clickstream.engine.among import Among

logger = logging.getLogger(__name__)

# What Trino raises for a statement that fails on a value, among other things that have another reason.
_INTERNAL_ERRORS = frozenset({"GENERIC_INTERNAL_ERROR", "COMPILER_ERROR", "FUNCTION_IMPLEMENTATION_ERROR"})
_CANCELLED = frozenset({"USER_CANCELED", "ADMINISTRATIVELY_KILLED", "ADMINISTRATIVELY_PREEMPTED"})

MOST_LEFT_OUT = 10
"""Messages that one try of a step leaves out. More are seldom at fault at once: somebody has to look first."""

ONES_TRIED = 50
"""Messages tried alone, where most fail, to find one with which a statement works."""

Item = TypeVar("Item")


def may_be_of_data(error_name: str, error_type: str) -> bool:
    """Return whether the data may cause a statement's error, not a lost connection, conflict or full cluster.

    Only a test decides: the statement must fail again on some objects, and run on none.
    """
    return error_name in _INTERNAL_ERRORS or (error_type == "USER_ERROR" and error_name not in _CANCELLED)


def describe(error: TrinoQueryError) -> str:
    """Describe the error by its name and query. The engine's message goes to the log only: it may quote data."""
    logger.error("%s: %s", error.error_name, error.message)
    return f"{error.error_name} (query {error.query_id})"


def first_failing(items: Sequence[Item], works: Callable[[Sequence[Item]], bool]) -> Item | None:
    """Find, by halving, an item with which it does not work; None when it works with all of them."""
    suspects = list(items)
    if works(suspects):
        return None
    while len(suspects) > 1:
        half = suspects[: len(suspects) // 2]
        suspects = suspects[len(suspects) // 2 :] if works(half) else half
    return suspects[0]


@dataclass(frozen=True)
class Failing:
    """A message with which a statement fails alone, and how."""

    among: Among
    error: TrinoQueryError


def failure_of(statement: Callable[[], object]) -> TrinoQueryError | None:
    """Run a statement; return the error that may be of what it reads. Raises any other."""
    try:
        statement()
    except TrinoQueryError as error:
        if not may_be_of_data(str(error.error_name), str(error.error_type)):
            raise
        return error
    return None


def find_failing(
    attempt: Callable[[Among], TrinoQueryError | None],
    cut: Callable[[Among], Among | None],
    whole: Among,
    error: TrinoQueryError,
) -> list[Failing]:
    """Run a statement on parts of what it reads; return the messages with which it fails again.

    `attempt` runs it on a part and returns how it failed; it may leave what it wrote. `cut` narrows a part to the keys
    that there are; None when there are none. The search ends after one message more than MOST_LEFT_OUT. Raises `error`,
    with which it failed on the whole, when it is none of some messages: it fails with no message too, or with all.
    """
    everything = cut(whole)
    if everything is None:
        raise error
    found: list[Failing] = []
    todo, did_work = [everything], False
    while todo and len(found) <= MOST_LEFT_OUT:
        part = todo.pop()
        failure = attempt(part)
        if failure and not part.is_one:
            todo += [half for half in map(cut, reversed(part.halves())) if half]
        elif failure and (again := attempt(part)):
            found.append(Failing(part, again))
        else:
            did_work = True
    if found and not everything.is_one and not did_work and not (todo and _works_with_one(attempt, cut, everything)):
        raise error
    if found and attempt(everything.beside):
        raise error
    return found


def _works_with_one(
    attempt: Callable[[Among], TrinoQueryError | None], cut: Callable[[Among], Among | None], whole: Among
) -> bool:
    """Return whether a statement works with one of some messages of a part, spread over its keys."""
    for number in range(ONES_TRIED):
        low = whole.low + (whole.high - whole.low) * number // ONES_TRIED
        part = cut(replace(whole, low=low))
        if part and attempt(replace(part, high=part.low)) is None:
            return True
    return False
