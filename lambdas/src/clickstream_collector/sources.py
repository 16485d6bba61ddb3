"""Who may send, and how what they send is treated: the compiled form of include/sources.yaml.

`tools/sources.py compile` writes it: one JSON object with `version`, `host`, `sources` by name, `keys` by the SHA-256
of the write key, and the tracking plan as `plan`. The keys themselves are not in it.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Literal, get_args

from clickstream_collector.clock import Rule
from clickstream_collector.plan import Plan, read_plan
from clickstream_collector.privacy import IpForm

VERSION = 1

Kind = Literal["web", "mobile", "server", "pixel"]
KeyState = Literal["active", "retiring", "paused", "disabled"]
Otherwise = Literal["anonymise", "drop", "keep"]
Bots = Literal["flag", "off"]
AtDoor = Literal["off", "flag", "refuse"]


class SourcesError(ValueError):
    """The compiled object cannot be used; the message says why, without a key."""


@dataclass(frozen=True)
class Consent:
    """What a message of a source must say: that its user agreed to each category of `need`; else `otherwise` is done.

    `honour_gpc`: a browser's own signal against tracking counts as no consent.
    """

    need: tuple[str, ...] = ()
    otherwise: Otherwise = "anonymise"
    honour_gpc: bool = False


@dataclass(frozen=True)
class Source:
    """One source. `id` is `projectId` in its messages; `origins` is empty when any page may send.

    `limit`: messages a second for each of its keys in one environment of the function, 0 for none. `cookie_domain`: for
    which pages the answers set the cookie of analytics.js, empty for none.
    """

    name: str
    id: str
    kind: Kind
    origins: tuple[str, ...] = ()
    limit: float = 0
    ip: IpForm = "keep"
    clock: Rule = "segment"
    consent: Consent = Consent()
    bots: Bots = "flag"
    plan: AtDoor = "off"
    strict: bool = False
    batching: Mapping[str, int] | None = None
    cookie_domain: str = ""

    @property
    def is_client(self) -> bool:
        """Whether it runs at its user, whose address is then the one that a request comes from."""
        return self.kind != "server"

    def allows(self, origin: str) -> bool:
        """Return whether a page of that origin may send."""
        return not self.origins or self.names(origin)

    def names(self, origin: str) -> bool:
        """Return whether the origin is listed: `https://*.shop.example` matches each name below shop.example."""
        return any(_origin_pattern(allowed).fullmatch(origin) for allowed in self.origins)


@dataclass(frozen=True)
class Key:
    """A write key of a source: which of its keys (from 1), its state, and until which day, UTC, it retires."""

    source: str
    number: int
    state: KeyState
    until: date | None = None


@dataclass(frozen=True)
class Sources:
    """All sources, and the plan by which their messages are judged.

    `host`: where SDKs have to send, empty for the host of their request.
    """

    by_name: Mapping[str, Source]
    keys: Mapping[str, Key]
    host: str = ""
    plan: Plan = field(default_factory=Plan)

    def find(self, write_key: str, today: date) -> tuple[Source, Key] | None:
        """Return the source of a key, unless it is unknown, disabled or over."""
        key = self.keys.get(digest(write_key))
        if key is None or key.state == "disabled" or (key.until and key.until < today):
            return None
        return self.by_name[key.source], key

    def allow_somewhere(self, origin: str) -> bool:
        """Return whether some source lets pages of that origin send: all that a preflight can be judged by."""
        return any(source.is_client and source.allows(origin) for source in self.by_name.values())


def digest(write_key: str) -> str:
    """Return what stands for a write key in files and objects: the hexadecimal SHA-256."""
    return hashlib.sha256(write_key.encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=256)
def _origin_pattern(allowed: str) -> re.Pattern[str]:
    return re.compile(re.escape(allowed).replace(r"\*", "[A-Za-z0-9.-]+"), re.IGNORECASE)


def read_sources(compiled: bytes) -> Sources:
    """Return the sources of a compiled object. Raises SourcesError for anything that `compile` does not write."""
    try:
        read = json.loads(compiled)
        if read["version"] != VERSION:
            raise SourcesError(f"version {read['version']!r} is not {VERSION}")
        by_name = {name: _source(name, entry) for name, entry in read["sources"].items()}
        keys = {key: _key(entry, by_name) for key, entry in read["keys"].items()}
        plan = read_plan(read["plan"]) if "plan" in read else Plan()
        return Sources(by_name, keys, str(read.get("host") or ""), plan)
    except SourcesError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SourcesError(f"not a compiled object of sources ({type(error).__name__})") from None


def _source(name: str, entry: Mapping[str, Any]) -> Source:
    consent = entry.get("consent", {})
    need, origins = (_texts(holder.get(at, [])) for holder, at in ((consent, "need"), (entry, "origins")))
    return Source(
        name=name,
        id=_text(entry["id"]),
        kind=_choice(entry["kind"], Kind),
        origins=origins,
        limit=float(entry.get("limit", 0)),
        ip=_choice(entry.get("ip", "keep"), IpForm),
        clock=_choice(entry.get("clock", "segment"), Rule),
        consent=Consent(need, _choice(consent.get("else", "anonymise"), Otherwise), consent.get("honour_gpc") is True),
        bots=_choice(entry.get("bots", "flag"), Bots),
        plan=_choice(entry.get("plan", "off"), AtDoor),
        strict=entry.get("strict") is True,
        batching={at: int(entry["batching"][at]) for at in ("size", "timeout")} if entry.get("batching") else None,
        cookie_domain=str(entry.get("cookie_domain") or ""),
    )


def _key(entry: Mapping[str, Any], by_name: Mapping[str, Source]) -> Key:
    until = date.fromisoformat(entry["until"]) if entry.get("until") else None
    if entry["source"] not in by_name:
        raise SourcesError("a key of a source that is not there")
    return Key(entry["source"], int(entry["number"]), _choice(entry["state"], KeyState), until)


def _choice(value: object, choices: Any) -> Any:
    if value not in get_args(choices):
        raise SourcesError(f"{value!r} is none of {', '.join(get_args(choices))}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise SourcesError("a text is missing")
    return value


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise SourcesError("a list is missing")
    return tuple(_text(value) for value in values)
