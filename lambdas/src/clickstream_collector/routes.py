"""The route of a method and a path. SDKs join base and path carelessly, so several spellings mean the same."""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["batch", "message", "metrics", "settings", "pixel", "health", "plan", "validate", "preflight", "unknown"]

TYPES = {
    "track": "track", "t": "track", "identify": "identify", "i": "identify", "page": "page", "p": "page",
    "screen": "screen", "s": "screen", "group": "group", "g": "group", "alias": "alias", "a": "alias",
}  # fmt: skip
"""The last part of the path of one message, and its type."""

_POST = re.compile(r"/(?:v1/)?(?:(?P<batch>batch|b|import)|(?P<metrics>m)|(?P<validate>validate)|(?P<message>[a-z]+))")
_BEACON = "/beacon/v1/batch"
_SETTINGS = re.compile(r"(?:/v1)?(?:/projects)+/(?P<key>[^/]+)/settings")
_PIXEL = re.compile(r"(?:/v1)?/pixel/(?P<message>[a-z]+)")


@dataclass(frozen=True)
class Route:
    """`type`: of a single message or a pixel; `key`: the write key in the path of the settings."""

    kind: Kind
    type: str = ""
    key: str = ""


def find_route(method: str, path: str) -> Route:
    """Return the route of a request. `path` has no `/` at its end."""
    if method == "OPTIONS":
        return Route("preflight")
    return _post(path) if method == "POST" else _get(path) if method == "GET" else Route("unknown")


def _post(path: str) -> Route:
    found = _POST.fullmatch(path)
    if path == _BEACON or (found and found["batch"]):
        return Route("batch")
    if found and found["metrics"]:
        return Route("metrics")
    if found and found["validate"]:
        return Route("validate")
    if found and found["message"] in TYPES:
        return Route("message", TYPES[found["message"]])
    return Route("unknown")


def _get(path: str) -> Route:
    if path == "/health":
        return Route("health")
    if path in ("/v1/plan", "/plan"):
        return Route("plan")
    if found := _SETTINGS.fullmatch(path):
        return Route("settings", key=found["key"])
    if (found := _PIXEL.fullmatch(path)) and found["message"] in TYPES:
        return Route("pixel", TYPES[found["message"]])
    return Route("unknown")
