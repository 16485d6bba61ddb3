"""Operators that put refused records on the stream again, after a fix."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from clickstream.aws.kinesis import put_records
from clickstream.aws.s3 import list_failed, move_failed
from clickstream.engine.evolution import Run, create_tables
from clickstream.form import FormError
from clickstream.operators.base import EngineOperator
from clickstream.settings import Settings, load_settings
from clickstream.staging.redrive import (
    FAILED_PREFIX,
    REFUSED_PREFIX,
    Counts,
    RedriveError,
    RedriveRequest,
    failed_records,
    fits,
    read_redrive_request,
    rejected_records,
)

_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


class _RedriveOperator(EngineOperator):
    """Read the run's params `source`, `from`, `to` and `dry_run`; skipped when `source` is another one."""

    source: str

    def checked_request(self, context: Context) -> RedriveRequest:
        """Return the checked request of the run. Raises AirflowFailException: a retry would have the same."""
        try:
            request = read_redrive_request(context["params"])
        except FormError as error:
            raise AirflowFailException(str(error)) from error
        if request.source != self.source:
            raise AirflowSkipException(f"source is {request.source}")
        return request

    def send(self, settings: Settings, records: list[bytes], dry_run: bool) -> int:
        """Put the records on the stream, or in a dry run none; return how many."""
        if dry_run or not records:
            return 0
        return put_records(self.client("kinesis"), settings.stream, records)


class KinesisRedriveFailedOperator(_RedriveOperator):
    """Put the records of `processing-failed/` on the stream again, each object's before the object is moved away.

    An object that cannot be read, or has a record over Kinesis's limit, stays where it is and nothing of it is sent.
    Needs CLICKSTREAM_RAW_BUCKET and CLICKSTREAM_STREAM.
    """

    source = "processing-failed"
    prefix = FAILED_PREFIX

    def execute(self, context: Context) -> dict[str, int]:
        """Return counts: objects, read (records), sent, skipped (objects)."""
        request, settings = self.checked_request(context), load_settings()
        settings.require("raw_bucket", "stream")
        s3 = self.client("s3")
        counts = Counts()
        # The whole list first: a record that is refused again makes a new object, which is not for this run.
        for key, failed_at in list_failed(s3, settings.raw_bucket, self.prefix):
            if request.holds(failed_at):
                self._redrive(s3, settings, key, request.dry_run, counts)
        self.log.info("%s: %s", "dry run, nothing was sent" if request.dry_run else "redriven", counts)
        return counts.to_dict()

    def _redrive(self, s3: Any, settings: Settings, key: str, dry_run: bool, counts: Counts) -> None:
        counts.objects += 1
        found = s3.get_object(Bucket=settings.raw_bucket, Key=key)
        try:
            records = failed_records(found["Body"].read())
            if not all(fits(record) for record in records):
                raise RedriveError("a record is over Kinesis's limit of 1 MiB")
        except RedriveError as error:
            counts.skipped += 1
            self.log.error("%s stays where it is: %s", key, error)
            return
        counts.read += len(records)
        counts.sent += self.send(settings, records, dry_run)
        self.log.info("%s: %d records%s", key, len(records), " would be sent" if dry_run else " sent")
        if not dry_run:
            move_failed(s3, settings.raw_bucket, key, found["ETag"])


class KinesisRedriveRefusedOperator(KinesisRedriveFailedOperator):
    """Do the same with the messages of `refused/`, which the collector kept."""

    source = "refused"
    prefix = REFUSED_PREFIX


class KinesisRedriveRejectsOperator(_RedriveOperator):
    """Put the lines of `rejects` on the stream again, page by page, and note in the table which.

    A line with a missing newline is sent as its objects. Blank lines, lines that were no UTF-8 and those over Kinesis's
    limit are left as they are. Needs CLICKSTREAM_STREAM.
    """

    source = "rejects"

    def execute(self, context: Context) -> dict[str, int]:
        """Return counts: objects (lines), read (records), sent, skipped (lines)."""
        request, (settings, run, values) = self.checked_request(context), self.prepare(context)
        settings.require("stream")
        create_tables(run, ["rejects"], settings)
        now, counts = values["now"], Counts()
        # What is rejected again while this runs is not for this run.
        until = min(request.end or now, now)
        after = SimpleNamespace(rejected_at=request.start or _BEFORE_ALL, reject_id="")
        while rows := run("lake/rejects/redrive.sql", after=after, until=until).rows:
            self._redrive(run, settings, context["run_id"], rows, request.dry_run, counts)
            after = SimpleNamespace(**rows[-1])
        self.log.info("%s: %s", "dry run, nothing was sent" if request.dry_run else "redriven", counts)
        return counts.to_dict()

    def _redrive(
        self, run: Run, settings: Settings, run_id: str, rows: list[dict[str, Any]], dry_run: bool, counts: Counts
    ) -> None:
        lines = {row["reject_id"]: rejected_records(row["reason"], row["line"]) for row in rows}
        usable = {reject_id: records for reject_id, records in lines.items() if records and all(map(fits, records))}
        records = [record for found in usable.values() for record in found]
        counts.objects += len(lines)
        counts.skipped += len(lines) - len(usable)
        counts.read += len(records)
        counts.sent += self.send(settings, records, dry_run)
        if usable and not dry_run:
            now = datetime.now(UTC)
            run("lake/rejects/mark_redriven.sql", reject_ids=list(usable), now=now, run_id=run_id)
