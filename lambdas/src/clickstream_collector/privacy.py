"""What is made coarser, taken away or marked before a message reaches the stream."""

import re
import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

IpForm = Literal["keep", "truncate", "drop"]

# Rudder and Jitsu write an address there.
_TOP_LEVEL_ADDRESSES = ("ip", "request_ip", "requestIp")
_PERSONAL = ("userId", "anonymousId", "previousId", "groupId", "traits", *_TOP_LEVEL_ADDRESSES)
_PERSONAL_CONTEXT = ("ip", "traits", "device", "groupId")

_LONGEST_ADDRESS, _LONGEST_AGENT = 64, 1_000  # characters that are looked at, so that what is remembered is bounded

# Names of the rules are what `context.collector.bot` says. No list is complete, so nothing is dropped for it.
_BOTS = re.compile(
    r"(?P<headless>HeadlessChrome|PhantomJS|Puppeteer|Playwright)"
    r"|(?P<search>Googlebot|bingbot|YandexBot|Baiduspider|DuckDuckBot|Applebot|Slurp)"
    r"|(?P<preview>facebookexternalhit|Twitterbot|Slackbot|LinkedInBot|WhatsApp/|TelegramBot|Discordbot)"
    r"|(?P<ai>GPTBot|ClaudeBot|CCBot|PerplexityBot|Bytespider|Amazonbot)"
    r"|(?P<monitor>Pingdom|UptimeRobot|StatusCake|Site24x7|Lighthouse|GTmetrix)"
    r"|(?P<other>bot\b|crawler|spider|scrap(?:er|y))",
    re.IGNORECASE,
)


def coarse_address(address: object, form: IpForm) -> object:
    """Return the address as it may be kept: as it is, the first 24 (IPv6: 48) bits of it, or None.

    What is no address is kept by `keep` only.
    """
    if form == "keep" or not address:
        return address
    return _first_bits(str(address).strip()[:_LONGEST_ADDRESS]) if form == "truncate" else None


@lru_cache(maxsize=1024)  # a batch's messages have one address
def _first_bits(address: str) -> str | None:
    import ipaddress  # noqa: PLC0415 - only for who truncates: it would slow every cold start

    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return None
    read = getattr(read, "ipv4_mapped", None) or read
    return str(ipaddress.ip_network((read, 24 if read.version == 4 else 48), strict=False).network_address)


def coarsen(message: dict[str, Any], context: dict[str, Any], form: IpForm) -> None:
    """Give every address of a message that form, in place."""
    if form == "keep":
        return
    for holder, names in ((message, _TOP_LEVEL_ADDRESSES), (context, ("ip",))):
        for name in names:
            if name in holder:
                address = coarse_address(holder.pop(name), form)
                if address:
                    holder[name] = address


def signals_refusal(headers: Mapping[str, str]) -> bool:
    """Return whether the browser signals that its user refuses tracking: GPC, Do Not Track, Snowplow's header."""
    return headers.get("sec-gpc") == "1" or headers.get("dnt") == "1" or "sp-anonymous" in headers


def consents(context: Mapping[str, Any], needed: tuple[str, ...]) -> bool:
    """Return whether the message says that its user agreed to each of the needed categories.

    `context.consent.categoryPreferences` is where Segment's consent wrappers write it.
    """
    consent = context.get("consent")
    given = consent.get("categoryPreferences") if isinstance(consent, Mapping) else None
    return all(isinstance(given, Mapping) and given.get(category) is True for category in needed)


def anonymise(message: dict[str, Any], context: dict[str, Any]) -> None:
    """Remove who it was, in place. The message still counts, under an anonymous id that no other message has."""
    for holder, names in ((message, _PERSONAL), (context, _PERSONAL_CONTEXT)):
        for name in names:
            holder.pop(name, None)
    message["anonymousId"] = f"anonymous-{uuid.uuid4()}"


def bot_rule(user_agent: object) -> str:
    """Return the rule by which a user agent is a robot's, empty if it is none that is known."""
    return _bot_rule(user_agent[:_LONGEST_AGENT]) if isinstance(user_agent, str) else ""


@lru_cache(maxsize=1024)  # a batch's messages have one browser
def _bot_rule(user_agent: str) -> str:
    found = _BOTS.search(user_agent)
    return (found.lastgroup or "") if found else ""
