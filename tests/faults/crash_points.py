"""Lets a task die at one of the calls that it makes to Trino or AWS, before the call is sent or after its answer.

Everything a task changes, it changes by such a call; so these are all the points at which its death can matter.
"""

from typing import Any, Literal

import pytest
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from clickstream.engine.query import QueryRunner, Result
from clickstream.engine.sql import Statement
from tests.faults.figures import FIGURES

Moment = Literal["before", "after"]


class CrashError(BaseException):
    """The process died here. No `except Exception` of the code under test sees it, as none sees a kill."""


class CrashPoints:
    """Counts calls, from 0; dies at the one that `crash_at` names. `calls` has what was sent: SQL, and AWS actions."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.crashes = 0
        self._at: int | None = None
        self._moment: Moment = "before"
        run, connect = QueryRunner.run, AwsBaseHook.get_conn

        def crashing_run(runner: QueryRunner, statement: Statement) -> Result:
            name = " ".join(statement.text.split()[:4])
            self._pass(name, "before")
            result = run(runner, statement)
            self._pass(name, "after")
            return result

        def crashing_connect(hook: Any) -> Any:
            client = connect(hook)
            client.meta.events.register("before-call", lambda model, **_: self._pass(model.name, "before"))
            client.meta.events.register("after-call", lambda model, **_: self._pass(model.name, "after"))
            return client

        patch.setattr(QueryRunner, "run", crashing_run)
        patch.setattr(AwsBaseHook, "get_conn", crashing_connect)

    def crash_at(self, number: int | None, moment: Moment = "before") -> None:
        """Begin to count anew; die at that call, or never."""
        self.calls = []
        self._at, self._moment = number, moment

    def _pass(self, name: str, moment: Moment) -> None:
        if moment == "before":
            self.calls.append(name)
        if self._at == len(self.calls) - 1 and self._moment == moment:
            self.crashes += 1
            FIGURES.faults["crash"] += 1
            raise CrashError(f"{moment} {name}")
