"""Why a statement failed, and which of the things that it reads is the reason."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from trino.exceptions import TrinoQueryError

logger = logging.getLogger(__name__)

# What Trino raises for a statement that fails on a value, among other things that have another reason.
_INTERNAL_ERRORS = frozenset({"GENERIC_INTERNAL_ERROR", "COMPILER_ERROR", "FUNCTION_IMPLEMENTATION_ERROR"})
_CANCELLED = frozenset({"USER_CANCELED", "ADMINISTRATIVELY_KILLED", "ADMINISTRATIVELY_PREEMPTED"})

Item = TypeVar("Item")


def may_be_of_data(error_name: str, error_type: str) -> bool:
    """Whether what a statement reads may be the reason of its error, and no lost connection, conflict or full cluster.

    Only a test tells: the statement must fail again on some objects, and not on none.
    """
    return error_name in _INTERNAL_ERRORS or (error_type == "USER_ERROR" and error_name not in _CANCELLED)


def told(error: TrinoQueryError) -> str:
    """Tell the error by its name and query. The engine's message goes to the log only: it may quote what was sent."""
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
