"""What is answered, in the shapes that all SDKs take: docs/collector.md says which SDK needs what."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from clickstream_collector.http_event import Request
from clickstream_collector.sources import Source

PAUSED_SECONDS = 300
"""When to come back to a paused key."""

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
"""A transparent GIF of one pixel, 43 bytes."""

_METHODS = "GET, POST, OPTIONS"
_HEADERS = "authorization, content-type, x-retry-count, x-write-key, anonymousid, sentat, rsa-retry-attempt"
# analytics.js reads both of a 429, and only if they are exposed. Kotlin looks names up in lower case.
_EXPOSED = "retry-after, x-ratelimit-reset"
_BATCHING = {"size": 10, "timeout": 5000}


@dataclass(frozen=True)
class Answer:
    """One answer. Names of headers are in lower case; a body of bytes goes out in base64. `cookie` is one to set."""

    status: int
    body: str | bytes = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookie: str = ""

    def to_event(self) -> dict[str, Any]:
        """Return the answer in the form of a function URL and an HTTP API."""
        is_binary = isinstance(self.body, bytes)
        body = base64.b64encode(self.body).decode() if isinstance(self.body, bytes) else self.body
        answer = {"statusCode": self.status, "headers": dict(self.headers), "body": body, "isBase64Encoded": is_binary}
        return {**answer, "cookies": [self.cookie]} if self.cookie else answer


def json_answer(status: int, value: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer with a JSON object, which no cache may keep unless `headers` say so."""
    text = json.dumps(value, separators=(",", ":"))
    return Answer(status, text, {"content-type": "application/json", "cache-control": "no-store", **(headers or {})})


def taken(accepted: int, refused: int) -> Answer:
    """Return exactly 200, whatever the outcome of single messages: PHP and Python accept no other status as success."""
    return json_answer(200, {"success": True, "accepted": accepted, "refused": refused})


def failed(status: int, code: str, text: str, retry_after: int = 0) -> Answer:
    """Return a batch that was not taken. Python reads `code` and `message`, Ruby `error`."""
    waits = {"retry-after": str(retry_after), "x-ratelimit-reset": str(retry_after)} if retry_after else {}
    return json_answer(status, {"success": False, "code": code, "message": text, "error": text}, waits)


def pixel() -> Answer:
    """Return the answer to a mail program, whatever the outcome of the message."""
    return Answer(200, PIXEL, {"content-type": "image/gif", "cache-control": "no-store"})


def preflight(request: Request) -> Answer:
    """Return the answer to a preflight request: every requested header is allowed."""
    asked = request.headers.get("access-control-request-headers", "")
    headers = {
        "access-control-allow-methods": _METHODS,
        "access-control-allow-headers": f"{_HEADERS}, {asked}" if asked else _HEADERS,
        "access-control-max-age": "86400",
        "cache-control": "no-store",
    }
    return Answer(204, "", headers)


def for_page(answer: Answer, origin: str, *, with_credentials: bool) -> Answer:
    """Return the answer with what lets a page of that origin read it."""
    headers = {
        "access-control-allow-origin": origin,
        "access-control-expose-headers": _EXPOSED,
        "vary": "Origin",
        **({"access-control-allow-credentials": "true"} if with_credentials else {}),
    }
    return replace(answer, headers={**answer.headers, **headers})


def with_cookie(answer: Answer, anonymous_id: str, domain: str, *, is_secure: bool) -> Answer:
    """Return the answer with the cookie in which analytics.js keeps its id, for pages of that domain and below.

    One that a server sets may live a year, where browsers cut the life of one that a script sets. The script must be
    able to read it.
    """
    secure = "; Secure" if is_secure else ""
    cookie = f"ajs_anonymous_id={anonymous_id}; Max-Age=31536000; Path=/; Domain={domain}; SameSite=Lax{secure}"
    return replace(answer, cookie=cookie)


def settings(source: Source, write_key: str, host: str, protocol: str) -> Answer:
    """Return the settings that an SDK fetches at its start: it sends batches, to us, and no metrics of its own.

    Members are those of Segment's answer that analytics.js, Kotlin and Swift read.
    """
    batching = {"strategy": "batching", "config": dict(source.batching or _BATCHING)}
    segment = {
        "apiKey": write_key,
        "apiHost": f"{host}/v1",
        "protocol": protocol,
        "deliveryStrategy": batching,
        "addBundledMetadata": True,
        "unbundledIntegrations": [],
        "maybeBundledConfigIds": {},
        "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
    }
    value = {
        "integrations": {"Segment.io": segment},
        "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
        "edgeFunction": {},
        "analyticsNextEnabled": True,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    }
    return json_answer(200, value, {"cache-control": "private, max-age=60"})
