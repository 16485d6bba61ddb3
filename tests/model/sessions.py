"""What `sessions`, `session_events` and `identities` must hold, from docs/sessions.md, in plain Python.

Shares no code with the pipeline. Events are dictionaries as Segment sends them; instants are ISO 8601 text.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Message = Mapping[str, Any]


@dataclass(frozen=True)
class Rules:
    """When a session ends, and which clocks are believed."""

    idle: timedelta = timedelta(minutes=30)
    longest: timedelta = timedelta(hours=24)
    late: timedelta = timedelta(days=30)
    early: timedelta = timedelta(minutes=5)
    conversions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Session:
    """Messages of one visitor, in order. `is_capped`: the next session follows within the idle time."""

    visitor: str
    messages: tuple[Message, ...]
    times: tuple[datetime, ...]
    is_capped: bool


def visitor_of(message: Message) -> str | None:
    """The device, else the user; None when the message names neither."""
    return message.get("anonymousId") or message.get("userId") or None


def time_of(message: Message, rules: Rules) -> datetime:
    """When it happened, or when it was received if that cannot be true."""
    happened, received = (datetime.fromisoformat(message[key]) for key in ("timestamp", "receivedAt"))
    return happened if received - rules.late <= happened <= received + rules.early else received


def sessions_of(messages: Iterable[Message], rules: Rules = Rules()) -> list[Session]:
    """All sessions of these messages, each message once by its id."""
    by_visitor: dict[str, dict[str, Message]] = defaultdict(dict)
    for message in messages:
        visitor = visitor_of(message)
        if visitor is not None:
            by_visitor[visitor][message["messageId"]] = message
    return [session for visitor in by_visitor for session in _walk(visitor, by_visitor[visitor].values(), rules)]


def _walk(visitor: str, messages: Iterable[Message], rules: Rules) -> list[Session]:
    timed = sorted(((time_of(message, rules), message["messageId"], message) for message in messages), key=_order)
    groups: list[list[tuple[datetime, str, Message]]] = []
    for entry in timed:
        if groups and entry[0] - groups[-1][-1][0] <= rules.idle and entry[0] - groups[-1][0][0] <= rules.longest:
            groups[-1].append(entry)
        else:
            groups.append([entry])
    found = []
    for number, group in enumerate(groups):
        follower = groups[number + 1][0][0] if number + 1 < len(groups) else None
        capped = follower is not None and follower - group[-1][0] <= rules.idle
        found.append(Session(visitor, tuple(e[2] for e in group), tuple(e[0] for e in group), capped))
    return found


def _order(entry: tuple[datetime, str, Message]) -> tuple[datetime, str]:
    return entry[:2]


def step_of(message: Message) -> str:
    """What was seen or done, as a word."""
    page = message.get("context", {}).get("page", {})
    if message["type"] == "page":
        return page.get("path") or message.get("name") or "page"
    if message["type"] == "screen":
        return message.get("name") or "screen"
    if message["type"] == "track":
        return "_".join(message["event"].lower().split())
    return message["type"]


def row_of(session: Session, rules: Rules = Rules()) -> dict[str, Any]:
    """The columns of `sessions` that the messages decide, but for the id."""
    messages, times = session.messages, session.times
    pages = [m for m in messages if m["type"] == "page"]
    tracks = [m for m in messages if m["type"] == "track"]
    steps = [step_of(m) for m in messages if m["type"] in ("page", "screen", "track")]
    screens = sum(m["type"] == "screen" for m in messages)
    users = [m["userId"] for m in messages if m.get("userId")]
    received = [datetime.fromisoformat(m["receivedAt"]) for m in messages]
    campaign = next((c for m in messages if (c := m.get("context", {}).get("campaign"))), {})
    return {
        "visitor_id": session.visitor,
        "started_at": times[0],
        "ended_at": times[-1],
        "duration_seconds": (times[-1] - times[0]) / timedelta(seconds=1),
        "event_count": len(messages),
        "page_count": len(pages),
        "screen_count": screens,
        "track_count": len(tracks),
        "conversion_count": sum(step_of(m) in rules.conversions for m in tracks),
        "entry_step": steps[0] if steps else None,
        "exit_step": steps[-1] if steps else None,
        "entry_page_path": pages[0].get("context", {}).get("page", {}).get("path") if pages else None,
        "exit_page_path": pages[-1].get("context", {}).get("page", {}).get("path") if pages else None,
        "referrer_url": _first(messages, "page", "referrer"),
        "campaign_name": campaign.get("name"),
        "campaign_source": campaign.get("source"),
        "os_name": _first(messages, "os", "name"),
        "first_user_id": users[0] if users else None,
        "last_user_id": users[-1] if users else None,
        "user_count": len(set(users)),
        "is_bounce": len(pages) + screens == 1 and not tracks,
        "is_capped": session.is_capped,
        "first_message_id": messages[0]["messageId"],
        "first_received_at": min(received),
        "last_received_at": max(received),
    }


def _first(messages: Sequence[Message], part: str, key: str) -> Any:
    return next((v for m in messages if (v := m.get("context", {}).get(part, {}).get(key))), None)


def spells_of(sessions: Iterable[Session], rules: Rules = Rules()) -> list[tuple[str, str, datetime]]:
    """Which device had which user since when: a row whenever the user of a device changes. Without alias calls."""
    seen = sorted(
        (time_of(m, rules), m["messageId"], m["anonymousId"], m["userId"])
        for session in sessions
        for m in session.messages
        if m.get("anonymousId") and m.get("userId")
    )
    current: dict[str, str] = {}
    spells = []
    for at, _, device, user in seen:
        if current.get(device) != user:
            current[device] = user
            spells.append((device, user, at))
    return spells
