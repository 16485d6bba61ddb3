"""The operator that fills the tables of single events."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import local
from typing import Any

from airflow.providers.trino.hooks.trino import TrinoHook
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from clickstream import typed_events
from clickstream.evolution import named_run
from clickstream.operators.trino import TrinoStatementOperator
from clickstream.query import QueryRunner
from clickstream.settings import Settings, load_settings
from clickstream.sql import render
from clickstream.table_shape import DestructiveChangeError
from clickstream.tracking_plan import TrackingPlanError, read_plan


class TrinoLoadTypedEventsOperator(TrinoStatementOperator):
    """Makes the tables of the tracking plan's live events and fills them with what the run brought.

    The tables' statements run several at a time, each thread on a connection of its own. A plan with a mistake and a
    change that would lose values are not tried again.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(sql=[], take_manifest=True, **kwargs)
        self._runners: list[QueryRunner] = []
        self._is_killed = False

    def execute(self, context: Context) -> dict[str, dict[str, int]]:
        """Gives messages and violating messages by table."""
        settings = load_settings()
        given = self._values(context, settings)
        values = {name: given[name] for name in ("run_id", "now")}
        run = named_run(self._run, settings)
        try:
            plan = read_plan()
            with ThreadPoolExecutor(settings.typed_load_threads) as pool:
                run_each = self._run_each(pool, settings)
                typed_events.create_missing(run, run_each, plan, settings)
                window = typed_events.Received(**run("work/typed/window.sql", **values).rows[0])
                rates = typed_events.load(run, run_each, plan, values, window, given["manifest"].rederive)
        except (TrackingPlanError, DestructiveChangeError) as error:
            raise AirflowFailException(str(error)) from None
        typed_events.clean_up(run, values)
        for rate in rates:
            if rate["violating"]:
                self.log.warning("%(table_name)s: %(violating)d of %(messages)d messages break a rule", rate)
        return {rate["table_name"]: {key: rate[key] for key in ("messages", "violating")} for rate in rates}

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
                own.runner = QueryRunner(TrinoHook(settings.trino_conn_id).get_conn())
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
