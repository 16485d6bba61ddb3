"""A generated day: every message follows the Segment spec, and every kind of oddness is in it."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from local.segment.events import BAD_KINDS, Day, generate_day

NOW = datetime(2026, 11, 24, 12, 34, 56, 789_000, tzinfo=UTC)
SCHEMA = json.loads(Path(__file__).with_name("segment_message.schema.json").read_text())
PRODUCT_EVENTS = {"Product Viewed", "Product Added"}


@pytest.fixture(scope="module")
def day() -> Day:
    return generate_day(seed=1, now=NOW)


@pytest.fixture(scope="module")
def messages(day: Day) -> list[dict[str, Any]]:
    """The distinct valid messages, in order."""
    found: dict[str, dict[str, Any]] = {}
    for record in day.records:
        message = parse(record)
        if isinstance(message, dict) and "messageId" in message:
            found.setdefault(message["messageId"], message)
    return list(found.values())


def parse(record: bytes) -> Any:
    try:
        return json.loads(record)
    except ValueError:
        return None


def time_of(message: dict[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(message[name])


def test_every_message_follows_the_spec(messages: list[dict[str, Any]]) -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker(["ipv4", "ipv6"]))
    errors = [(m["messageId"], error.message) for m in messages for error in validator.iter_errors(m)]
    assert errors == []


def test_the_summary_counts_what_is_there(day: Day, messages: list[dict[str, Any]]) -> None:
    records = Counter(day.records)
    summary = day.summary
    assert summary.sent == len(day.records) == summary.valid + summary.duplicates + sum(summary.bad.values())
    assert summary.valid == len(messages)
    assert summary.duplicates == len(day.records) - len(records)
    assert summary.by_type == Counter(m["type"] for m in messages)
    assert sorted(summary.by_source.values()) == sorted(Counter(m["projectId"] for m in messages).values())
    ages = [time_of(m, "receivedAt") - time_of(m, "timestamp") for m in messages]
    assert summary.late == sum(age > timedelta(hours=24) for age in ages)
    assert summary.future == sum(age < -timedelta(minutes=5) for age in ages)
    skewed = [m for m in messages if abs(time_of(m, "receivedAt") - time_of(m, "sentAt")) > timedelta(hours=1)]
    assert summary.clock_skewed == len(skewed)


def test_a_day_of_the_default_size_is_about_two_thousand_events(day: Day) -> None:
    assert 1_800 <= len(day.records) <= 2_400
    sizes = sorted(map(len, day.records))
    assert sizes[len(sizes) // 20] >= 700
    assert sizes[-len(sizes) // 20] <= 2_048


@pytest.mark.parametrize("users", [12, 13, 36])
def test_a_small_day_has_every_kind_of_event_and_oddness(users: int) -> None:
    summary = generate_day(seed=3, now=NOW, users=users).summary
    assert set(summary.by_type) == {"track", "page", "screen", "identify", "group", "alias"}
    assert set(summary.by_source) == {"web", "ios", "android", "orders", "back_office"}
    assert set(summary.bad) == set(BAD_KINDS)
    assert min(summary.duplicates, summary.late, summary.clock_skewed, summary.future) > 0


def test_bad_records_are_what_their_kind_says(day: Day) -> None:
    kinds: Counter[str] = Counter()
    for record in day.records:
        message = parse(record)
        if message is None:
            kinds["truncated_json" if record.startswith(b"{") else "not_json"] += 1
        elif isinstance(message, list):
            kinds["json_array"] += 1
        elif "messageId" not in message:
            kinds["no_message_id"] += 1
    assert kinds == day.summary.bad


def test_received_at_covers_the_day_up_to_now_in_order(messages: list[dict[str, Any]]) -> None:
    received = [time_of(m, "receivedAt") for m in messages]
    assert received == sorted(received)
    assert received[0] >= NOW - timedelta(hours=24)
    assert NOW - timedelta(minutes=1) <= received[-1] <= NOW
    assert len({at.replace(minute=0, second=0, microsecond=0) for at in received}) >= 20


def test_timestamp_follows_the_segment_rule(messages: list[dict[str, Any]]) -> None:
    for message in messages:
        on_device = time_of(message, "sentAt") - time_of(message, "originalTimestamp")
        expected = time_of(message, "receivedAt") - on_device
        assert abs(time_of(message, "timestamp") - expected) <= timedelta(milliseconds=2), message["messageId"]


def test_times_are_written_with_several_offsets_and_precisions(messages: list[dict[str, Any]]) -> None:
    endings = {m["originalTimestamp"][19:][-6:] if m["originalTimestamp"][-1] != "Z" else "Z" for m in messages}
    assert endings == {"Z", "+00:00", "+09:00"}
    assert {len(m["sentAt"]) for m in messages} == {24, 29, 32}


def test_people_are_anonymous_first_and_known_later(messages: list[dict[str, Any]]) -> None:
    became_known = 0
    for identify in (m for m in messages if m["type"] == "identify" and "anonymousId" in m):
        same = [m for m in messages if m.get("anonymousId") == identify["anonymousId"]]
        at = same.index(identify)
        assert {m["userId"] for m in same[at:]} == {identify["userId"]}
        became_known += any(m.get("userId") is None for m in same[:at])
    assert became_known > 10


def test_one_user_goes_from_landing_to_order_across_sources(messages: list[dict[str, Any]]) -> None:
    buyer = next(m for m in messages if m.get("event") == "Order Completed" and m["channel"] == "server")
    same = [m for m in messages if m.get("anonymousId") == buyer["anonymousId"]]
    names = [m.get("event") or m.get("name") for m in same]
    if same[0]["type"] == "page":
        assert same[0]["category"] == "Landing"
        assert "Products Searched" in names
    path = [n for n in names if n in {"Product Viewed", "Checkout Started", "Order Completed"}]
    assert path[0] == "Product Viewed"
    assert path[-2:] == ["Checkout Started", "Order Completed"]
    users = Counter(
        m["userId"] for m in messages if m.get("userId") and m["channel"] == "client" and m["type"] != "alias"
    )
    devices = {(m["userId"], m["projectId"]) for m in messages if m.get("userId") in users}
    assert max(Counter(user for user, _ in devices).values()) >= 3


def test_the_same_key_has_many_types(messages: list[dict[str, Any]]) -> None:
    viewed = [m["properties"] for m in messages if m.get("event") in PRODUCT_EVENTS]
    assert {type(p["price"]) for p in viewed} == {int, str, dict}
    assert {type(p["product_id"]) for p in viewed} == {int, str}
    assert {type(p["category"]) for p in viewed} == {str, list}
    orders = [m["properties"] for m in messages if "products" in m.get("properties", {})]
    assert {type(p["coupon"]) for p in orders} == {type(None), str, dict}
    filters = [m["properties"]["filters"] for m in messages if m.get("event") == "Product List Filtered"]
    assert {type(f) for f in filters} == {list, str}
    assert all(isinstance(json.loads(f), dict) for f in filters if isinstance(f, str))


def test_text_in_many_scripts_campaigns_and_referrers(day: Day, messages: list[dict[str, Any]]) -> None:
    everything = b"\n".join(day.records).decode()
    for text in ("녹차", "🎁", "찜하기 ❤️", "東京", "\\ud83c\\udf75", "José"):
        assert text in everything, text
    assert {m["context"]["campaign"]["source"] for m in messages if "campaign" in m["context"]} >= {"naver", "google"}
    assert len({m["context"]["page"]["referrer"] for m in messages if "page" in m["context"]}) > 5


def test_a_seed_decides_the_bytes(day: Day) -> None:
    assert generate_day(seed=1, now=NOW.astimezone(timezone(timedelta(hours=9)))).records == day.records
    other = generate_day(seed=2, now=NOW)
    ids = [{m["messageId"] for r in d if isinstance(m := parse(r), dict) and "messageId" in m} for d in (day, other)]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize(("users", "now"), [(0, NOW), (-3, NOW), (1, NOW.replace(tzinfo=None))])
def test_impossible_requests_are_refused(users: int, now: datetime) -> None:
    with pytest.raises(ValueError, match=r"must"):
        generate_day(seed=1, now=now, users=users)
