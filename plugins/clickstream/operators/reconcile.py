"""Operators that look after the way from `raw/` to the staging folder."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from clickstream.aws.s3 import list_raw
from clickstream.aws.sqs import count_messages, queue_url, send_messages
from clickstream.form import FormError, read_whole
from clickstream.settings import Settings, load_settings
from clickstream.staging.reconcile import LONGEST_MINUTES, has_lost_events, notification, overdue


class SqsReconcileRawOperator(BaseOperator):
    """Put an S3 event on the stage queue for each raw object whose own event was lost.

    An object counts as lost when it is older than `reconcile_after_minutes`, or than the run's param
    `after_minutes`, and `raw/` holds more objects than the queue holds messages. `reconcile_max_objects` a
    run at most. Needs CLICKSTREAM_RAW_BUCKET and CLICKSTREAM_STAGE_QUEUE.
    """

    def execute(self, context: Context) -> dict[str, int]:
        """Return counts: raw (all objects there), overdue, sent, left (to the next run)."""
        settings = load_settings()
        settings.require("raw_bucket", "stage_queue")
        after = _after(context["params"], settings)
        sqs = AwsBaseHook(settings.aws_conn_id, client_type="sqs").get_conn()
        url = queue_url(sqs, settings.stage_queue)
        messages = count_messages(sqs, url)
        found = list_raw(AwsBaseHook(settings.aws_conn_id, client_type="s3").get_conn(), settings.raw_bucket)
        late = overdue(found, datetime.now(UTC), after)
        sent = []
        if late and has_lost_events(len(found), messages):
            sent = late[: settings.reconcile_max_objects]
            self.log.error("%d raw objects were not staged: S3's event was lost, first %s", len(late), late[0].key)
            send_messages(sqs, url, {item.key: notification(settings.raw_bucket, item) for item in sent})
        elif late:
            self.log.warning("%d raw objects are late and in the queue, first %s", len(late), late[0].key)
        return {"raw": len(found), "overdue": len(late), "sent": len(sent), "left": len(late) - len(sent)}


class SqsCheckDeadLettersOperator(BaseOperator):
    """Fail when objects could not be staged after all retries; skipped without CLICKSTREAM_STAGE_DEAD_LETTER_QUEUE."""

    def execute(self, context: Context) -> int:
        """Return how many messages the dead-letter queue holds."""
        settings = load_settings()
        if not settings.stage_dead_letter_queue:
            raise AirflowSkipException("CLICKSTREAM_STAGE_DEAD_LETTER_QUEUE is not set")
        sqs = AwsBaseHook(settings.aws_conn_id, client_type="sqs").get_conn()
        count = count_messages(sqs, queue_url(sqs, settings.stage_dead_letter_queue))
        if count:
            self.log.error("%d messages in %s: see stage_object's log", count, settings.stage_dead_letter_queue)
        return count


def _after(params: Mapping[str, Any], settings: Settings) -> timedelta:
    if params.get("after_minutes") is None:
        return timedelta(minutes=settings.reconcile_after_minutes)
    try:
        return timedelta(minutes=read_whole(params, "after_minutes", 0, LONGEST_MINUTES))
    except FormError as error:
        raise AirflowFailException(str(error)) from None
