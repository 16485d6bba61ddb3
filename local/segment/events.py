"""A believable day of Segment-spec events, as Segment's Kinesis destination would put them on a stream.

Pure and seeded: the same seed, `now` and number of users make the same bytes.
"""

import functools
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from local.segment.catalogue import PEOPLE, PLACES
from local.segment.journeys import Step, Visitor, app_visit, back_office_steps, company_visit, web_visit
from local.segment.sources import (
    BACK_OFFICE,
    WEB,
    Json,
    android_phone,
    back_office_server,
    browser,
    iphone,
    iso_z,
    message_id,
)

DAY_SECONDS = 24 * 3600.0
VISIT_GAP_SECONDS = 1500.0
DEFAULT_USERS = 120
BAD_KINDS = ("not_json", "json_array", "truncated_json", "no_message_id")


@dataclass(frozen=True)
class DaySummary:
    """What was generated, counted while generating and by nothing in the pipeline.

    `sent` = `valid` + `duplicates` + the sum of `bad`. `valid` counts distinct messages; `by_type` and `by_source`
    split it; `late`, `clock_skewed` and `future` are parts of it.
    """

    sent: int
    valid: int
    duplicates: int
    bad: Mapping[str, int]
    by_type: Mapping[str, int]
    by_source: Mapping[str, int]
    late: int
    clock_skewed: int
    future: int


@dataclass(frozen=True)
class Day:
    """The records in the order Segment received them, and their summary."""

    records: tuple[bytes, ...]
    summary: DaySummary

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.records)


@dataclass(frozen=True)
class Delivery:
    """How the events of one visit reach Segment; all in seconds.

    `queued`: how long they waited on the device (one upload for all of them when over a minute);
    `clock_error`: how far the device's clock is off, in every time it writes;
    `supplied`: added to the time of the event alone, as a caller does who supplies a wrong `timestamp`.
    """

    queued: float = 0.0
    clock_error: float = 0.0
    supplied: float = 0.0


