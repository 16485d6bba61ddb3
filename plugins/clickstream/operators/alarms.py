"""The operator that looks at the pipeline and tells what is wrong."""

from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk import Context

from clickstream.alarms import RUNS_FOR, Figures, RunFigures, find_alarms, from_row, plan_notices
from clickstream.aws.s3 import list_failed, list_staged
from clickstream.aws.sqs import count_messages, queue_url
from clickstream.notify import read_destinations
from clickstream.operators.notify import NotificationError, tell
from clickstream.operators.trino import TrinoStatementOperator
from clickstream.settings import Settings, load_settings


class TrinoWatchPipelineOperator(TrinoStatementOperator):
    """Decides which alarms there are, keeps them in the table `alarms`, and tells the destinations that are due.

    Whatever cannot be told to one destination is logged and told to the others; the task then fails, and the next one
    tries that destination again.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(sql=[], **kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        """Gives the names of the alarms that last, and how many messages were sent. Raises NotificationError."""
        settings = load_settings()
        by_name = {destination.name: destination for destination in read_destinations(settings.notify)}
        values = self._values(context, settings)
        now, sent = values["now"], 0
        failures: list[str] = []
        values["runs_since"] = now - RUNS_FOR
        alarms = find_alarms(self._figures(settings, values), settings)
        kept = [from_row(row) for row in self._run("lake/alarms/kept.sql", settings, values).rows]
        repeat = timedelta(hours=settings.alarm_repeat_hours)
        for notice in plan_notices(alarms, kept, list(by_name), now, repeat):
            told, failed = tell([by_name[name] for name in notice.destinations], notice.message(), settings)
            sent, failures = sent + len(told), failures + failed
            if told or not notice.kept.subject:
                self._run("lake/alarms/load.sql", settings, {"alarm": notice.after(told, now)})
        if failures:
            raise NotificationError("; ".join(failures))
        return {"open": [alarm.name for alarm in alarms if not alarm.subject], "sent": sent}

    def _figures(self, settings: Settings, values: dict[str, Any]) -> Figures:
        s3 = AwsBaseHook(settings.aws_conn_id, client_type="s3").get_conn()
        staged, _ = list_staged(s3, settings)
        since = min((item.staged_at for item in staged), default=values["now"])
        settled = self._run("lake/load_ledger/loaded_paths.sql", settings, {"staged_since": since}).rows
        paths = {row["source_path"] for row in settled}
        unloaded = [item.staged_at for item in staged if item.path not in paths]
        newest = self._run("lake/events/newest.sql", settings, values).rows[0]["newest_received_at"]
        runs = self._run("lake/load_runs/recent.sql", settings, values).rows
        figures = Figures(
            now=values["now"],
            unloaded_objects=len(unloaded),
            oldest_unloaded_at=min(unloaded, default=None),
            newest_received_at=newest,
            dead_letters=self._dead_letters(settings),
            failed_objects=len(list_failed(s3, settings.raw_bucket)) if settings.raw_bucket else None,
            runs=[RunFigures(**row) for row in runs],
        )
        self.log.info("%s", figures)
        return figures

    def _dead_letters(self, settings: Settings) -> int | None:
        if not settings.stage_dead_letter_queue:
            return None
        sqs = AwsBaseHook(settings.aws_conn_id, client_type="sqs").get_conn()
        return count_messages(sqs, queue_url(sqs, settings.stage_dead_letter_queue))
