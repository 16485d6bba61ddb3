"""Notifications through the providers' hooks, also of failed runs.

Hooks and not the providers' notifiers: those render their text as a template, and a text here may hold keys that a
sender of events chose. See docs/adr/0014.
"""

import html
import logging
from collections.abc import Iterable

from airflow.sdk import Context

from clickstream.settings import Settings, load_settings
from clickstream.watch.notify import Destination, Kind, Message, read_destinations, slack_text

logger = logging.getLogger(__name__)

TIMEOUT = 30


class NotificationError(RuntimeError):
    """Some destinations were not notified; the message names them. The log was."""


def notify(destinations: Iterable[Destination], message: Message, settings: Settings) -> tuple[list[str], list[str]]:
    """Notify every destination, log first; one failure does not stop the others. Return (notified, failures)."""
    notified, failures = [], []
    for destination in sorted(destinations, key=lambda item: item.kind is not Kind.LOG):
        try:
            _send(destination, message, settings)
        except Exception as error:  # any library, any reason: the next one must still be notified
            logger.exception("not notified: %s", destination.name)
            failures.append(f"{destination.name}: {type(error).__name__}: {error}")
        else:
            notified.append(destination.name)
    return notified, failures


def notify_failure(context: Context) -> None:
    """Notify of a failed run, as a DAG's failure callback. Raises NotificationError when a destination failed."""
    settings, run = load_settings(), context["dag_run"]
    message = Message(
        f"FAILED: {run.dag_id} ({run.run_id})",
        "Read the log of its failed task, and the DAG's manual for what to do. Clear the run when the cause is gone.",
    )
    _, failures = notify(read_destinations(settings.notify), message, settings)
    if failures:
        raise NotificationError("; ".join(failures))


def _send(destination: Destination, message: Message, settings: Settings) -> None:
    # Hooks are imported where they are used: every task of every DAG imports this module.
    match destination.kind:
        case Kind.LOG:
            logger.error("%s\n%s", message.subject, message.text)
        case Kind.SLACK:
            from airflow.providers.slack.hooks.slack_webhook import SlackWebhookHook  # noqa: PLC0415

            hook = SlackWebhookHook(slack_webhook_conn_id=destination.target, timeout=TIMEOUT)
            hook.send(text=slack_text(message), unfurl_links=False, unfurl_media=False)
        case Kind.EMAIL:
            from airflow.providers.smtp.hooks.smtp import SmtpHook  # noqa: PLC0415

            with SmtpHook(smtp_conn_id=settings.smtp_conn_id) as hook:
                body = f"<pre>{html.escape(message.subject)}\n\n{html.escape(message.text)}</pre>"
                hook.send_email_smtp(to=destination.target, subject=message.short_subject, html_content=body)
        case Kind.SNS:
            from airflow.providers.amazon.aws.hooks.sns import SnsHook  # noqa: PLC0415

            region = destination.target.split(":")[3]
            hook = SnsHook(aws_conn_id=settings.aws_conn_id, region_name=region)
            hook.publish_to_target(
                destination.target, f"{message.subject}\n\n{message.text}", subject=message.short_subject
            )
