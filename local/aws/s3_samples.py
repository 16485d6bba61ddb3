"""Read the head of each object of a crawl, as a crawler does: the first 1 MB, more only if nothing can be read."""

import zlib
from collections.abc import Iterator
from typing import Any

from local.aws.crawl_grouping import SampledObject, hidden
from local.aws.schema_inference import Shape, json_objects

SAMPLE_BYTES = 1024 * 1024
MAX_STEPS = 10
GZIP_MAGIC = b"\x1f\x8b"


def list_objects(client: Any, bucket: str, folder: str) -> Iterator[tuple[str, int]]:
    """Yield (name below the folder, size in bytes) of every object that a crawl looks at, in key order."""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder):
        for entry in page.get("Contents", []):
            name = entry["Key"][len(folder) :]
            if entry["Size"] and not hidden(name):
                yield name, entry["Size"]


def sample_object(client: Any, bucket: str, folder: str, name: str, size: int) -> SampledObject | None:
    """Return the shape of one object's head; None when nothing in it is JSON.

    Compression is detected by the bytes, not by the name. The number of records is extrapolated from the sample.
    """
    for step in range(1, MAX_STEPS + 1):
        limit = step * SAMPLE_BYTES
        stored = min(size, limit)
        body = client.get_object(Bucket=bucket, Key=folder + name, Range=f"bytes=0-{stored - 1}")["Body"].read()
        compressed = body.startswith(GZIP_MAGIC)
        text, used = _decompress(body, limit) if compressed else (body, len(body))
        shape, records = _observe(text)
        if records:
            estimated = round(records * size / used) if used < size else records
            return SampledObject(name, size, estimated, "gzip" if compressed else "none", shape)
        if used == size:
            return None
    return None


def _decompress(body: bytes, limit: int) -> tuple[bytes, int]:
    """Return at most `limit` bytes of a gzip file of one or more members, and how many of `body` they came from."""
    parts: list[bytes] = []
    rest, room = body, limit
    while rest and room > 0:
        member = zlib.decompressobj(wbits=31)
        try:
            parts.append(member.decompress(rest, room))
        except zlib.error:
            return b"".join(parts), len(body)
        room -= len(parts[-1])
        rest = member.unconsumed_tail or member.unused_data
        if not member.eof:
            break
    return b"".join(parts), len(body) - len(rest)


def _observe(text: bytes) -> tuple[Shape, int]:
    shape, records = Shape(), 0
    for record in json_objects(text.decode("utf-8", errors="replace")):
        shape.observe(record)
        records += 1
    shape.kinds = 0
    return shape, records
