"""Generates days of events for session tests: every case that makes sessions hard, from one seed."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 11, 20, tzinfo=UTC)
PATHS = ("/", "/search", "/cart", "/checkout", "/teapots/1", "/teapots/2")
EVENTS = ("Product Viewed", "Product Added", "Order Completed")
OS = ("iOS", "Android", None)


class Days:
    """Makes messages, each with an id of its own; `seed` decides all."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def message(
        self, at: datetime, device: str | None, user: str | None, kind: str | None = None, **fields: Any
    ) -> dict[str, Any]:
        """One message. Most were received at once, some late, a few by a clock that is far wrong."""
        kind = kind or self.rng.choices(("page", "track", "screen", "identify"), (6, 5, 2, 1 if user else 0))[0]
        ids = {name: value for name, value in (("anonymousId", device), ("userId", user)) if value is not None}
        return {
            "messageId": f"m{self.rng.getrandbits(64):016x}",
            "type": kind,
            "timestamp": iso(at),
            "receivedAt": iso(at + self._delay()),
            "context": self._context(kind),
            **ids,
            **self._said(kind),
            **fields,
        }

    def _delay(self) -> timedelta:
        draw = self.rng.random()
        if draw < 0.04:
            return timedelta(hours=self.rng.choice((1, 5, 30)))
        if draw < 0.045:
            return timedelta(days=31)
        if draw < 0.05:
            return -timedelta(minutes=self.rng.choice((4, 6, 600)))
        return timedelta(seconds=self.rng.uniform(0, 30))

    def _said(self, kind: str) -> dict[str, Any]:
        if kind == "screen":
            return {"name": self.rng.choice(("Home", "Cart"))}
        return {"event": self.rng.choice(EVENTS)} if kind == "track" else {}

    def _context(self, kind: str) -> dict[str, Any]:
        context: dict[str, Any] = {}
        if kind == "page":
            context["page"] = {"path": self.rng.choice(PATHS)}
            if self.rng.random() < 0.2:
                context["page"]["referrer"] = self.rng.choice(("https://a.example/", "https://b.example/"))
        if self.rng.random() < 0.1:
            context["campaign"] = {"name": self.rng.choice(("tea", "cup")), "source": "mail"}
        if name := self.rng.choice(OS):
            context["os"] = {"name": name}
        return context

    def visits(self, device: str, user: str, days: int, per_visitor: int) -> Iterator[dict[str, Any]]:
        """A person on one device, known from some moment on; pauses near the limit, whole minutes, equal instants."""
        at = START + timedelta(minutes=self.rng.randrange(days * 24 * 60))
        known_after = self.rng.randrange(per_visitor * 2)
        for number in range(per_visitor):
            yield self.message(at, device, user if number >= known_after else None)
            pause = self.rng.choices((0, 1, 10, 29, 30, 31, 60 * 9), (2, 8, 4, 2, 2, 2, 1))[0]
            at += timedelta(minutes=pause)

    def bot(self, device: str, every: int, hours: int) -> Iterator[dict[str, Any]]:
        """A chain with no pause for days: cut at the longest duration, and across midnights."""
        at = START + timedelta(minutes=self.rng.randrange(60))
        while at < START + timedelta(hours=hours):
            received = at + timedelta(hours=self.rng.choice((0, 0, 0, 5)))
            yield self.message(at, device, None, "page", receivedAt=iso(received))
            at += timedelta(minutes=self.rng.randint(1, every))

    def kiosk(self, device: str, users: int) -> Iterator[dict[str, Any]]:
        """One device, many people."""
        for number in range(users):
            at = START + timedelta(minutes=17 * number)
            for second in range(4):
                yield self.message(at + timedelta(seconds=second), device, f"{device}-guest{number % (users // 2)}")

    def server(self, user: str, events: int) -> Iterator[dict[str, Any]]:
        """A service that knows the user and no device."""
        for _ in range(events):
            yield self.message(START + timedelta(minutes=self.rng.randrange(2000)), None, user, "track")


def shop_days(seed: int, size: int, days: int = 1) -> list[dict[str, Any]]:
    """About `size` distinct messages of that many days, and one in fifty of them twice, shuffled."""
    make = Days(seed)
    found = [
        *(message for every in (20, 24, 28, 30) for message in make.bot(f"bot{every}", every, days * 24 + 5)),
        *make.kiosk("kiosk", 40),
        *(message for number in range(size // 400) for message in make.server(f"user{number}", 5)),
        *(make.message(START, None, None, "track") for _ in range(5)),
    ]
    number = 0
    while len(found) < size:
        found += make.visits(f"device{number}", f"user{number}", days, make.rng.randint(1, 120))
        number += 1
    found = found[:size]
    found += make.rng.sample(found, size // 50)
    make.rng.shuffle(found)
    return found


def iso(at: datetime) -> str:
    """As Segment writes it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
