"""Operators on the staging folder: what a run reads, and what may go."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from clickstream.aws.s3 import delete_staged, list_archive, list_staged, read_text, write_text
from clickstream.engine.query import Runner
from clickstream.engine.sql import render
from clickstream.form import FormError
from clickstream.load import manifest
from clickstream.load.archive import ArchivedObject, days, divide, hours_wanted, no_data
from clickstream.load.manifest import Manifest
from clickstream.load.request import LoadRequest, read_request
from clickstream.operators.engine import connect
from clickstream.settings import Settings, load_settings
from clickstream.staging.keys import StagedObject, overdue, select_expired


class LedgerReader(BaseOperator):
    """What operators that look at staging share: a question to the ledger, cancelled when the task is killed."""

    _runner: Runner | None = None

    def on_kill(self) -> None:
        """Cancels the running query."""
        if self._runner is not None:
            self._runner.cancel()

    def loaded_paths(self, settings: Settings, staged: list[StagedObject]) -> frozenset[str]:
        """Which of the staged objects a run has loaded, among other paths."""
        if not staged:
            return frozenset()
        self._runner = connect(settings)
        oldest = min(item.staged_at for item in staged)
        result = self._runner.run(render("lake/load_ledger/loaded_paths.sql", settings, {"staged_since": oldest}))
        return frozenset(row["source_path"] for row in result.rows)


class S3TakeManifestOperator(LedgerReader):
    """Decides which objects this run reads and writes the list to S3; skipped when there is nothing to read.

    A backfill reads its interval, a run with `from` and `to` in its form that range, from staging where it is still
    there and else from the archive; any other run all that is staged and not loaded.
    A retry or a cleared run takes the list that the run already has, less what has expired since. A backfill lists its
    hour anew: Airflow gives it the id of the hour's scheduled run, which may have read something else.
    """

    def execute(self, context: Context) -> str:
        """Gives the s3:// address of the manifest."""
        settings, run = load_settings(), context["dag_run"]
        try:
            interval = context.get("data_interval_start"), context.get("data_interval_end")
            request = read_request(run.run_type, interval, context["params"])
        except FormError as error:
            raise AirflowFailException(str(error)) from error
        s3 = AwsBaseHook(settings.aws_conn_id, client_type="s3").get_conn()
        staged, strays = list_staged(s3, settings)
        if strays:
            self.log.warning("%d keys are not staged objects and are not loaded, first %s", len(strays), strays[0])
        is_backfill = run.run_type == "backfill"
        kept = None if is_backfill else read_text(s3, settings.lake_bucket, manifest.key(run.run_id))
        if kept is not None:
            taken = manifest.from_json(kept).still_there(staged)
        elif request.window is None:
            loaded = self.loaded_paths(settings, staged)
            taken = manifest.take_unloaded(run.run_id, staged, loaded, settings.load_max_objects)
            taken = replace(taken, dry_run=request.dry_run)
        else:
            taken = self._take_window(s3, settings, request, run.run_id, staged)
        if not taken.objects:
            self._end_without_objects(settings, request, staged, is_backfill)
        self.log.info(
            "%d objects (%d of the archive), %d bytes, %d left to the next run",
            len(taken.objects), len(taken.archived), sum(taken.bytes), taken.left_behind,
        )  # fmt: skip
        return write_text(s3, settings.lake_bucket, manifest.key(run.run_id), taken.to_json())

    def _take_window(
        self, s3: Any, settings: Settings, request: LoadRequest, run_id: str, staged: list[StagedObject]
    ) -> Manifest:
        window = request.window
        assert window is not None
        kept_since = datetime.now(UTC) - timedelta(hours=settings.staging_retention_hours)
        wanted = hours_wanted(request.source, window, staged, kept_since, bool(settings.archive_bucket))
        archived: list[ArchivedObject] = []
        if wanted:
            if not settings.archive_bucket:
                raise AirflowFailException("source is archive, but CLICKSTREAM_ARCHIVE_BUCKET is not set")
            archived, strays = list_archive(s3, settings, days(wanted))
            if strays:
                self.log.warning("%d keys of the archive are not Segment's, first %s", len(strays), strays[0])
        staging, received = divide(window, wanted, archived)
        if request.source == "archive":
            staging = ()
        for name, windows in (("staging, by time staged", staging), ("the archive, by time received", received)):
            for part in windows:
                self.log.info("%s from %s", part, name)
        taken = manifest.take_windows(run_id, staged, staging, archived, received)
        if len(taken.objects) > settings.backfill_max_objects:
            raise AirflowFailException(
                f"{len(taken.objects)} objects, at most {settings.backfill_max_objects} in one run "
                "(CLICKSTREAM_BACKFILL_MAX_OBJECTS): load a shorter range at a time"
            )
        return replace(taken, rederive=request.rederive, dry_run=request.dry_run)

    def _end_without_objects(
        self, settings: Settings, request: LoadRequest, staged: list[StagedObject], is_backfill: bool
    ) -> NoReturn:
        if request.window is None:
            raise AirflowSkipException("nothing is staged that this run has to load")
        message = no_data(request.window, request.source, staged, settings.archive_bucket and settings.archive_location)
        if is_backfill:  # a quiet hour among others
            raise AirflowSkipException(message)
        raise AirflowFailException(message)


class S3ExpireStagingOperator(LedgerReader):
    """Deletes the staged objects that a run has loaded and that are past their time; warns of those not loaded.

    Only an explicit list, of this folder, at most CLICKSTREAM_EXPIRY_MAX_OBJECTS at once, is deleted. The list is kept
    under manifests/expire_staging/ in the lake bucket.
    """

    template_fields = ("dry_run",)

    def __init__(self, *, dry_run: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dry_run = dry_run

    def execute(self, context: Context) -> dict[str, int]:
        """Gives counts: expired (deleted, or in a dry run would be), overdue, kept."""
        settings = load_settings()
        s3 = AwsBaseHook(settings.aws_conn_id, client_type="s3").get_conn()
        staged, _ = list_staged(s3, settings)
        loaded, now = self.loaded_paths(settings, staged), datetime.now(UTC)
        retention = timedelta(hours=settings.staging_retention_hours + settings.expiry_grace_hours)
        expired = select_expired(staged, loaded, now, retention, settings.expiry_max_objects)
        late = overdue(staged, loaded, now, retention)
        if late:
            self.log.error(
                "%d objects are past their time and not loaded, oldest %s: is load_events running?",
                len(late),
                late[0].path,
            )
        for item in expired:
            self.log.info("%s %s", "would delete" if self._is_dry_run else "deletes", item.path)
        if expired and not self._is_dry_run:
            listing = "\n".join(item.path for item in expired)
            write_text(s3, settings.lake_bucket, f"manifests/expire_staging/{now:%Y%m%dT%H%M%S%f}.txt", listing)
            delete_staged(s3, settings, expired)
        return {"expired": len(expired), "overdue": len(late), "kept": len(staged) - len(expired)}

    @property
    def _is_dry_run(self) -> bool:
        return str(self.dry_run).lower() != "false"