def generate_day(seed: int, now: datetime, users: int = DEFAULT_USERS) -> Day:
    """Return the day up to `now` (aware): about 18 records a user, sorted by receivedAt, the newest some seconds old.

    A new seed makes new people, journeys and messageIds. From 12 users on, every kind of event and of oddness the
    module knows is there: late, clock-skewed and future events, exact duplicates, and each of `BAD_KINDS`.
    Raises ValueError when `users` is below 1 or `now` has no time zone.
    """
    if users < 1:
        raise ValueError(f"users must be at least 1, not {users}")
    if now.tzinfo is None:
        raise ValueError("now must have a time zone")
    now = now.astimezone(UTC)
    rng = random.Random(seed)
    sent: list[tuple[datetime, Json, Delivery, str]] = []
    for index in range(users):
        sent.extend(_user_events(rng, index, now))
    valid = [(at, _encode(message, name)) for at, message, _, name in sent]
    duplicates = rng.sample(valid, min(len(valid), max(3, len(valid) // 250)))
    bad = [_bad_record(rng, now, kind, valid) for kind in BAD_KINDS for _ in range(max(2, users // 60))]
    everything = sorted([*valid, *duplicates, *((at, data) for at, data, _ in bad)], key=lambda record: record[0])
    summary = DaySummary(
        sent=len(everything),
        valid=len(valid),
        duplicates=len(duplicates),
        bad=Counter(kind for _, _, kind in bad),
        by_type=Counter(message["type"] for _, message, _, _ in sent),
        by_source=Counter(name for _, _, _, name in sent),
        late=sum(delivery.queued > DAY_SECONDS for _, _, delivery, _ in sent),
        clock_skewed=sum(delivery.clock_error != 0 for _, _, delivery, _ in sent),
        future=sum(delivery.supplied > 0 for _, _, delivery, _ in sent),
    )
    return Day(tuple(data for _, data in everything), summary)


def _user_events(rng: random.Random, index: int, now: datetime) -> Iterator[tuple[datetime, Json, Delivery, str]]:
    """Yield every event of one user, as (receivedAt, message, delivery, source name)."""
    visits = _visits(rng, index, _visitor(rng))
    length = sum(step.pause for steps, _ in visits for step in steps) + VISIT_GAP_SECONDS * (len(visits) - 1)
    clock = _ends_at(rng, index, now) - timedelta(seconds=length)
    clock = max(clock, now - timedelta(seconds=DAY_SECONDS))
    for steps, delivery in visits:
        upload = clock + timedelta(seconds=sum(step.pause for step in steps) + 5)
        for step in steps:
            clock += timedelta(seconds=step.pause)
            sent_at = upload if delivery.queued > 60 else clock + timedelta(seconds=rng.uniform(0.02, 4))
            received_at = sent_at + timedelta(seconds=rng.uniform(0.03, 0.9))
            if received_at <= now:
                yield _message(rng, step, delivery, clock, sent_at, received_at)
        clock += timedelta(seconds=VISIT_GAP_SECONDS)


def _ends_at(rng: random.Random, index: int, now: datetime) -> datetime:
    """Return when the user's last visit ends: one in ten is on the site until now, the others follow the Korean day."""
    if index % 10 == 0:
        return now + timedelta(seconds=rng.uniform(0, 50))
    while True:
        end = now - timedelta(seconds=rng.uniform(30, DAY_SECONDS * 0.95))
        korean_hour = (end.hour + 9) % 24
        if rng.random() < (0.15 if korean_hour < 7 else 1.0 if korean_hour >= 19 else 0.6):
            return end


def _visitor(rng: random.Random) -> Visitor:
    name, locale = rng.choice(PEOPLE)
    number = rng.randrange(1_000_000, 9_999_999)
    countries = {"ko": "KR", "en": "US", "es": "US", "ja": "JP", "de": "DE"}
    place = rng.choice([place for place in PLACES if place.country == countries[locale[:2]]])
    return Visitor(f"mu_{number}", name, f"user{number}@example.com", locale, place)


def _visits(rng: random.Random, index: int, visitor: Visitor) -> list[tuple[list[Step], Delivery]]:
    """Return the visits of user number `index` in order of time: what they do and how it is delivered."""
    web = browser(rng, visitor.place, visitor.locale)
    ios = iphone(rng, visitor.place, visitor.locale)
    android = android_phone(rng, visitor.place, visitor.locale)
    office = back_office_server()
    normal = Delivery()
    days_late = Delivery(queued=rng.uniform(1.3, 6) * DAY_SECONDS)
    wrong_clock = Delivery(clock_error=rng.choice((-3 * 365 * DAY_SECONDS, 2 * 3600.0, 400 * DAY_SECONDS)))
    ahead = Delivery(supplied=rng.uniform(20, 90) * 60)
    visit = functools.partial(web_visit, rng, visitor, web)
    in_app = functools.partial(app_visit, rng, visitor)
    match index % 12:
        case 0 | 4:
            return [(visit(known=False, buys=True), normal), (in_app(ios, known=True, signs_up=False), normal)]
        case 1:
            return [(visit(known=False, buys=False), normal)]
        case 2 | 7:
            return [(in_app(android, known=False, signs_up=True), normal)]
        case 3:
            return [(in_app(ios, known=False, signs_up=False), normal), (visit(known=False, buys=True), normal)]
        case 5:
            return [(company_visit(rng, visitor, web), normal)]
        case 6:
            return [(in_app(android, known=True, signs_up=False), days_late)]
        case 8:
            return [(in_app(ios, known=True, signs_up=False), wrong_clock)]
        case 9:
            return [(visit(known=True, buys=False), wrong_clock)]
        case 10:
            return [(back_office_steps(rng, visitor, office), normal), (visit(known=True, buys=True), normal)]
        case _:
            return [(visit(known=False, buys=False), normal), (back_office_steps(rng, visitor, office), ahead)]


def _message(
    rng: random.Random, step: Step, delivery: Delivery, happened: datetime, sent_at: datetime, received_at: datetime
) -> tuple[datetime, Json, Delivery, str]:
    """Return one message in Segment's shape. A server's clock is right even if the visit's device has a wrong one."""
    device, source = step.device, step.device.source
    error = timedelta(seconds=delivery.clock_error if source.channel == "client" else 0)
    original = happened + error - timedelta(seconds=delivery.queued) + timedelta(seconds=delivery.supplied)
    message: Json = {"anonymousId": device.anonymous_id} if device.anonymous_id else {}
    message |= {"channel": source.channel, "context": device.context | step.context}
    message |= step.fields
    message |= {
        "integrations": {} if source.channel == "client" else {"Salesforce": False},
        "messageId": message_id(rng, source, original),
        "originalTimestamp": source.write_time(original),
        "projectId": source.project_id,
        "receivedAt": iso_z(received_at),
        "sentAt": source.write_time(sent_at + error),
        "timestamp": iso_z(received_at - (sent_at + error - original)),
        "type": step.call,
        "version": source.version,
    }
    if step.user_id or source is WEB:
        message["userId"] = step.user_id
    if source is WEB:
        message["_metadata"] = {"bundled": ["Segment.io"], "unbundled": [], "bundledIds": []}
    return received_at, message, delivery, source.name


def _encode(message: Json, source_name: str) -> bytes:
    ascii_only = source_name == BACK_OFFICE.name
    return json.dumps(message, ensure_ascii=ascii_only, separators=(",", ":")).encode()


def _bad_record(
    rng: random.Random, now: datetime, kind: str, valid: list[tuple[datetime, bytes]]
) -> tuple[datetime, bytes, str]:
    """Return a record that is no event, made from one that is: what broken producers and proxies put on a stream."""
    at, good = rng.choice(valid)
    message = json.loads(good)
    message["messageId"] = f"broken-{rng.getrandbits(64):016x}"
    whole = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    if kind == "not_json":
        return at, f"<html><body>502 Bad Gateway, request {rng.getrandbits(48):012x}</body></html>".encode(), kind
    if kind == "json_array":
        return at, b"[" + whole + b"]", kind
    if kind == "truncated_json":
        return at, whole[: rng.randint(len(whole) // 3, len(whole) - 40)], kind
    del message["messageId"]
    return at, json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode(), kind
