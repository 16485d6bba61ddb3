"""The operators that fill the tables of single events."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import local
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException
from trino.exceptions import TrinoQueryError

from clickstream.engine.query import Result, Runner
from clickstream.engine.sql import Statement, render
from clickstream.engine.table_shape import DestructiveChangeError
from clickstream.form import FormError
from clickstream.operators.engine import connect
from clickstream.operators.load import LoadOperator
from clickstream.operators.plan import require_plan
from clickstream.plan import typed_tables
from clickstream.plan.file import TrackingPlanError
from clickstream.plan.rebuild import PendingChangesError, chosen, read_rebuild_request, rebuild, require_current
from clickstream.settings import Settings


class _TypedTablesOperator(LoadOperator):
    """Run the tables' statements several at a time, each thread on a connection of its own."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._runners: list[Runner] = []
        self._is_killed = False

    def on_kill(self) -> None:
        """Cancel every running query, and what would run after them."""
        self._is_killed = True
        super().on_kill()
        for runner in self._runners:
            runner.cancel()

    def _run_each(self, pool: ThreadPoolExecutor, settings: Settings) -> typed_tables.RunEach:
        own = local()

        def run_one(path: str, values: Mapping[str, Any]) -> tuple[Statement, Result]:
            if not hasattr(own, "runner"):
                own.runner = connect(settings)
                self._runners.append(own.runner)
            if self._is_killed:
                own.runner.cancel()
            statement = render(path, settings, values).tagged(self._tag)
            return statement, own.runner.run_unchecked(statement)

        def run_each(path: str, many: Sequence[Mapping[str, Any]]) -> dict[str, str]:
            failed, done, tables = {}, [], []
            try:
                for values, task in [(values, pool.submit(run_one, path, values)) for values in many]:
                    table = values["event"].table
                    try:
                        statement, result = task.result()
                    except TrinoQueryError as error:
                        failed[table] = typed_tables.reason_of(error)
                        continue
                    self.count(f"{path} {table}", result)
                    done.append((statement, result))
                    tables.append((statement, table))
                # Looked at once for all: two queries in place of two a table.
                for runner in self._runners[:1]:
                    for undone in runner.undone(done):
                        [table] = [table for statement, table in tables if statement is undone]
                        failed |= self._run_again(runner, undone, table)
            except BaseException:
                # A failure or a time-out: what runs beside it must not hold the task, nor go on after it.
                self.on_kill()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            return failed

        return run_each

    def _run_again(self, runner: Runner, statement: Statement, table: str) -> dict[str, str]:
        try:
            self.count(f"again {table}", runner.run(statement))
        except TrinoQueryError as error:
            return {table: typed_tables.reason_of(error)}
        return {}

    def _log_failed(self, failed: Mapping[str, str]) -> None:
        for table, reason in failed.items():
            self.log.error("table %s could not be filled: %s", table, reason)

    def _warn(self, rates: Sequence[Mapping[str, Any]]) -> None:
        for rate in rates:
            if rate["violating"]:
                self.log.warning("%(table_name)s: %(violating)d of %(messages)d messages break a rule", rate)


class TrinoLoadTypedEventsOperator(_TypedTablesOperator):
    """Create the tables of the tracking plan's live events and fill them with the run's messages.

    A table that cannot be filled does not stop the others: the run report and an alarm name it. A mistake in the
    plan is not retried.
    """

    def execute(self, context: Context) -> dict[str, dict[str, int]]:
        """Return messages and violating messages by table."""
        settings, run, given = self.prepare_step(context)
        taken, windows = given["manifest"], [part["window"] for part in given["parts"]["days"]]
        values = {name: given[name] for name in ("run_id", "now")}
        with ThreadPoolExecutor(settings.typed_load_threads) as pool:
            run_each = self._run_each(pool, settings)
            filled = typed_tables.fill(run, run_each, require_plan(), values, windows, taken.rebuild, settings)
        self._warn(filled.rates)
        self._log_failed(filled.reasons)
        self.objects(settings).write_manifest(replace(taken, tables_failed=filled.reasons))
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for rate in filled.rates:
            counts[rate["table_name"]].update({key: rate[key] for key in ("messages", "violating")})
        return {table: dict(found) for table, found in counts.items()}


class TrinoRebuildTypedEventsOperator(_TypedTablesOperator):
    """Rebuild the tables for the time and event of the run's form; it alters no table.

    A mistake in the plan or form, and a table that does not match the plan yet, are not retried.
    """

    def execute(self, context: Context) -> dict[str, int]:
        """Return messages by table."""
        settings, run, given = self.prepare(context)
        # A load may have the same run id, and would have its work tables under the same names.
        values = {"run_id": f"{self.dag_id} {given['run_id']}", "now": given["now"]}
        messages: Counter[str] = Counter()
        failed: dict[str, str] = {}
        try:
            request = read_rebuild_request(context["params"])
            plan = chosen(require_plan(), request.event)
            require_current(run, plan, settings)
        except (FormError, TrackingPlanError, DestructiveChangeError, PendingChangesError) as error:
            raise AirflowFailException(str(error)) from None
        with ThreadPoolExecutor(settings.typed_load_threads) as pool:
            for day, filled in rebuild(run, self._run_each(pool, settings), plan, **values, window=request.window):
                self.log.info("%s: %d messages", day, sum(rate["messages"] for rate in filled.rates))
                self._warn(filled.rates)
                self._log_failed(filled.reasons)
                failed |= filled.reasons
                messages.update({rate["table_name"]: rate["messages"] for rate in filled.rates})
        typed_tables.clean_up(run, values)
        if failed:
            raise AirflowFailException(f"not rebuilt: {failed}")
        return dict(messages)
