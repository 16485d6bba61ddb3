"""The operator that watches the pipeline and sends alarms."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import Context

from clickstream.aws.s3 import failed_since, list_failed, list_raw, list_staged, read_text
from clickstream.aws.sqs import count_messages, queue_url
from clickstream.engine.evolution import Run
from clickstream.engine.retention import kept_days, kept_since
from clickstream.engine.sql import lake_tables
from clickstream.load.take import loaded_paths
from clickstream.operators.base import EngineOperator
from clickstream.operators.notify import NotificationError, notify
from clickstream.settings import Settings
from clickstream.staging.redrive import FAILED_PREFIX, REFUSED_PREFIX
from clickstream.status.look import KEY, read_before
from clickstream.watch.alarms import (
    ARRIVALS_FOR,
    LOOK_BACK,
    MOST_REFUSED_EVENTS,
    NEAR_END,
    RECONCILED_SINCE,
    REFUSED_WITHIN,
    Ending,
    ReconciledHour,
    WatchFigures,
    count_refused,
    find_alarms,
    kept_from_row,
    newest_arrival,
    plan_notices,
    run_from_row,
    stage_flows,
)
from clickstream.watch.notify import read_destinations
from clickstream.watch.volume import odd_volumes, plan_changes
from clickstream.window import Bounds

RefusedObject = tuple[str, datetime]


class FiguresOperator(EngineOperator):
    """Read the figures that alarms are decided from."""

    def figures(self, run: Run, settings: Settings, values: dict[str, Any]) -> WatchFigures:
        """Return the state of the pipeline at the time `now` in `values`."""
        s3, now = self.client("s3"), values["now"]
        values = values | {
            "runs_since": now - LOOK_BACK,
            "arrived_since": now - timedelta(hours=settings.alarm_silence_hours) - ARRIVALS_FOR,
        }
        raw = [item.written_at for item in list_raw(s3, settings.raw_bucket)] if settings.raw_bucket else []
        failed, refused = self.refused(settings, now)
        staged, _ = list_staged(s3, settings)
        paths = loaded_paths(run, staged)
        unloaded = [item.staged_at for item in staged if item.path not in paths]
        newest_staged = run("lake/load_ledger/newest.sql", **values).rows[0]["newest_staged_at"]
        newest_staged = newest_arrival([*(item.staged_at for item in staged), newest_staged], now)
        arrival = newest_arrival([*raw, newest_staged], now)
        newest = run("lake/events/newest.sql", **values).rows[0]["newest_received_at"]
        runs = run("lake/load_runs/recent.sql", **values).rows
        reconciled = run("lake/archive_reconciliations/hours.sql", window=Bounds(now - RECONCILED_SINCE, now)).rows
        figures = WatchFigures(
            now=now,
            unstaged_objects=len(raw),
            oldest_unstaged_at=min(raw, default=None),
            stage_flows=stage_flows(raw, newest_staged, now, settings),
            stage_messages=self._messages(settings.stage_queue),
            newest_arrival_at=arrival,
            has_arrived=arrival is not None or run("lake/load_ledger/any.sql").rows[0]["has_arrived"],
            unloaded_objects=len(unloaded),
            oldest_unloaded_at=min(unloaded, default=None),
            newest_received_at=newest,
            dead_letters=self._messages(settings.stage_dead_letter_queue),
            refused=count_refused([at for _, at in failed], now),
            refused_events=count_refused([at for _, at in refused], now),
            ending_rejects=self._ending(run, settings, now),
            runs=[run_from_row(row) for row in runs],
            reconciled=[ReconciledHour(**row) for row in reconciled],
        )
        self.log.info("%s", figures)
        return figures

    def refused(self, settings: Settings, now: datetime) -> tuple[list[RefusedObject], list[RefusedObject]]:
        """Return key and time of the objects of refused records, and of those of refused events."""
        if not settings.raw_bucket:
            return [], []
        s3, bucket = self.client("s3"), settings.raw_bucket
        failed = list_failed(s3, bucket, FAILED_PREFIX, now - REFUSED_WITHIN)
        return failed, failed_since(s3, bucket, REFUSED_PREFIX, now - LOOK_BACK, MOST_REFUSED_EVENTS)

    def _ending(self, run: Run, settings: Settings, now: datetime) -> Ending:
        days = kept_days(lake_tables()["rejects"], settings)
        if days is None:
            return Ending()
        (row,) = run("lake/rejects/ending.sql", rejected_before=kept_since(now, days) + NEAR_END).rows
        return Ending(row["ending_lines"], row["first_rejected_at"], days)

    def _messages(self, queue: str) -> int | None:
        if not queue:
            return None
        sqs = self.client("sqs")
        return count_messages(sqs, queue_url(sqs, queue))


class TrinoWatchPipelineOperator(FiguresOperator):
    """Decide which alarms are open, keep them in the table `alarms`, and notify the destinations that are due.

    One destination that fails is logged, and the others are notified; the task then fails, and the next one retries
    that destination.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the names of the alarms that last, and how many messages were sent. Raises NotificationError."""
        settings, run, values = self.prepare(context)
        by_name = {destination.name: destination for destination in read_destinations(settings.notify)}
        now, sent = values["now"], 0
        failures: list[str] = []
        kept = [kept_from_row(row) for row in run("lake/alarms/kept.sql", runs_since=now - LOOK_BACK).rows]
        alarms = find_alarms(self._with_volumes(self.figures(run, settings, values), settings), settings)
        repeat = timedelta(hours=settings.alarm_repeat_hours)
        for notice in plan_notices(alarms, kept, list(by_name), now, repeat):
            notified, failed = notify([by_name[name] for name in notice.destinations], notice.message(), settings)
            sent, failures = sent + len(notified), failures + failed
            if notified or not notice.kept.subject:
                run("lake/alarms/load.sql", alarm=notice.after(notified, now))
        if failures:
            raise NotificationError("; ".join(failures))
        return {"open": [alarm.name for alarm in alarms if not alarm.subject], "sent": sent}

    def _with_volumes(self, figures: WatchFigures, settings: Settings) -> WatchFigures:
        """Add what the status page's document says of hours: write_status has read them already."""
        document = read_before(read_text(self.client("s3"), settings.lake_bucket, KEY))
        odd = odd_volumes(document, figures.now)
        self.log.info("odd volumes: %s", odd)
        return replace(figures, odd_volumes=odd, plan_changes=plan_changes(document))
