"""Listing, deleting and keeping objects over an S3 in memory."""

from datetime import UTC, datetime

import pytest

from clickstream.aws.s3 import DELETE_LIMIT, DeletionError, delete_staged, list_staged, read_text, write_text
from clickstream.settings import Settings
from clickstream.staging.keys import StagedObject
from tests.clickstream.memory_aws import MemoryS3

SETTINGS = Settings(staging_bucket="staging-bucket", lake_bucket="lake-bucket", crawler="c")
INSTANT = datetime(2026, 11, 24, 5, 28, 0, 123_000, tzinfo=UTC)


def storage(*keys: str, page: int = 1_000) -> MemoryS3:
    return MemoryS3({"staging-bucket": dict.fromkeys(keys, b"12345"), "lake-bucket": {}}, page)


def key(name: str) -> str:
    return f"staging/20261124T052800123Z-{name}"


def staged(name: str, prefix: str = "s3://staging-bucket/") -> StagedObject:
    return StagedObject(prefix + key(name), 5, INSTANT)


def test_every_page_is_listed() -> None:
    s3 = storage(*(key(f"{number:03}") for number in range(25)), page=4)

    found, strays = list_staged(s3.client, SETTINGS)

    assert found == [staged(f"{number:03}") for number in range(25)]
    assert strays == []
    assert len(s3.called("ListObjectsV2")) == 7


def test_an_empty_folder_lists_nothing() -> None:
    assert list_staged(storage().client, SETTINGS) == ([], [])


def test_only_the_staging_folder_is_listed() -> None:
    s3 = storage(key("a.gz"), "staging-old/20261124T052800123Z-b.gz", "20261124T052800123Z-c.gz", "other/x")

    found, strays = list_staged(s3.client, SETTINGS)

    assert found == [staged("a.gz")]
    assert strays == []


def test_keys_outside_the_grammar_are_strays() -> None:
    names = ["dummy-object.txt", "_20261124T052800123Z-a.gz", "20261124T052800123Z", "20261324T052800123Z-a.gz"]
    s3 = storage(key("a.gz"), *(f"staging/{name}" for name in names))

    found, strays = list_staged(s3.client, SETTINGS)

    assert found == [staged("a.gz")]
    assert sorted(strays) == sorted(f"staging/{name}" for name in names)


@pytest.mark.parametrize("folder", ["sub/", "20261124T052800123Z-a/", "/", "_hidden/"])
def test_an_object_in_a_sub_folder_is_a_stray(folder: str) -> None:
    """Trino lists the folder itself only: such an object would be loaded as nothing, and then expired."""
    s3 = storage(f"staging/{folder}20261124T052800123Z-a.gz")

    found, strays = list_staged(s3.client, SETTINGS)

    assert found == []
    assert strays == [f"staging/{folder}20261124T052800123Z-a.gz"]


def test_exactly_these_are_deleted() -> None:
    s3 = storage(key("a"), key("b"), key("c"))

    assert delete_staged(s3.client, SETTINGS, [staged("a"), staged("c")]) == 2
    assert list(s3.buckets["staging-bucket"]) == [key("b")]


def test_nothing_is_sent_for_nothing() -> None:
    s3 = storage(key("a"))

    assert delete_staged(s3.client, SETTINGS, []) == 0
    assert s3.calls == []


@pytest.mark.scenario("X16")
@pytest.mark.promise("P4")
@pytest.mark.parametrize(
    "path",
    [
        "s3://other-bucket/staging/20261124T052800123Z-a",
        "s3://staging-bucket/staging-old/20261124T052800123Z-a",
        "s3://staging-bucket/20261124T052800123Z-a",
        "s3://staging-bucket-2/staging/20261124T052800123Z-a",
        "staging/20261124T052800123Z-a",
        "",
    ],
)
def test_a_foreign_path_is_refused_before_anything_is_deleted(path: str) -> None:
    s3 = storage(*(key(f"{number:04}") for number in range(DELETE_LIMIT + 1)))
    mine = [staged(f"{number:04}") for number in range(DELETE_LIMIT + 1)]

    with pytest.raises(ValueError, match=r"nothing was deleted") as refusal:
        delete_staged(s3.client, SETTINGS, [*mine, StagedObject(path, 1, INSTANT)])

    assert path in str(refusal.value)
    assert s3.calls == []


def test_deletes_come_in_batches_that_s3_takes() -> None:
    names = [f"{number:05}" for number in range(2 * DELETE_LIMIT + 1)]
    s3 = storage(*(key(name) for name in names))

    assert delete_staged(s3.client, SETTINGS, [staged(name) for name in names]) == len(names)
    assert [len(call["Delete"]["Objects"]) for call in s3.called("DeleteObjects")] == [1_000, 1_000, 1]
    assert s3.buckets["staging-bucket"] == {}


def test_a_refused_deletion_is_named() -> None:
    s3 = storage(key("a"), key("b"))
    s3.refused = {key("b"): "AccessDenied"}

    with pytest.raises(DeletionError) as refusal:
        delete_staged(s3.client, SETTINGS, [staged("a"), staged("b")])

    assert str(refusal.value) == f"{key('b')}: AccessDenied: in the test"


def test_text_is_read_as_it_was_written() -> None:
    s3 = storage()

    address = write_text(s3.client, "lake-bucket", "manifests/x.json", "é한😀\n")

    assert address == "s3://lake-bucket/manifests/x.json"
    assert read_text(s3.client, "lake-bucket", "manifests/x.json") == "é한😀\n"


def test_missing_text_is_none() -> None:
    assert read_text(storage().client, "lake-bucket", "manifests/x.json") is None
