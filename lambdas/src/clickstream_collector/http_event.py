"""A request as a Lambda function URL or an HTTP API hands it over (payload format 2.0).

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
"""

import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

FRONT_HEADER = "x-clickstream-front"
"""Header with which our own CloudFront distribution proves that it is the sender."""

VIEWER_HEADER = "cloudfront-viewer-address"
"""The viewer's `address:port`, set by CloudFront alone when FRONT_HEADER is right."""


@dataclass(frozen=True)
class Request:
    """One request. `path` begins with `/` and has no `/` at its end; names of `headers` are in lower case.

    `body` is as it came, or None if the front damaged it. `received_at` is in UTC, cut to milliseconds.
    """

    method: str
    path: str
    received_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = b""
    viewer_address: str = ""
    id: str = ""

    @property
    def is_secure(self) -> bool:
        """Whether it came by HTTPS, as everything does on AWS."""
        return self.headers.get("x-forwarded-proto") != "http"

    @property
    def origin(self) -> str:
        """The page's origin, empty unless a browser sent one."""
        return self.headers.get("origin", "")


def read_event(event: Mapping[str, Any], received_at: datetime, *, prefix: str = "", front_secret: str = "") -> Request:
    """Return the request in `event`. `prefix` is a path, as `/shop`, that is removed; `front_secret` may be empty.

    The viewer's address is that of the connection, or what CloudFront says when the secret comes with it. Never
    X-Forwarded-For, which anyone can write.
    """
    context = _mapping(event.get("requestContext"))
    http = _mapping(context.get("http"))
    headers = {str(name).lower(): str(value) for name, value in _mapping(event.get("headers")).items()}
    path = str(event.get("rawPath") or "/")
    if prefix and (path == prefix or path.startswith(prefix + "/")):
        path = path.removeprefix(prefix)
    return Request(
        method=str(http.get("method") or "GET").upper(),
        path="/" + path.strip("/"),
        received_at=received_at.replace(microsecond=received_at.microsecond // 1000 * 1000),
        headers=headers,
        query={str(name): str(value) for name, value in _mapping(event.get("queryStringParameters")).items()},
        body=_body(event),
        viewer_address=_viewer_address(headers, front_secret) or str(http.get("sourceIp") or ""),
        id=str(context.get("requestId") or ""),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _body(event: Mapping[str, Any]) -> bytes | None:
    body = event.get("body")
    if not isinstance(body, str):
        return b""
    if not event.get("isBase64Encoded"):
        # Gzip that a front took for text: what was no UTF-8 is lost.
        return None if body.startswith("\x1f\N{REPLACEMENT CHARACTER}") else body.encode("utf-8", "surrogatepass")
    try:
        return binascii.a2b_base64(body, strict_mode=True)
    except ValueError:
        return None


def _viewer_address(headers: Mapping[str, str], secret: str) -> str:
    if not secret or not hmac.compare_digest(headers.get(FRONT_HEADER, "").encode(), secret.encode()):
        return ""
    return headers.get(VIEWER_HEADER, "").rpartition(":")[0].strip("[]")
