"""The operators of reconcile_archive: each runs one step of clickstream.reconcile."""

from datetime import datetime
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from clickstream.aws.load_objects import AwsLoadObjects
from clickstream.aws.s3 import has_archive
from clickstream.engine.evolution import Run
from clickstream.engine.sql import TableNames
from clickstream.form import FormError
from clickstream.operators.base import EngineOperator
from clickstream.operators.checks import TrinoCheckTablesOperator
from clickstream.reconcile.request import (
    LARGE_PERCENT,
    ReconcileRequest,
    plan_healing,
    reach,
    read_reconcile_request,
    windows,
)
from clickstream.reconcile.steps import ArchiveUnreadableError, compare, reconciled_hours
from clickstream.settings import Settings
from clickstream.window import Window


class _ReconcileOperator(EngineOperator):
    """What the steps share: the run's form, and the time that it is about."""

    def asked(self, context: Context) -> tuple[ReconcileRequest, datetime]:
        """Return the request, and when the run was due: a run that is cleared later is about the same hours."""
        try:
            return read_reconcile_request(context["params"]), context["dag_run"].run_after
        except FormError as error:
            raise AirflowFailException(str(error)) from error

    def compare(
        self, run: Run, settings: Settings, values: dict[str, Any], hours: tuple[Window, ...]
    ) -> dict[str, int]:
        """Compare these hours, and log the report; return the counts in it."""
        if not settings.archive_bucket:
            raise AirflowSkipException("there is no archive to compare with: CLICKSTREAM_ARCHIVE_BUCKET is not set")
        if not has_archive(self.client("s3"), settings):
            raise AirflowSkipException(
                f"there is no archive to compare with: s3://{settings.archive_bucket} is empty. Who writes it: "
                "docs/reconcile-archive.md"
            )
        try:
            found = compare(run, AwsLoadObjects(self.client, settings), hours, values, settings)
        except ArchiveUnreadableError as error:
            raise AirflowFailException(str(error)) from error
        self.log.info("%s", found.text())
        return found.counts()


class TrinoCompareArchiveOperator(_ReconcileOperator):
    """Compare the live tables with the archive, and keep what was found; skipped where there is no archive."""

    def execute(self, context: Context) -> dict[str, int]:
        """Return how many messages are where, over all hours."""
        settings, run, values = self.prepare(context)
        request, at = self.asked(context)
        before = [] if request.window else reconciled_hours(run, reach(request, at))
        return self.compare(run, settings, values, windows(request, at, before))


class TrinoPlanHealingOperator(_ReconcileOperator):
    """Decide which hours a backfill of load_events heals; skipped when there is none.

    Never one that misses more than LARGE_PERCENT of its messages, unless the run's form says so: that is a person's
    decision, since the archive itself may be wrong, or the live path still behind.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the form of load_events that does it."""
        _, run, _ = self.prepare(context)
        request, at = self.asked(context)
        healing = plan_healing(reconciled_hours(run, reach(request, at)), request)
        for hour in healing.large:
            self.log.warning(
                "%s UTC misses more than %d %% of its messages: healed only with `large`",
                f"{hour:%Y-%m-%d %H:%M}", LARGE_PERCENT,
            )  # fmt: skip
        if healing.window is None:
            raise AirflowSkipException(f"no hour to heal, {len(healing.large)} for a person to look at")
        self.log.info(
            "%d hours are healed, from %s; %d are left to a later run",
            len(healing.hours), healing.window, len(healing.left),
        )  # fmt: skip
        return healing.conf(request.dry_run)


class TrinoCompareAgainOperator(_ReconcileOperator):
    """Compare the hours again that were healed; skipped in a dry run. `planned`: the task that decided which."""

    def __init__(self, *, planned: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.planned = planned

    def execute(self, context: Context) -> dict[str, int]:
        """Return how many messages are where now, over these hours."""
        settings, run, values = self.prepare(context)
        conf = context["ti"].xcom_pull(task_ids=self.planned)
        if conf["dry_run"]:
            raise AirflowSkipException("dry run: nothing was loaded")
        healed = Window(datetime.fromisoformat(conf["from"]), datetime.fromisoformat(conf["to"]))
        return self.compare(run, settings, values, (healed,))


class TrinoCheckReconciledOperator(TrinoCheckTablesOperator):
    """Run the checks of the table that the comparisons fill."""

    tables = TableNames.RECONCILE_TABLES
