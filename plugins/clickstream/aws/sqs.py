"""The few calls to SQS."""

from collections.abc import Mapping
from typing import Any

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
BATCH_LIMIT = 10
_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class MessageError(RuntimeError):
    """SQS refused some messages; the message says how many, and names the first."""


def queue_url(client: Any, name: str) -> str:
    """Return the address of a queue of this account."""
    url: str = client.get_queue_url(QueueName=name)["QueueUrl"]
    return url


def count_messages(client: Any, url: str) -> int:
    """About how many messages a queue holds: waiting, with a consumer, or delayed."""
    counts = client.get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))["Attributes"]
    return sum(int(counts[name]) for name in _COUNTS)


def send_messages(client: Any, url: str, bodies: Mapping[str, str]) -> int:
    """Send each body; return how many. `bodies` are by name, which only messages of errors use.

    Raises MessageError when SQS refuses one, after all the others were sent.
    """
    named, refused = list(bodies.items()), []
    for first in range(0, len(named), BATCH_LIMIT):
        chunk = named[first : first + BATCH_LIMIT]
        entries = [{"Id": str(number), "MessageBody": body} for number, (_, body) in enumerate(chunk)]
        answer = client.send_message_batch(QueueUrl=url, Entries=entries)
        refused += [f"{chunk[int(failed['Id'])][0]}: {failed['Code']}" for failed in answer.get("Failed", [])]
    if refused:
        raise MessageError(f"{len(refused)} of {len(bodies)} messages refused, first {refused[0]}")
    return len(bodies)
