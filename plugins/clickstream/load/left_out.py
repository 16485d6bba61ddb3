"""Run a step of a load over its batch; leave out the messages with which it fails, and go on."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from trino.exceptions import TrinoQueryError

from clickstream.engine.among import Among
from clickstream.engine.evolution import Run
from clickstream.engine.failures import MOST_LEFT_OUT, Failing, describe, failure_of, find_failing
from clickstream.load.objects import LoadObjects
from clickstream.load.unreadable import copy_key

logger = logging.getLogger(__name__)

Step = Callable[[Run], Any]
"""Runs the statements of a step. They can be run again, and on a part of the batch: a MERGE writes what is missing."""


MOST_ROUNDS = 10
"""How often one try of a step looks for messages with which it fails."""


class TooManyLeftOutError(RuntimeError):
    """A try has left out as much as it may; the message says what to look at."""


def run_step(run: Run, objects: LoadObjects, name: str, step: Step, values: Mapping[str, Any]) -> Any:
    """Return what the step returns for the batch, less the messages with which it fails.

    `name` is that of the table that it writes. A message with which `events` fails becomes a rejected line, with the
    reason load_failed. One with which another step fails stays as it is, and the batch notes that this step left it
    out; of a rejected line, a copy of its object is kept under quarantine/ in the lake bucket. Where it fails with more
    than MOST_LEFT_OUT messages, all messages of their objects are left out.
    """
    return _Step(run, objects, name, step, values).run()


class _Step:
    def __init__(self, run: Run, objects: LoadObjects, name: str, step: Step, values: Mapping[str, Any]) -> None:
        self._run = run
        self._objects = objects
        self._name = name
        self._step = step
        self._values = values

    def run(self) -> Any:
        results: list[Any] = []
        failure = failure_of(lambda: results.append(self._step(self._run)))
        whole = Among(self._name)
        for _ in range(MOST_ROUNDS):
            if failure is None:
                return results[0]
            if found := find_failing(self._attempt, self._cut, whole, failure):
                self._leave_out(found)
            failure = failure_of(lambda: results.append(self._step(self._among(whole))))
        if failure is None:
            return results[0]
        raise TooManyLeftOutError(
            f"{self._name}: messages were left out {MOST_ROUNDS} times, and there are more ({describe(failure)}). "
            "Look at the queries that failed; if it is the messages, clear this task: each try leaves some out"
        )

    def _among(self, among: Among) -> Run:
        return lambda path, **values: self._run(path, **values, among=among)

    def _attempt(self, among: Among) -> TrinoQueryError | None:
        return failure_of(lambda: self._step(self._among(among)))

    def _cut(self, among: Among) -> Among | None:
        return among.cut(**self._run("work/batch/span.sql", run_id=self._values["run_id"], among=among).rows[0])

    def _leave_out(self, found: Sequence[Failing]) -> None:
        run_id, is_whole = self._values["run_id"], len(found) > MOST_LEFT_OUT
        reasons, paths, digests = {one.among.low: describe(one.error) for one in found}, set(), {}
        for key, reason in reasons.items():
            for row in self._run("work/batch/digests.sql", run_id=run_id, message_key=key).rows:
                paths.add(row["source_path"])
                digests[row["line_digest"]] = reason
            logger.error("%s leaves out a message of %s: %s", self._name, ", ".join(sorted(paths)), reason)
        first = next(iter(reasons.values()))
        if is_whole:
            logger.error("%s leaves out all messages of these objects: there are more than it looks for", self._name)
        if self._name == "events":
            # Before there are any: if this try dies in between, rejects are looked for in vain, and none is lost.
            self._objects.write_manifest(replace(self._values["manifest"], idle=()))
            some = self._values["manifest"].only(lambda item: item.path in paths)
            some = replace(some, failing={} if is_whole else digests)
            self._run("work/batch/reject.sql", run_id=run_id, manifest=some, reason=first)
            return
        if self._name == "rejects":
            for path in paths:
                self._objects.keep_copy(path, copy_key(path))
        note = partial(self._run, "work/batch/leave_out.sql", run_id=run_id, step=self._name)
        if is_whole:
            note(message_key=None, paths=sorted(paths), reason=first)
            return
        for key, reason in reasons.items():
            note(message_key=key, paths=(), reason=reason)


def left_out(run: Run, run_id: str) -> dict[str, str]:
    """Return which tables lack messages that a step left out, how many, and why; nothing once the batch is dropped."""
    try:
        rows = run("work/batch/left_out.sql", run_id=run_id).rows
    except TrinoQueryError as error:
        if error.error_name != "TABLE_NOT_FOUND":
            raise
        return {}
    return {row["step"]: _sentence(row) for row in rows}


def _sentence(row: Mapping[str, Any]) -> str:
    what = "are in rejects as load_failed" if row["step"] in ("unpack", "events") else "were left out"
    return f"{row['line_count']} lines {what}, first {row['first_line']}: {row['reason']}"
