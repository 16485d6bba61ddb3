"""A connection to Trino that answers from a table of texts and keeps what it was sent."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trino.exceptions import TrinoQueryError, TrinoUserError

Rows = Sequence[Mapping[str, Any]]
Answer = Rows | Exception | Callable[["FakeCursor"], Rows]


def query_error(name: str, kind: str = "EXTERNAL") -> TrinoQueryError:
    """The exception that the client raises for an error of this name and type."""
    return TrinoQueryError({"errorName": name, "errorType": kind, "message": name}, "20261124_000000_00000_test")


def cancelled() -> TrinoUserError:
    """What a query raises that was cancelled."""
    return TrinoUserError({"errorName": "USER_CANCELED", "errorType": "USER_ERROR", "message": "Query was canceled"})


class FakeCursor:
    """As trino.dbapi.Cursor: a query runs from `execute` on."""

    query_id = "20261124_000000_00001_test"
    info_uri = "http://trino:8080/ui#/queries/20261124_000000_00001_test"
    stats: Mapping[str, int] | None
    rowcount = -1

    def __init__(self, connection: "FakeTrino") -> None:
        self._connection = connection
        self._rows: Rows = []
        self.is_cancelled = False
        self.stats = {"elapsedTimeMillis": 1_500, "cpuTimeMillis": 250, "physicalInputBytes": 2_048}

    @property
    def description(self) -> list[tuple[str, ...]] | None:
        return [(name, "varchar") for name in self._rows[0]] if self._rows else None

    def execute(self, operation: str, params: Any = None) -> "FakeCursor":
        self._connection.executed.append((operation, params))
        answer = self._connection.answer_to(operation)
        if isinstance(answer, Exception):
            raise answer
        self._rows = answer(self) if callable(answer) else answer
        return self

    def fetchall(self) -> list[list[Any]]:
        return [list(row.values()) for row in self._rows]

    def cancel(self) -> None:
        self.is_cancelled = True


class FakeTrino:
    """`answers` maps a part of a statement's text to its answers, given in turn, the last one again and again."""

    def __init__(self, answers: Mapping[str, Sequence[Answer]] | None = None) -> None:
        self._answers = {part: list(given) for part, given in (answers or {}).items()}
        self.executed: list[tuple[str, Any]] = []
        self.cursors: list[FakeCursor] = []

    def cursor(self) -> FakeCursor:
        self.cursors.append(FakeCursor(self))
        return self.cursors[-1]

    def answer_to(self, operation: str) -> Answer:
        for part, given in self._answers.items():
            if part in operation:
                return given.pop(0) if len(given) > 1 else given[0]
        return []
