"""Messages for the benchmarks: a clean hour of Segment-spec events, in objects as Firehose writes them."""

import gzip
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local.segment.events import generate_day

SEED = 3
USERS = 120
OBJECT_BYTES = 64 * 2**20
"""JSON bytes in one object, before it is packed: Firehose's usual buffer is 64 to 128 MB."""
ID, RECEIVED = "@message_id@", "@received_at@"


@dataclass(frozen=True)
class Sample:
    """The packed objects in a folder, in order, with how much is in them, unpacked and as they lie there."""

    objects: tuple[Path, ...]
    messages: int
    json_bytes: int
    object_bytes: int


def recent_hour() -> datetime:
    """Return the beginning of an hour that ended one to two hours ago."""
    return (datetime.now(UTC) - timedelta(hours=2)).replace(minute=0, second=0, microsecond=0)


def write_sample(folder: Path, json_bytes: int, names: int, hour: datetime, first_id: int = 0) -> Sample:
    """Write about so many bytes of messages received in that hour, in order of time, with `names` event names."""
    templates = _templates(names)
    average = sum(map(len, templates)) // len(templates)
    wanted = max(json_bytes // average, 1)
    choose = random.Random(SEED)
    objects: list[Path] = []
    held: list[bytes] = []
    size = total = 0
    for number in range(wanted):
        received = hour + timedelta(seconds=3599 * number / wanted)
        own = {
            ID: f"bench-{first_id + number:09d}",
            RECEIVED: f"{received:%Y-%m-%dT%H:%M:%S}.{received.microsecond // 1000:03d}Z",
        }
        line = choose.choice(templates)
        for place, value in own.items():
            line = line.replace(place.encode(), value.encode())
        held.append(line)
        size += len(line)
        if size >= OBJECT_BYTES or number == wanted - 1:
            objects.append(_write(folder, first_id + number, held))
            total, size, held = total + size, 0, []
    return Sample(tuple(objects), wanted, total, sum(path.stat().st_size for path in objects))


def _write(folder: Path, number: int, lines: list[bytes]) -> Path:
    path = folder / f"{number:09d}-bench.ndjson.gz"
    with gzip.open(path, "wb", compresslevel=6) as file:
        file.writelines(lines)
    return path


def _templates(names: int) -> list[bytes]:
    """Return lines with places for the id and the time."""
    templates = []
    for number, message in enumerate(clean_messages(datetime.fromisoformat("2026-01-02T12:00:00+00:00"))):
        own = {"messageId": ID, "receivedAt": RECEIVED}
        if message["type"] == "track":
            own["event"] = f"Bench {number % names}"
        line = json.dumps({**message, **own}, ensure_ascii=False, separators=(",", ":"))
        templates.append(line.encode() + b"\n")
    return templates


def clean_messages(now: datetime, users: int = USERS) -> Iterator[Mapping[str, Any]]:
    """Yield the messages of a generated day that are whole."""
    for record in generate_day(SEED, now, users).records:
        try:
            message = json.loads(record)
        except ValueError:
            continue
        if isinstance(message, dict) and message.get("messageId"):
            yield message
