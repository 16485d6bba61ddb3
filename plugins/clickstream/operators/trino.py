"""Operators that run the files of include/sql on Trino."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from trino.exceptions import TrinoQueryError

from clickstream.aws.glue import add_partitions
from clickstream.aws.s3 import chunks_of, first_bytes, keep_copy, list_staged, read_text, write_text
from clickstream.engine.evolution import named_run
from clickstream.engine.failures import may_be_of_data, told
from clickstream.engine.query import Result, Runner, query_url
from clickstream.engine.sql import ARCHIVE_LINES, render
from clickstream.load import manifest
from clickstream.load.drift import SHAPES_READ, Drift, SchemaChange
from clickstream.load.manifest import Manifest
from clickstream.load.parts import object_parts, values_of, with_received
from clickstream.load.preview import from_row as preview_from_row
from clickstream.load.report import from_row
from clickstream.load.unreadable import (
    MOST_ASIDE,
    READ_ERRORS,
    Unreadable,
    copy_key,
    damage_of,
    find_culprit,
    is_misnamed,
)
from clickstream.operators.engine import connect
from clickstream.operators.links import TrinoQueryLink
from clickstream.operators.plan import require_plan
from clickstream.sessions.model import rules_of
from clickstream.settings import Settings, load_settings
from clickstream.staging.keys import StagedObject


class TooManySetAsideError(RuntimeError):
    """A try has set aside as many objects as it may; the message says what to look at."""


class TrinoStatementOperator(BaseOperator):
    """Runs files of include/sql, one statement each, in order, and logs what each cost.

    Every file may use `run_id`, `now`, `lookback_days`, `archive_integration`, `rules` (of sessions) and `limits` (of
    identities). With `take_manifest`, a dry run is skipped, and a file may also use `manifest`, the run's list of
    objects, `window`, when the messages of the run's batch were received, and `bounds`, the same widened by the
    look-back for duplicates: what the batch can touch, and `staged`, when the objects were staged. With `part_by`
    (objects, hours or days), the files run once for each part of the load, and these values are the part's: see
    clickstream.load.parts.
    A kill of the task cancels the query; a commit conflict is tried again.
    Ours and not the provider's, which splits statements and leaves a killed task's query running: see docs/adr/0003.
    """

    template_fields: Sequence[str] = ("sql",)
    makes_batch = False
    operator_extra_links = (TrinoQueryLink(),)

    def __init__(
        self,
        *,
        sql: Sequence[str],
        take_manifest: bool = False,
        part_by: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.take_manifest = take_manifest
        self.part_by = part_by
        self._runner: Runner | None = None
        self._s3_client: Any = None
        self._tag = ""
        self._is_retry = False

    def execute(self, context: Context) -> Any:
        """Runs the files, in order; returns nothing. What they cost is logged, never their rows."""
        settings = load_settings()
        values = self._values(context, settings)
        if self.take_manifest and values["manifest"].dry_run:
            raise AirflowSkipException("dry run: nothing is written")
        for part in values["parts"][self.part_by] if self.part_by else [{}]:
            for path in self.sql:
                self._run(path, settings, {**values, **part})

    def on_kill(self) -> None:
        """Cancels the running query."""
        if self._runner is not None:
            self._runner.cancel()

    @property
    def query_url(self) -> str:
        """The engine's page of the latest query of this task; empty when there was none."""
        if self._runner is None:
            return ""
        settings = load_settings()
        return query_url(self._runner.info_url, "" if settings.is_athena else settings.trino_ui)

    def _values(self, context: Context, settings: Settings) -> dict[str, Any]:
        run_id = context["run_id"]
        self._is_retry = context["ti"].try_number > 1
        # A digest: a run id is anybody's text and must not stand in a statement.
        self._tag = hashlib.sha256(f"{self.dag_id}\n{self.task_id}\n{run_id}".encode()).hexdigest()[:32]
        values: dict[str, Any] = {
            "run_id": run_id,
            "now": datetime.now(UTC),
            "lookback_days": settings.dedupe_lookback_days,
            "archive_integration": settings.archive_integration,
            "rules": rules_of(settings),
            "limits": settings,
        }
        if self.take_manifest:
            values |= self._values_of_batch(run_id, settings)
        return values

    def _values_of_batch(self, run_id: str, settings: Settings) -> dict[str, Any]:
        text = read_text(self._s3(settings), settings.lake_bucket, manifest.key(run_id))
        if text is None:
            raise AirflowFailException(f"run {run_id} has no manifest: clear the whole run, not one task")
        taken = manifest.from_json(text)
        if self.makes_batch:
            return {"manifest": taken}
        if taken.batch is None:
            raise AirflowFailException(f"run {run_id} has no batch: clear it from unpack on")
        lookback = timedelta(days=settings.dedupe_lookback_days)
        return values_of(taken, lookback)

    def _write(self, values: dict[str, Any], taken: Manifest, settings: Settings) -> None:
        """Keeps the manifest as it is now, for the tasks after this one."""
        values["manifest"] = taken
        write_text(self._s3(settings), settings.lake_bucket, manifest.key(values["run_id"]), taken.to_json())

    def _s3(self, settings: Settings) -> Any:
        """The one S3 client of this task."""
        if self._s3_client is None:
            self._s3_client = AwsBaseHook(settings.aws_conn_id, client_type="s3").get_conn()
        return self._s3_client

    def _run(self, path: str, settings: Settings, values: Mapping[str, Any]) -> Result:
        if self._runner is None:
            self._runner = connect(settings)
            if self._is_retry:
                self._end_leftovers(settings)
        result = self._runner.run(render(path, settings, values).tagged(self._tag))
        self.log.info("%s: %s", path, result.text())
        return result

    def _end_leftovers(self, settings: Settings) -> None:
        """Ends what a try before this one left running: its worker may have died, the query goes on and may commit."""
        if self._runner is None:
            return
        pattern = f"%/* clickstream {self._tag} */%"
        left = self._runner.run(render("runtime/leftovers.sql", settings, {"leftovers": pattern})).rows
        for row in left:
            self.log.warning("ends query %s, left over from an earlier try", row["query_id"])
            self._runner.run(render("runtime/kill.sql", settings, row))


