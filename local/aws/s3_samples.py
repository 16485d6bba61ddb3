"""Reads the head of each object of a crawl, as a crawler does: the first 1 MB, more only if nothing can be read."""

import zlib
from collections.abc import Iterator
from typing import Any

from local.aws.crawl_grouping import SampledObject, hidden
from local.aws.schema_inference import Shape, json_objects

SAMPLE_BYTES = 1024 * 1024
MAX_STEPS = 10
GZIP_MAGIC = b"\x1f\x8b"


def list_objects(client: Any, bucket: str, folder: str) -> Iterator[tuple[str, int]]:
    """(name below the folder, size in bytes) of every object that a crawl looks at, in key order."""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder):
        for entry in page.get("Contents", []):
            name = entry["Key"][len(folder) :]
            if entry["Size"] and not hidden(name):
                yield name, entry["Size"]


def sample_object(client: Any, bucket: str, folder: str, name: str, size: int) -> SampledObject | None:
    """The shape of one object's head; None when nothing in it is JSON.

    Compression is told by the bytes, not by the name. The number of records is extrapolated from the sample.
    """
    for step in range(1, MAX_STEPS + 1):
        limit = step * SAMPLE_BYTES
        stored = min(size, limit)
        body = client.get_object(Bucket=bucket, Key=folder + name, Range=f"bytes=0-{stored - 1}")["Body"].read()
        compressed = body.startswith(GZIP_MAGIC)
        text, whole = _decompress(body, limit) if compressed else (body, True)
        shape, records = _observe(text)
        if records:
            share = 1.0 if whole and stored == size else _share_read(compressed, len(text), len(body), size)
            return SampledObject(name, size, round(records / share), "gzip" if compressed else "none", shape)
        if whole and stored == size:
            return None
    return None


def _share_read(compressed: bool, text: int, body: int, size: int) -> float:
    """Part of the object that the sample covers. For gzip, by the ratio met in the part that was read."""
    if not compressed:
        return body / size
    return min(1.0, text / max(text, SAMPLE_BYTES) * body / size) if body < size else 1.0


def _decompress(body: bytes, limit: int) -> tuple[bytes, bool]:
    """At most `limit` bytes of a gzip file of one or more members, and whether that is all that `body` holds."""
    parts: list[bytes] = []
    room = limit
    while body and room > 0:
        member = zlib.decompressobj(wbits=31)
        try:
            parts.append(member.decompress(body, room))
        except zlib.error:
            break
        room -= len(parts[-1])
        if member.unconsumed_tail or not member.eof:
            return b"".join(parts), False
        body = member.unused_data
    return b"".join(parts), not body


def _observe(text: bytes) -> tuple[Shape, int]:
    shape, records = Shape(), 0
    for record in json_objects(text.decode("utf-8", errors="replace")):
        shape.observe(record)
        records += 1
    shape.kinds = 0
    return shape, records
