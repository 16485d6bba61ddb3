"""Listing, deleting and keeping objects over an S3 in memory."""

from datetime import UTC, datetime, timedelta

import pytest

from clickstream.aws.s3 import (
    DELETE_LIMIT,
    DeletionError,
    delete_staged,
    list_archive,
    list_staged,
    read_text,
    write_text,
)
from clickstream.load.archive import ArchivedObject
from clickstream.settings import Settings
from clickstream.staging.keys import StagedObject
from clickstream.window import Window
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


class TestArchive:
    """Of both layouts only what may hold the time asked for is listed."""

    ASKED = Window(datetime(2026, 11, 24, 5, tzinfo=UTC), datetime(2026, 11, 24, 6, tzinfo=UTC))
    DAY_BEFORE, DAY, DAY_AFTER = (f"segment-logs/web/{1795478400 + days * 86400}000" for days in (-1, 0, 1))

    def listed(self, *keys: str, page: int = 1_000, asked: Window = ASKED) -> tuple[list[str], list[str], int]:
        """Return the keys of the objects found, the strays, and how many calls it took."""
        settings = Settings(staging_bucket="s", lake_bucket="l", crawler="c", archive_bucket="archive")
        s3 = MemoryS3({"archive": dict.fromkeys(keys, b"12345")}, page)
        found, strays = list_archive(s3.client, settings, [asked])
        assert all(item.location.endswith(f"/{item.folder}/") for item in found)
        return [item.path.removeprefix("s3://archive/") for item in found], strays, len(s3.called("ListObjectsV2"))

    def test_an_hour_is_its_day_and_its_hours_folder_with_those_beside_it(self) -> None:
        wanted = [f"{self.DAY}/a.gz", *(f"archive/2026/11/24/0{hour}/a.gz" for hour in (4, 5, 6))]
        others = [
            f"{self.DAY_BEFORE}/a.gz", f"{self.DAY_AFTER}/a.gz", "archive/2026/11/24/03/a.gz",
            "archive/2026/11/24/07/a.gz", "archive/2025/11/24/05/a.gz", "archive-failed/2026/11/24/05/a.gz",
            "archive/2026/11/24/0", "archive/2027/11/24/05/a.gz",
        ]  # fmt: skip

        assert self.listed(*wanted, *others)[:2] == (wanted, [])

    def test_what_is_no_object_of_an_hour_is_a_stray(self) -> None:
        strays = [f"archive/2026/11/24/05/{name}" for name in ("", "deeper/a.gz")] + ["archive/2026/11/24/05x/a.gz"]

        assert self.listed("archive/2026/11/24/05/plain.ndjson", *strays)[:2] == (
            ["archive/2026/11/24/05/plain.ndjson"], sorted(strays),
        )  # fmt: skip

    def test_every_page_is_listed_and_none_after_the_last_hour(self) -> None:
        many = [f"archive/2026/11/24/{hour:02}/{number:03}.gz" for hour in range(24) for number in range(10)]

        found, _, calls = self.listed(*many, page=7)

        assert found == [key for key in many if key[19:21] in ("04", "05", "06")]
        assert calls == 1 + 5  # Segment's folders, and 30 objects on five pages

    def test_a_year_that_has_none_is_one_call(self) -> None:
        year = Window(self.ASKED.start - timedelta(days=366), self.ASKED.start)

        assert self.listed(asked=year) == ([], [], 2)

    def test_an_object_knows_its_folder_and_its_hour(self) -> None:
        settings = Settings(staging_bucket="s", lake_bucket="l", crawler="c", archive_bucket="a", archive_prefix="p/")
        s3 = MemoryS3({"a": {"archive/2026/11/24/05/x.gz": b"1", "p/segment-logs/web/1795478400/y.gz": b"12"}})

        found, _ = list_archive(s3.client, settings, [self.ASKED])

        midnight = datetime(2026, 11, 24, tzinfo=UTC)
        assert found == [
            ArchivedObject("s3://a/p/segment-logs/web/1795478400/y.gz", 2, midnight, "web/1795478400"),
            ArchivedObject("s3://a/archive/2026/11/24/05/x.gz", 1, self.ASKED.start, "2026/11/24/05"),
        ]


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
