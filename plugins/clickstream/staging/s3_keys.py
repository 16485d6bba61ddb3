"""S3 keys that are made out of other keys."""

import hashlib
import re

MAX_KEY_BYTES = 1024
"""Longest S3 key, in bytes of UTF-8: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""

_SUFFIX = re.compile(r"(?:\.[A-Za-z0-9]{1,10}){1,2}\Z")
_SHORTENED = re.compile(r"==[0-9a-f]{64}(?:\.[A-Za-z0-9]{1,10}){0,2}\Z")


def key_below(prefix: str, name: str) -> str:
    """Join `prefix` and `name`, unchanged if S3 accepts a key of that length (1,024 bytes).

    Else the first part of `name`, `==`, its SHA-256 and its suffix, so that no two names meet. A name that ends like
    that already is written so too, whatever its length.
    """
    room = MAX_KEY_BYTES - len(prefix.encode())
    if len(name.encode()) <= room and not _SHORTENED.search(name):
        return prefix + name
    suffix = _SUFFIX.search(name)
    tail = f"=={hashlib.sha256(name.encode()).hexdigest()}{suffix[0] if suffix else ''}"
    # A character that is cut in two is left out.
    return prefix + name.encode()[: room - len(tail)].decode(errors="ignore") + tail
