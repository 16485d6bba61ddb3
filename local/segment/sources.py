"""The sources that send to Segment: one shop's web site, two apps and two servers, each with its own SDK's habits.

The shapes of `context` follow the Segment spec's common fields
(https://segment.com/docs/connections/spec/common/) and what each SDK fills in.
"""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from local.segment.catalogue import Place

Json = dict[str, Any]
SEOUL = timezone(timedelta(hours=9))


def iso_z(at: datetime) -> str:
    """Return `2026-11-24T01:02:03.456Z`: milliseconds and Z, as Segment and most SDKs write a time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def iso_seoul(at: datetime) -> str:
    """Return `2026-11-24T10:02:03.456+09:00`: the phone's local time with its offset."""
    return at.astimezone(SEOUL).isoformat(timespec="milliseconds")


def iso_python(at: datetime) -> str:
    """Return `2026-11-24T01:02:03.456789+00:00`: what Python's isoformat returns, microseconds and a zero offset."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True)
class Source:
    """One Segment source: `project_id` distinguishes sources, `write_time` is how its SDK spells a time."""

    name: str
    project_id: str
    channel: str
    version: int | str
    write_time: Callable[[datetime], str]
    ascii_only: bool = False


WEB = Source("web", "vHk2mWq8TzYbNfX4cJpLr1", "client", 2, iso_z)
IOS = Source("ios", "a9KxPd3RtVuE7sGmQwZ5hB", "client", 2, iso_z)
ANDROID = Source("android", "n4LcYj6UoXiM2eBvSfT8kD", "client", 2, iso_seoul)
ORDERS = Source("orders", "q7WgZr1NhAyC5xKpJdF9mE", "server", "2", iso_z)
BACK_OFFICE = Source("back_office", "e3TvBn8MsQoL6uHjRcW2yG", "server", "1.1", iso_python, ascii_only=True)
BACK_OFFICE_KEY = "wk_local_back_office"
"""With which the back office's server sends to the local collector, which alone knows it."""


@dataclass(frozen=True)
class Device:
    """One installation of one source: its anonymous id and the context that it sends with every event."""

    source: Source
    anonymous_id: str | None
    context: Json = field(default_factory=dict)


def make_uuid(rng: random.Random) -> str:
    """Return a version 4 UUID drawn from `rng`."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def message_id(rng: random.Random, source: Source, at: datetime) -> str:
    """Return a messageId in the style of the source's SDK; at most 100 characters, as the spec requires."""
    if source is WEB:
        return f"ajs-next-{int(at.timestamp() * 1000)}-{make_uuid(rng)}"
    if source is IOS:
        return make_uuid(rng).upper()
    if source is ORDERS:
        return f"node-next-{int(at.timestamp() * 1000)}-{make_uuid(rng)}"
    return make_uuid(rng)


def address(rng: random.Random, place: Place) -> str:
    """Return an IP address (v4 or v6) in the documentation range of `place`."""
    return f"{place.address}{rng.randint(2, 250)}"


BROWSERS = (
    (
        "macOS",
        False,
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/142.0.0.0 Safari/537.36",
    ),
    (
        "Windows",
        False,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/142.0.0.0 Safari/537.36",
    ),
    (
        "Android",
        True,
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/142.0.0.0 Mobile Safari/537.36",
    ),
    (
        None,
        False,
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/26.0 Safari/605.1.15",
    ),
)


def browser(rng: random.Random, place: Place, locale: str) -> Device:
    """Return a browser with analytics.js; Safari sends no userAgentData."""
    platform, mobile, user_agent = rng.choice(BROWSERS)
    context: Json = {
        "ip": address(rng, place),
        "library": {"name": "analytics.js", "version": "npm:next-1.81.0"},
        "locale": locale,
        "timezone": place.timezone,
        "userAgent": user_agent,
    }
    if platform:
        brands = [
            {"brand": "Chromium", "version": "142"},
            {"brand": "Google Chrome", "version": "142"},
            {"brand": "Not_A Brand", "version": "99"},
        ]
        context["userAgentData"] = {"brands": brands, "mobile": mobile, "platform": platform}
    return Device(WEB, make_uuid(rng), context)


def iphone(rng: random.Random, place: Place, locale: str) -> Device:
    """Return an iPhone with analytics-swift."""
    model, width, height = rng.choice((("iPhone17,1", 402, 874), ("iPhone15,4", 393, 852), ("iPad14,3", 834, 1194)))
    version, build = rng.choice((("5.2.0", "5201"), ("5.1.3", "5133")))
    return Device(
        IOS,
        make_uuid(rng).upper(),
        {
            "app": {"name": "마루마켓", "version": version, "build": build, "namespace": "com.example.marumarket"},
            "device": {
                "id": make_uuid(rng).upper(),
                "manufacturer": "Apple",
                "model": model,
                "name": "iPhone",
                "type": "ios",
                "token": f"{rng.getrandbits(256):064x}",
            },
            "instanceId": make_uuid(rng).upper(),
            "ip": address(rng, place),
            "library": {"name": "analytics-swift", "version": "1.9.1"},
            "locale": locale,
            "network": {"bluetooth": False, "cellular": rng.random() < 0.4, "wifi": rng.random() < 0.7},
            "os": {"name": "iOS", "version": rng.choice(("26.1", "18.7.2"))},
            "screen": {"height": height, "width": width},
            "timezone": place.timezone,
        },
    )


ANDROID_MODELS = (
    ("samsung", "SM-S931N", 1080, 2118, 2.8125),
    ("Google", "Pixel 10", 1080, 2202, 2.625),
    ("samsung", "SM-F966N", 1968, 1973, 2.625),
)


def android_phone(rng: random.Random, place: Place, locale: str) -> Device:
    """Return an Android phone with analytics-kotlin."""
    maker, model, width, height, density = rng.choice(ANDROID_MODELS)
    tracking = rng.random() < 0.5
    device: Json = {
        "id": f"{rng.getrandbits(64):016x}",
        "manufacturer": maker,
        "model": model,
        "name": model.lower(),
        "type": "android",
        "adTrackingEnabled": tracking,
    }
    if tracking:
        device["advertisingId"] = make_uuid(rng)
    return Device(
        ANDROID,
        make_uuid(rng),
        {
            "app": {"name": "마루마켓", "version": "5.2.0", "build": 5201, "namespace": "com.example.marumarket"},
            "device": device,
            "instanceId": make_uuid(rng),
            "ip": address(rng, place),
            "library": {"name": "analytics-kotlin", "version": "1.21.0"},
            "locale": locale,
            "network": {
                "bluetooth": rng.random() < 0.5,
                "carrier": rng.choice(("SKT", "KT", "LG U+", "")),
                "cellular": rng.random() < 0.5,
                "wifi": rng.random() < 0.7,
            },
            "os": {"name": "Android", "version": rng.choice(("16", "15"))},
            "screen": {"density": density, "height": height, "width": width},
            "timezone": place.timezone,
            "userAgent": f"Dalvik/2.1.0 (Linux; U; Android 16; {model} Build/BP2A.250605.031)",
        },
    )


def orders_server(anonymous_id: str | None) -> Device:
    """Return the order service (Node.js), which gets the visitor's anonymous id from the ordering client."""
    return Device(ORDERS, anonymous_id, {"library": {"name": "@segment/analytics-node", "version": "2.3.0"}})


def back_office_server() -> Device:
    """Return the back office (Python), which knows users and no devices, and escapes every non-ASCII letter."""
    context: Json = {"active": False, "channel": "server"}
    return Device(BACK_OFFICE, None, context | {"library": {"name": "analytics-python", "version": "2.3.4"}})
