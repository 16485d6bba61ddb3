"""The part of a day that a server sends with Segment's Python SDK, to the collector instead of Segment."""

import json
from collections.abc import Iterable
from datetime import datetime

from local.segment.sources import BACK_OFFICE, BACK_OFFICE_KEY, Json


class SdkError(RuntimeError):
    """The SDK was told that messages were not taken."""


def split(records: Iterable[bytes]) -> tuple[list[bytes], list[Json]]:
    """Return the records that come by Segment, and the messages of the back office, whose server has the SDK."""
    by_segment: list[bytes] = []
    by_sdk: list[Json] = []
    for record in records:
        message = _back_office_message(record)
        if message is None:
            by_segment.append(record)
        else:
            by_sdk.append(message)
    return by_segment, by_sdk


def _back_office_message(record: bytes) -> Json | None:
    try:
        message = json.loads(record)
    except ValueError:
        return None
    is_whole = isinstance(message, dict) and message.get("messageId")
    return message if is_whole and message.get("projectId") == BACK_OFFICE.project_id else None


def send(messages: Iterable[Json], url: str) -> None:
    """Make the call of each message, with its time and id. Raises SdkError."""
    from segment.analytics.client import Client  # noqa: PLC0415 - only the local environment has it

    errors: list[Exception] = []
    client = Client(
        BACK_OFFICE_KEY, host=url, gzip=True, max_retries=2, on_error=lambda error, items: errors.append(error)
    )
    for message in messages:
        common = {
            "user_id": message["userId"],
            "context": message["context"],
            "integrations": message["integrations"],
            "timestamp": datetime.fromisoformat(message["originalTimestamp"]),
            "message_id": message["messageId"],
        }
        if message["type"] == "identify":
            client.identify(traits=message["traits"], **common)
        else:
            client.track(event=message["event"], properties=message["properties"], **common)
    client.shutdown()
    if errors:
        raise SdkError(f"the collector at {url} did not take what the Python SDK sent: {errors[0]}")
