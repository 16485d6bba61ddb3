"""The operators of load_events: each runs one step of clickstream.load."""

from datetime import timedelta
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from clickstream.aws.load_objects import AwsLoadObjects
from clickstream.engine.evolution import Run
from clickstream.engine.spent import Spent, from_dict
from clickstream.form import FormError
from clickstream.load import steps
from clickstream.load.archive import no_data
from clickstream.load.manifest import Manifest
from clickstream.load.parts import values_of
from clickstream.load.request import LoadRequest, read_load_request
from clickstream.load.take import TakeError, list_staged, take
from clickstream.load.unpack import unpack
from clickstream.operators.base import SPENT, EngineOperator
from clickstream.operators.plan import require_plan
from clickstream.settings import Settings


class LoadOperator(EngineOperator):
    """What the steps of a load share: the run's manifest."""

    def objects(self, settings: Settings) -> AwsLoadObjects:
        """Return the objects that this run may read."""
        return AwsLoadObjects(self.client, settings)

    def manifest(self, settings: Settings, run_id: str) -> Manifest:
        """Return the run's manifest. Raises AirflowFailException when it has none."""
        taken = self.objects(settings).read_manifest(run_id)
        if taken is None:
            raise AirflowFailException(f"run {run_id} has no manifest: clear the whole run, not one task")
        return taken

    def prepare_step(self, context: Context) -> tuple[Settings, Run, dict[str, Any]]:
        """Return what `prepare` does, with the values of the run's unpacked load: see clickstream.load.parts."""
        settings, run, values = self.prepare(context)
        taken = self.manifest(settings, values["run_id"])
        if taken.batch is None:
            raise AirflowFailException(f"run {taken.run_id} has no batch: clear it from unpack on")
        return settings, run, values | values_of(taken, timedelta(days=settings.dedupe_lookback_days))


class S3TakeManifestOperator(LoadOperator):
    """Decide which objects this run reads and write the list to S3; skipped when there is nothing to read.

    A backfill reads its interval, a run with `from` and `to` in its form that range, from staging where it is still
    there and else from the archive; any other run all that is staged and not loaded.
    A retry or a cleared run uses the list that the run already has, less what has expired since. A backfill lists its
    hour again: it has the id of the hour's scheduled run, which may have read something else.
    """

    def execute(self, context: Context) -> str:
        """Return the s3:// address of the manifest."""
        settings, run, values = self.prepare(context)
        dag_run, objects = context["dag_run"], self.objects(settings)
        try:
            interval = context.get("data_interval_start"), context.get("data_interval_end")
            request = read_load_request(dag_run.run_type, interval, context["params"])
            is_backfill = dag_run.run_type == "backfill"
            kept = None if is_backfill else objects.read_manifest(dag_run.run_id)
            if kept is not None:
                taken = kept.still_there(list_staged(objects))
            else:
                taken = take(run, objects, dag_run.run_id, request, settings, values["now"])
        except (FormError, TakeError) as error:
            raise AirflowFailException(str(error)) from error
        if not taken.objects:
            self._end_without_objects(settings, request, is_backfill)
        self.log.info(
            "%d objects (%d of the archive), %d bytes, %d left to the next run",
            len(taken.objects), len(taken.archived), sum(taken.bytes), taken.left_behind,
        )  # fmt: skip
        return objects.write_manifest(taken)

    def _end_without_objects(self, settings: Settings, request: LoadRequest, is_backfill: bool) -> None:
        if request.window is None:
            raise AirflowSkipException("nothing is staged that this run has to load")
        staged, _ = self.objects(settings).staged()
        archive = (settings.archive_location, settings.archive_hours_location) if settings.archive_bucket else ()
        message = no_data(request.window, request.source, staged, archive)
        if is_backfill:  # a quiet hour among others
            raise AirflowSkipException(message)
        raise AirflowFailException(message)


class TrinoUnpackOperator(LoadOperator):
    """Read the objects of the run's manifest into its batch table; skipped when nothing readable is left."""

    def execute(self, context: Context) -> list[str]:
        """Return the paths that were set aside."""
        settings, run, values = self.prepare(context)
        taken = self.manifest(settings, values["run_id"])
        unpacked = unpack(run, self.objects(settings), taken, values, settings)
        if not unpacked.manifest.objects:
            raise AirflowSkipException(f"nothing readable is left: {len(unpacked.aside)} objects were set aside")
        return unpacked.aside


class TrinoPreviewLoadOperator(LoadOperator):
    """Report, in a dry run, what the load would do; skipped in any other."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the preview as plain values, named as in the run report."""
        _, run, values = self.prepare_step(context)
        if not values["manifest"].dry_run:
            raise AirflowSkipException("no dry run")
        preview = steps.preview(run, values, require_plan())
        self.log.info("preview\n%s", preview.text())
        return preview.to_dict()


class TrinoLoadTableOperator(LoadOperator):
    """Load one table of clickstream.load.steps.PART_BY from the batch; skipped in a dry run."""

    def __init__(self, *, table: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table = table

    def execute(self, context: Context) -> None:
        """Return nothing: what was loaded is counted by the ledger."""
        settings, run, values = self.prepare_step(context)
        if values["manifest"].dry_run:
            raise AirflowSkipException("dry run: nothing is written")
        steps.load_table(run, self.objects(settings), self.table, values)


class TrinoRecordSchemaChangesOperator(LoadOperator):
    """Record the keys and types that the run's batch has and no load has met; `schema_changes_max` at most.

    The log names what is new by its path, without a value.
    """

    def execute(self, context: Context) -> dict[str, int]:
        """Return counts, named as in clickstream.load.drift.Drift."""
        settings, run, values = self.prepare(context)
        drift = steps.record_schema_changes(run, self.objects(settings), values)
        for change in drift.changes:
            self.log.info("%s", change.text())
        for warning in drift.warnings():
            self.log.warning("%s", warning)
        return drift.to_dict()


class TrinoReportRunOperator(LoadOperator):
    """Print the run report, store it in `load_runs`, and fail the run when it does not add up."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the report as plain values."""
        _, run, values = self.prepare_step(context)
        before = context["ti"].xcom_pull(self.get_flat_relative_ids(upstream=True), key=SPENT)
        spent = sum((from_dict(task) for task in before if task), Spent())
        dag_run = context["dag_run"]
        seconds = (values["now"] - dag_run.start_date).total_seconds()
        report = steps.report(run, values, spent, compare=dag_run.run_type != "scheduled", seconds=seconds)
        self.log.info("run report\n%s", report.text())
        if not report.adds_up:
            raise AirflowFailException(report.text())
        return report.to_dict()
