"""The operators that fill the tables of single events."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import local
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from clickstream import typed_events
from clickstream.evolution import named_run
from clickstream.form import FormError
from clickstream.operators.engine import connect
from clickstream.operators.plan import require_plan
from clickstream.operators.trino import TrinoStatementOperator
from clickstream.query import Runner
from clickstream.rederive import PendingChangesError, chosen, read_request, rederive, require_current
from clickstream.settings import Settings, load_settings
from clickstream.sql import render
from clickstream.table_shape import DestructiveChangeError
from clickstream.tracking_plan import TrackingPlanError


class _TypedTablesOperator(TrinoStatementOperator):
    """Runs the tables' statements several at a time, each thread on a connection of its own."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(sql=[], **kwargs)
        self._runners: list[Runner] = []
        self._is_killed = False

    def on_kill(self) -> None:
        """Cancels every running query, and what would run after them."""
        self._is_killed = True
        super().on_kill()
        for runner in self._runners:
            runner.cancel()

    def _run_each(self, pool: ThreadPoolExecutor, settings: Settings) -> typed_events.RunEach:
        own = local()

        def run_one(path: str, values: Mapping[str, Any]) -> None:
            if not hasattr(own, "runner"):
                own.runner = connect(settings)
                self._runners.append(own.runner)
            if self._is_killed:
                own.runner.cancel()
            result = own.runner.run(render(path, settings, values).tagged(self._tag))
            self.log.info("%s %s: %s", path, values["event"].table, result.text())

        def run_each(path: str, many: Sequence[Mapping[str, Any]]) -> None:
            try:
                for done in [pool.submit(run_one, path, values) for values in many]:
                    done.result()
            except BaseException:
                # A failure or a time-out: what runs beside it must not hold the task, nor go on after it.
                self.on_kill()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

        return run_each

    def _warn(self, rates: Sequence[Mapping[str, Any]]) -> None:
        for rate in rates:
            if rate["violating"]:
                self.log.warning("%(table_name)s: %(violating)d of %(messages)d messages break a rule", rate)


class TrinoLoadTypedEventsOperator(_TypedTablesOperator):
    """Makes the tables of the tracking plan's live events and fills them with what the run brought.

    A plan with a mistake and a change that would lose values are not tried again.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(take_manifest=True, **kwargs)

    def execute(self, context: Context) -> dict[str, dict[str, int]]:
        """Gives messages and violating messages by table."""
        settings = load_settings()
        given = self._values(context, settings)
        values = {name: given[name] for name in ("run_id", "now")}
        run = named_run(self._run, settings)
        try:
            plan = require_plan()
            with ThreadPoolExecutor(settings.typed_load_threads) as pool:
                run_each = self._run_each(pool, settings)
                typed_events.create_missing(run, run_each, plan, settings)
                rates = [
                    rate
                    for part in given["parts"]["days"]
                    for rate in typed_events.load(
                        run, run_each, plan, values, part["window"], given["manifest"].rederive
                    )
                ]
        except DestructiveChangeError as error:
            raise AirflowFailException(str(error)) from None
        typed_events.clean_up(run, values)
        self._warn(rates)
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for rate in rates:
            counts[rate["table_name"]].update({key: rate[key] for key in ("messages", "violating")})
        return {table: dict(found) for table, found in counts.items()}


class TrinoRederiveTypedEventsOperator(_TypedTablesOperator):
    """Derives the tables again for the time and event of the run's form; it alters no table.

    A mistake in the plan or form, and a table that is not yet as the plan has it, are not tried again.
    """

    def execute(self, context: Context) -> dict[str, int]:
        """Gives messages by table."""
        settings = load_settings()
        given = self._values(context, settings)
        run = named_run(self._run, settings)
        # A load may have the same run id, and would have its work tables under the same names.
        values = {"run_id": f"{self.dag_id} {given['run_id']}", "now": given["now"]}
        messages: Counter[str] = Counter()
        try:
            request = read_request(context["params"])
            plan = chosen(require_plan(), request.event)
            require_current(run, plan, settings)
        except (FormError, TrackingPlanError, DestructiveChangeError, PendingChangesError) as error:
            raise AirflowFailException(str(error)) from None
        with ThreadPoolExecutor(settings.typed_load_threads) as pool:
            for day, rates in rederive(run, self._run_each(pool, settings), plan, **values, window=request.window):
                self.log.info("%s: %d messages", day, sum(rate["messages"] for rate in rates))
                self._warn(rates)
                messages.update({rate["table_name"]: rate["messages"] for rate in rates})
        typed_events.clean_up(run, values)
        return dict(messages)