class TrinoUnpackOperator(TrinoStatementOperator):
    """Reads the objects of the run's manifest into its batch table; sets aside what cannot be read, and goes on.

    An object set aside is copied to quarantine/ in the lake bucket, written to the `quarantine` table (neither in a dry
    run) and taken off the manifest, so that the tasks after this one know nothing of it. So is one that expires
    meanwhile, having been loaded before. Skipped when nothing readable is left. Folders of the archive are first made
    partitions of the table over it.
    """

    makes_batch = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(sql=[], take_manifest=True, **kwargs)

    def execute(self, context: Context) -> list[str]:
        """Gives the paths that were set aside."""
        settings = load_settings()
        values = self._values(context, settings)
        self._open_archive(values["manifest"], settings, values)
        misnamed = [
            item
            for item in values["manifest"].objects
            if item.bytes
            and not item.path.endswith(".gz")
            and is_misnamed(item.path, first_bytes(self._s3(settings), item.path))
        ]
        aside = [self._set_aside(item, "gzip data, but not named .gz", values, settings) for item in misnamed]
        while values["manifest"].objects:
            failure = self._read(settings, values)
            if self._take_off_expired(values, settings):
                continue
            if failure is None:
                break
            culprit, reason = self._culprit(failure, values, settings)
            if len(aside) >= MOST_ASIDE:
                raise TooManySetAsideError(
                    f"{len(aside)} objects were set aside, and {culprit.path} would be the next ({reason}). Look at "
                    "the table quarantine; if they are damaged, clear this task: each try sets some aside"
                )
            aside.append(self._set_aside(culprit, reason, values, settings))
        if not values["manifest"].objects:
            raise AirflowSkipException(f"nothing readable is left: {len(aside)} objects were set aside")
        run = named_run(self._run, settings)
        self._write(values, with_received(run, values["manifest"], values["run_id"]), settings)
        return aside

    def _open_archive(self, taken: Manifest, settings: Settings, values: dict[str, Any]) -> None:
        if not taken.archived:
            return
        self._run("staging/archive_lines/create.sql", settings, values)
        glue = AwsBaseHook(settings.aws_conn_id, client_type="glue").get_conn()
        locations = {folder: f"{settings.archive_location}{folder}/" for folder in taken.folders}
        added = add_partitions(glue, settings.lines_database, ARCHIVE_LINES, locations)
        self.log.info("%d folders of the archive, %d read for the first time", len(locations), added)

    def _read(self, settings: Settings, values: Mapping[str, Any]) -> TrinoQueryError | None:
        try:
            for number, part in enumerate(object_parts(values["manifest"])):
                path = "work/batch/add.sql" if number else "work/batch/load.sql"
                self._run(path, settings, {**values, "manifest": part})
        except TrinoQueryError as error:
            return error
        return None

    def _take_off_expired(self, values: dict[str, Any], settings: Settings) -> bool:
        """Takes off the manifest what expired meanwhile: it was loaded before, but read now it would count as empty.

        What is gone and was never loaded stays on it, and the report will say that it has content and no lines.
        """
        staged, _ = list_staged(self._s3(settings), settings)
        gone = values["manifest"].gone(settings.staging_location, (item.path for item in staged))
        if not gone:
            return False
        since = {"staged_since": min(item.staged_at for item in gone)}
        rows = self._run("lake/load_ledger/loaded_paths.sql", settings, since).rows
        expired = {item.path for item in gone} & {row["source_path"] for row in rows}
        self.log.warning("%d of %d objects expired while they were read", len(expired), len(gone))
        self._write(values, values["manifest"].without(expired), settings)
        return bool(expired)

    def _culprit(
        self, error: TrinoQueryError, values: Mapping[str, Any], settings: Settings
    ) -> tuple[StagedObject, str]:
        """The object that is the reason of the error, and what is wrong with it. Raises the error when none is.

        Of a read error, only damage that we find ourselves: Trino may be forbidden to read for a while. Of another, the
        object with which the statement fails again, and without any it does not.
        """
        taken: Manifest = values["manifest"]
        if error.error_name in READ_ERRORS:
            found = find_culprit(str(error.message), taken.objects, self._trial("read", values, settings))
            damage = damage_of(found.path, chunks_of(self._s3(settings), found.path)) if found else ""
            if found and damage:
                return found, damage
        elif may_be_of_data(str(error.error_name), str(error.error_type)):
            can_take = self._trial("load", values, settings)
            found = find_culprit("", taken.objects, can_take)
            nothing = StagedObject(f"{settings.staging_location}no-such-object", 0, values["now"])
            if found and can_take([nothing]):
                return found, told(error)
        raise error

    def _trial(
        self, file: str, values: Mapping[str, Any], settings: Settings
    ) -> Callable[[Sequence[StagedObject]], bool]:
        """Tells of some objects whether that file of work/batch runs with them."""

        def can_run(objects: Sequence[StagedObject]) -> bool:
            try:
                for part in object_parts(replace(values["manifest"], objects=tuple(objects))):
                    self._run(f"work/batch/{file}.sql", settings, {**values, "manifest": part})
            except TrinoQueryError as failure:
                is_expected = (
                    failure.error_name in READ_ERRORS
                    if file == "read"
                    else may_be_of_data(str(failure.error_name), str(failure.error_type))
                )
                if not is_expected:
                    raise
                return False
            return True

        return can_run

    def _set_aside(self, item: StagedObject, reason: str, values: dict[str, Any], settings: Settings) -> str:
        taken: Manifest = values["manifest"]
        copy = "no copy: dry run"
        if not taken.dry_run:
            copy = keep_copy(self._s3(settings), item.path, settings.lake_bucket, copy_key(item.path))
            unreadable = Unreadable(item.path, copy, item.bytes, reason, item.staged_at)
            self._run("lake/quarantine/load.sql", settings, {**values, "unreadable": unreadable})
        self._write(values, taken.without([item.path]), settings)
        self.log.error("set aside, kept at %s: %s: %s", copy, item.path, reason)
        return item.path


