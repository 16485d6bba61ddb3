"""Operators on the staging folder: what a run reads, and what may go."""

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.trino.hooks.trino import TrinoHook
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowSkipException

from clickstream import manifest
from clickstream.aws.s3 import delete_staged, list_staged, read_text, write_text
from clickstream.manifest import Window
from clickstream.query import QueryRunner
from clickstream.settings import Settings, load_settings
from clickstream.sql import render
from clickstream.staging_keys import StagedObject, overdue, select_expired


class _LedgerReader(BaseOperator):
    """What both operators here share: a question to the ledger, cancelled when the task is killed."""

    _runner: QueryRunner | None = None

    def on_kill(self) -> None:
        """Cancels the running query."""
        if self._runner is not None:
            self._runner.cancel()

    def loaded_paths(self, settings: Settings, staged: list[StagedObject]) -> frozenset[str]:
        """Which of the staged objects a run has loaded, among other paths."""
        if not staged:
            return frozenset()
        self._runner = QueryRunner(TrinoHook(settings.trino_conn_id).get_conn())
        oldest = min(item.staged_at for item in staged)
        result = self._runner.run(render("lake/load_ledger/loaded_paths.sql", settings, {"staged_since": oldest}))
        return frozenset(row["source_path"] for row in result.rows)


class S3TakeManifestOperator(_LedgerReader):
    """Decides which staged objects this run reads and writes the list to S3; skipped when there is nothing to read.

    A retry or a cleared run takes the list that the run already has, less what has expired since. A backfill lists its
    hour anew: Airflow gives it the id of the hour's scheduled run, which may have read something else.
    """

    def execute(self, context: Context) -> str:
        """Gives the s3:// address of the manifest."""
        settings = load_settings()
        run_id = context["run_id"]
        s3 = AwsBaseHook(settings.aws_conn_id, client_type="s3").get_conn()
        staged, strays = list_staged(s3, settings)
        if strays:
            self.log.warning("%d keys are not staged objects and are not loaded, first %s", len(strays), strays[0])
        window = _window(context)
        kept = None if window else read_text(s3, settings.lake_bucket, manifest.key(run_id))
        if kept is None:
            loaded = frozenset() if window else self.loaded_paths(settings, staged)
            taken = manifest.take(run_id, staged, loaded, window, settings.load_max_objects)
        else:
            taken = manifest.from_json(kept).only(item.path for item in staged)
        if not taken.objects:
            raise AirflowSkipException("nothing is staged that this run has to load")
        self.log.info(
            "%d objects, %d bytes, %d left to the next run", len(taken.objects), sum(taken.bytes), taken.left_behind
        )
        return write_text(s3, settings.lake_bucket, manifest.key(run_id), taken.to_json())


class S3ExpireStagingOperator(_LedgerReader):
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


def _window(context: Context) -> Window | None:
    """The staging time that a backfill covers; None for every other run, which takes what is not loaded yet."""
    run = context["dag_run"]
    if run.run_type != "backfill":
        return None
    start, end = context["data_interval_start"], context["data_interval_end"]
    if start is None or end is None or start >= end:
        raise ValueError(f"backfill run {run.run_id} has no data interval")
    return Window(start, end)
