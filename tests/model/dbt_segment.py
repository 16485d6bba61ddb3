"""The session rules of the dbt package `segment` of dbt-labs, from its published models, for page views.

models/base/segment_web_page_views.sql: each id once, the first received. segment_web_page_views__sessionized.sql: by
anonymous id in order of `timestamp`; a page view goes on with a session when datediff('second') from the one before is
at most `segment_inactivity_cutoff` (30 * 60). datediff counts whole seconds' boundaries.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

CUTOFF = 30 * 60


def page_view_sessions(messages: Iterable[Mapping[str, Any]]) -> set[tuple[str, ...]]:
    """The sessions, each as its message ids in order."""
    first: dict[str, Mapping[str, Any]] = {}
    for message in sorted(messages, key=lambda m: datetime.fromisoformat(m["receivedAt"])):
        if message["type"] == "page":
            first.setdefault(message["messageId"], message)
    rows = sorted((m.get("anonymousId") or "", _tstamp(m), m["messageId"]) for m in first.values())
    sessions: list[list[str]] = []
    before: tuple[str, datetime] | None = None
    for anonymous_id, at, message_id in rows:
        if before is not None and before[0] == anonymous_id and _second(at) - _second(before[1]) <= CUTOFF:
            sessions[-1].append(message_id)
        else:
            sessions.append([message_id])
        before = (anonymous_id, at)
    return {tuple(session) for session in sessions}


def _tstamp(message: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(message["timestamp"])


def _second(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp() // 1)