class TrinoPreviewLoadOperator(TrinoStatementOperator):
    """In a dry run, tells what the load would do; skipped in any other."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(sql=[], take_manifest=True, **kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        """Gives the preview as plain values, named as in the run report."""
        settings = load_settings()
        values = self._values(context, settings)
        if not values["manifest"].dry_run:
            raise AirflowSkipException("no dry run")
        row = self._run("work/batch/preview.sql", settings, values).rows[0]
        preview = preview_from_row(values["manifest"], row, require_plan(), self._sessions_touched(settings, values))
        self.log.info("preview\n%s", preview.text())
        return preview.to_dict()

    def _sessions_touched(self, settings: Settings, values: Mapping[str, Any]) -> int:
        try:
            touched: int = self._run("lake/sessions/touched.sql", settings, values).rows[0]["sessions"]
        except TrinoQueryError as error:
            if error.error_name != "TABLE_NOT_FOUND":
                raise
            return 0
        return touched


class TrinoRecordSchemaChangesOperator(TrinoStatementOperator):
    """Records the keys and types that the run's batch has and no load has met; CLICKSTREAM_SCHEMA_CHANGES_MAX at most.

    Nothing is written when nothing is new. The log names what is new by its path, without a value.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(sql=[], **kwargs)

    def execute(self, context: Context) -> dict[str, int]:
        """Gives counts, named as in clickstream.load.drift.Drift."""
        settings = load_settings()
        values = self._values(context, settings)
        values |= {"change_limit": settings.schema_changes_max, "shape_limit": SHAPES_READ}
        found = self._run("lake/schema_changes/find.sql", settings, values).rows[0]
        left = found["new_count"]
        if left:
            self._run("lake/schema_changes/load.sql", settings, values)
            left = self._run("lake/schema_changes/find.sql", settings, values).rows[0]["new_count"]
        recorded = self._run("lake/schema_changes/of_run.sql", settings, values).rows
        drift = Drift(
            tuple(SchemaChange(**row) for row in recorded),
            changes_left=left,
            shapes_left=max(0, found["shape_count"] - SHAPES_READ),
        )
        for change in drift.changes:
            self.log.info("%s", change.text())
        for warning in drift.warnings():
            self.log.warning("%s", warning)
        return drift.to_dict()


class TrinoReportRunOperator(TrinoStatementOperator):
    """Prints the run report and fails the run when it does not add up."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(sql=[], take_manifest=True, **kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        """Gives the report as plain values, and stores it in load_runs."""
        settings = load_settings()
        values = self._values(context, settings)
        row = self._run("lake/load_ledger/report.sql", settings, values).rows[0]
        delays = self._run("lake/events/lateness.sql", settings, values).rows[0]["rows_by_delay"]
        violations = self._run("lake/violations/by_event.sql", settings, values).rows[0]["violations_by_event"]
        report = replace(
            from_row(values["run_id"], row, delays, violations), tables_failed=values["manifest"].tables_failed
        )
        self.log.info("run report\n%s", report.text())
        self._run("lake/load_runs/load.sql", settings, {**values, "report": report})
        if not report.adds_up:
            raise AirflowFailException(report.text())
        return report.to_dict()
