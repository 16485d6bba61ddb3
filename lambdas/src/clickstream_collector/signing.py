"""AWS Signature Version 4, for the three calls of the collector.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
Importing boto3 takes half a second of CPU, which every cold start would wait for; this takes none to speak of. Tests
hold it to botocore's signer.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote


@dataclass(frozen=True)
class Credentials:
    """Of the function's role; the token is empty for long-term keys."""

    key_id: str
    secret: str
    token: str = ""


def signed_headers(
    credentials: Credentials,
    region: str,
    service: str,
    now: datetime,
    *,
    method: str,
    host: str,
    path: str,
    body: bytes,
    headers: Mapping[str, str],
) -> dict[str, str]:
    """Return `headers` (names in lower case) with what signs the call. `path` is as it is sent, without a query.

    The body's sum is a header too: S3 requires it.
    """
    digest = hashlib.sha256(body).hexdigest()
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    sent = {**headers, "host": host, "x-amz-date": stamp, "x-amz-content-sha256": digest}
    if credentials.token:
        sent["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(sent))
    lines = "".join(f"{name}:{sent[name].strip()}\n" for name in sorted(sent))
    canonical = f"{method}\n{quote(path, safe='/-_.~%')}\n\n{lines}\n{names}\n{digest}"
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret}".encode()
    for part in (stamp[:8], region, service, "aws4_request"):
        key = _mac(key, part)
    signature = _mac(key, text).hex()
    sent["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return sent


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
