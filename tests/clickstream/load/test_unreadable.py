"""Finding the object that a read error is about."""

import gzip
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.engine.failures import may_be_of_data
from clickstream.load.unreadable import copy_key, damage_of, find_culprit, holds_nothing, misnaming_of
from clickstream.staging.keys import StagedObject

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
OBJECTS = [StagedObject(f"s3://b/staging/20261124T12000000{number}Z-a.gz", 10, NOON) for number in range(9)]


class Reader:
    """Reads objects, all but the broken ones, and counts how often it was asked."""

    def __init__(self, *broken: StagedObject) -> None:
        self.broken = set(broken)
        self.asked = 0

    def __call__(self, objects: Sequence[StagedObject]) -> bool:
        self.asked += 1
        return not self.broken & set(objects)


@pytest.mark.parametrize(
    "message",
    [
        f"Failed to read file at {OBJECTS[7].path}",
        f"Error opening Hive split {OBJECTS[7].path} (offset=0, length=18): Not in GZIP format",
    ],
)
def test_the_object_that_the_message_names_is_found_at_once(message: str) -> None:
    reader = Reader(OBJECTS[7])

    assert find_culprit(message, OBJECTS, reader) == OBJECTS[7]
    assert reader.asked == 1


def test_a_named_object_that_can_be_read_is_not_blamed() -> None:
    assert find_culprit(f"slow: {OBJECTS[1].path}", OBJECTS, Reader(OBJECTS[4])) == OBJECTS[4]


def test_nothing_is_blamed_for_an_error_that_passed() -> None:
    assert find_culprit("connection reset", OBJECTS, Reader()) is None


@pytest.mark.scenario("X17")
@pytest.mark.promise("P5")
@given(st.sets(st.sampled_from(OBJECTS), min_size=1), st.lists(st.sampled_from(OBJECTS), min_size=1, unique=True))
def test_without_a_name_a_broken_object_is_found_by_halving(
    broken: set[StagedObject], objects: list[StagedObject]
) -> None:
    reader = Reader(*broken)

    found = find_culprit("Could not read", objects, reader)

    assert found in broken if broken & set(objects) else found is None
    assert reader.asked <= 1 + len(objects).bit_length()


@pytest.mark.scenario("X17")
@pytest.mark.parametrize(
    ("name", "first", "expected"),
    [
        ("a.json", b'{"me', ""),
        ("a.json", b"\x1f", ""),
        ("a.gz", b"\x1f\x8b\x08\x00", ""),
        ("a.zst", b"\x28\xb5\x2f\xfd", ""),
        ("a.bz2", b"BZh9", ""),
        ("a.json", b"\x1f\x8b\x08\x00", "data that is .gz"),
        ("a.json", b"\x28\xb5\x2f\xfd", "data that is .zst"),
        ("a.zst", b'{"me', "data that is not .zst"),
        ("a.bz2", b"\x1f\x8b\x08\x00", "data that is .gz"),
        *[(f"a.{name}", b'{"me', "a name that ends in") for name in ("lz4", "snappy", "lzo", "lzo_deflate", "deflate")],
    ],
)
def test_a_name_says_how_the_data_is_compressed(name: str, first: bytes, expected: str) -> None:
    found = misnaming_of(f"s3://b/staging/{name}", first)

    assert found.startswith(expected) and bool(found) is bool(expected)  # noqa: PT018


def test_the_copy_keeps_bucket_and_name_so_that_no_two_are_one() -> None:
    assert (
        copy_key("s3://bucket/staging/20261124T120000000Z-a.gz") == "quarantine/bucket/staging/20261124T120000000Z-a.gz"
    )


GOOD = gzip.compress(b'{"messageId":"a"}\n' * 500, mtime=0)


@pytest.mark.parametrize(
    ("name", "body", "damage"),
    [
        ("a.gz", GOOD, ""),
        ("a.gz", GOOD + GOOD, ""),
        ("a.gz", b"", ""),
        ("a.json", b"anything", ""),
        ("a.gz", GOOD[:-3], "gzip data that is cut off"),
        ("a.gz", GOOD[:5], "gzip data that is cut off"),
        ("a.gz", GOOD + GOOD[:30], "gzip data that is cut off"),
        ("a.gz", b"{}\n", "damaged gzip data"),
        ("a.gz", GOOD + b"{}\n", "damaged gzip data"),
        ("a.gz", GOOD[:40] + b"\xff" + GOOD[41:], "damaged gzip data"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_damage_is_what_gzip_says(name: str, body: bytes, damage: str, size: int) -> None:
    found = damage_of(name, (body[at : at + size] for at in range(0, len(body), size)))

    assert found.startswith(damage) and bool(found) is bool(damage)  # noqa: PT018


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("a.gz", b"", True),
        ("a.gz", gzip.compress(b""), True),
        ("a.gz", gzip.compress(b"") * 3, True),
        ("a.gz", gzip.compress(b"\n"), False),
        ("a.gz", gzip.compress(b"") + GOOD, False),
        ("a.gz", GOOD[:5], False),
        ("a.gz", b"{}\n", False),
        ("a.json", b"{}\n", False),
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_what_is_compressed_may_hold_nothing(name: str, body: bytes, expected: bool, size: int) -> None:
    assert holds_nothing(name, (body[at : at + size] for at in range(0, len(body), size))) is expected


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("INVALID_FUNCTION_ARGUMENT", "USER_ERROR", True),
        ("GENERIC_INTERNAL_ERROR", "INTERNAL_ERROR", True),
        ("USER_CANCELED", "USER_ERROR", False),
        ("EXCEEDED_LOCAL_MEMORY_LIMIT", "INSUFFICIENT_RESOURCES", False),
        ("REMOTE_TASK_ERROR", "INTERNAL_ERROR", False),
        ("ICEBERG_COMMIT_ERROR", "EXTERNAL", False),
        ("HIVE_FILESYSTEM_ERROR", "EXTERNAL", False),
    ],
)
def test_an_outage_is_no_reason_that_lies_in_data(name: str, kind: str, expected: bool) -> None:
    assert may_be_of_data(name, kind) is expected
