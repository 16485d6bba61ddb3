"""Crawl and patch over a Glue in memory; botocore checks each request."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clickstream.aws.glue import (
    PATCH_ATTEMPTS,
    CrawlError,
    PartitionError,
    add_partitions,
    crawl,
    last_crawl_start,
    patch_staging_table,
)
from clickstream.settings import Settings
from clickstream.staging.glue_schema import SEGMENT_FIELDS, CrawledTableError
from tests.clickstream.memory_aws import Crawl, MemoryGlue

SETTINGS = Settings(staging_bucket="staging-bucket", lake_bucket="lake-bucket", crawler="the-crawler")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
QUICK = timedelta(seconds=5)


def crawled_table(columns: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    return {
        "Name": "events_staging",
        "DatabaseName": "clickstream_staging",
        "CreateTime": NOON,
        "CatalogId": "000000000000",
        "VersionId": "3",
        "Parameters": {"classification": "json", "UPDATED_BY_CRAWLER": "the-crawler"},
        "StorageDescriptor": {
            "Columns": columns,
            "Location": "s3://staging-bucket/staging/",
            "SerdeInfo": {"Parameters": {"ignore.malformed.json": "true"}},
        },
        **more,
    }


def run(glue: MemoryGlue, newest: datetime | None = None, timeout: timedelta = QUICK) -> datetime:
    return crawl(glue.client, "the-crawler", newest, timeout, pause=0.001, log=lambda _: None)


def minutes(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


def test_a_crawl_is_waited_for() -> None:
    glue = MemoryGlue()
    glue.script = [Crawl(minutes(5), polls=3)]

    assert run(glue) == minutes(5)
    assert len(glue.called("StartCrawler")) == 1
    assert glue.running is None


def test_the_first_crawl_ever_is_accepted() -> None:
    glue = MemoryGlue()
    glue.script = [Crawl(NOON, polls=0)]

    assert last_crawl_start(glue.client, "the-crawler") is None
    assert run(glue, newest=minutes(-1)) == NOON


@pytest.mark.scenario("X23")
def test_an_earlier_result_that_is_still_shown_is_not_taken_for_this_crawl_s() -> None:
    glue = MemoryGlue()
    glue.last = Crawl(minutes(-60))
    glue.script = [Crawl(NOON, unseen=4)]

    assert run(glue, newest=minutes(-5)) == NOON


def test_an_earlier_failure_that_is_still_shown_does_not_fail_this_crawl() -> None:
    glue = MemoryGlue()
    glue.last = Crawl(minutes(-60), "FAILED", "long ago")
    glue.script = [Crawl(NOON, unseen=4)]

    assert run(glue) == NOON


def test_a_running_crawl_that_began_after_the_newest_object_is_joined() -> None:
    glue = MemoryGlue()
    glue.running = Crawl(minutes(-1))

    assert run(glue, newest=minutes(-2)) == minutes(-1)
    assert len(glue.called("StartCrawler")) == 1


def test_a_running_crawl_is_joined_when_no_object_is_wanted() -> None:
    glue = MemoryGlue()
    glue.running = Crawl(minutes(-1))

    assert run(glue, newest=None) == minutes(-1)


@pytest.mark.scenario("X23")
def test_a_running_crawl_that_began_before_the_newest_object_is_followed_by_another() -> None:
    glue = MemoryGlue()
    glue.running = Crawl(minutes(-3))
    glue.script = [Crawl(NOON)]

    assert run(glue, newest=minutes(-2)) == NOON
    assert len(glue.called("StartCrawler")) == 2


def test_a_crawl_that_ends_just_as_this_one_starts_is_not_taken_for_it() -> None:
    """GetCrawler may still say READY right after StartCrawler, with a crawl that the first look did not show yet."""
    glue = MemoryGlue()
    glue.last = Crawl(minutes(-60))
    glue.running, glue.ends_at_start = Crawl(minutes(-10), polls=50), True
    glue.script = [Crawl(NOON, unseen=2), Crawl(minutes(1))]

    assert run(glue, newest=minutes(-5)) >= NOON


def test_a_crawl_whose_start_is_told_to_the_second_is_not_waited_for_in_vain() -> None:
    """Two services, two clocks: the start of the very crawl that was started may read as before the newest object."""
    glue = MemoryGlue()
    glue.last = Crawl(minutes(-60))
    glue.script = [Crawl(NOON, polls=1), Crawl(NOON + timedelta(seconds=1), polls=1)]

    started = run(glue, newest=NOON + timedelta(seconds=0.4), timeout=timedelta(seconds=1))

    assert started in (NOON, NOON + timedelta(seconds=1))


@pytest.mark.scenario("X23")
@pytest.mark.parametrize(
    ("last", "said"),
    [
        (
            Crawl(NOON, "FAILED", "Insufficient Lake Formation permission"),
            "FAILED: Insufficient Lake Formation permission",
        ),
        (Crawl(NOON, "CANCELLED"), "CANCELLED: no message"),
    ],
)
def test_a_crawl_that_did_not_succeed_raises_with_its_message(last: Crawl, said: str) -> None:
    glue = MemoryGlue()
    glue.script = [last]

    with pytest.raises(CrawlError) as error:
        run(glue)

    assert "the-crawler" in str(error.value)
    assert said in str(error.value)


@pytest.mark.scenario("X23")
@pytest.mark.parametrize("is_running_already", [False, True])
def test_a_crawl_that_never_ends_raises_in_time(is_running_already: bool) -> None:
    glue = MemoryGlue()
    endless = Crawl(NOON, polls=10**9)
    glue.running, glue.script = (endless, []) if is_running_already else (None, [endless])
    began = time.monotonic()

    with pytest.raises(CrawlError, match=r"the-crawler did not end in time"):
        run(glue, timeout=timedelta(seconds=0.1))

    assert time.monotonic() - began < 5


def test_the_time_limit_is_for_all_crawls_together() -> None:
    glue = MemoryGlue()
    glue.running = Crawl(minutes(-3), polls=3)
    glue.script = [Crawl(NOON, polls=10**9)]
    began = time.monotonic()

    with pytest.raises(CrawlError, match=r"did not end in time"):
        run(glue, newest=minutes(-2), timeout=timedelta(seconds=0.1))

    assert time.monotonic() - began < 5


def test_what_happens_is_logged() -> None:
    glue = MemoryGlue()
    glue.running = Crawl(minutes(-3))
    glue.script = [Crawl(NOON)]
    said: list[str] = []

    crawl(glue.client, "the-crawler", minutes(-2), QUICK, pause=0.001, log=said.append)

    assert "joined" in said[0]
    assert "before the newest object" in said[1]
    assert "started" in said[2]


def test_patch_sends_the_version_it_read_and_keeps_no_archived_one() -> None:
    glue = MemoryGlue([crawled_table([{"Name": "context", "Type": "struct<ip:string>"}])])

    patch = patch_staging_table(glue.client, SETTINGS)

    (sent,) = glue.called("UpdateTable")
    assert patch.structs == ("context",)
    assert (sent["VersionId"], sent["SkipArchive"], sent["DatabaseName"]) == ("3", True, "clickstream_staging")
    assert {column["Type"] for column in sent["TableInput"]["StorageDescriptor"]["Columns"]} == {"string"}
    assert sent["TableInput"]["Parameters"] == {"classification": "json", "UPDATED_BY_CRAWLER": "the-crawler"}


def test_patch_of_a_patched_table_sends_nothing() -> None:
    glue = MemoryGlue([crawled_table([{"Name": "N", "Type": "int"}])])

    patch_staging_table(glue.client, SETTINGS)
    again = patch_staging_table(glue.client, SETTINGS)

    assert not again.is_needed
    assert len(glue.called("UpdateTable")) == 1


def test_a_table_of_strings_is_never_updated() -> None:
    glue = MemoryGlue([crawled_table([{"Name": field.lower(), "Type": "string"} for field in SEGMENT_FIELDS])])

    assert not patch_staging_table(glue.client, SETTINGS).is_needed
    assert glue.called("UpdateTable") == []


@pytest.mark.scenario("X11")
def test_when_another_writer_is_faster_the_table_is_read_again() -> None:
    glue = MemoryGlue([crawled_table([{"Name": "n", "Type": "int"}])])
    glue.rivals = 2

    patch_staging_table(glue.client, SETTINGS)

    sent = glue.called("UpdateTable")
    assert [call["VersionId"] for call in sent] == ["3", "4", "5"]
    assert sent[-1]["TableInput"]["Description"] == "written by another"
    assert len(glue.called("GetTables")) == 3


@pytest.mark.scenario("X9", "X11")
def test_when_the_other_writer_has_patched_nothing_more_is_sent() -> None:
    glue = MemoryGlue([crawled_table([{"Name": "n", "Type": "int"}])])
    answer, glue.rivals = glue._UpdateTable, 1

    def patched_by_the_rival(parameters: dict[str, Any]) -> dict[str, Any]:
        glue.tables["events_staging"]["StorageDescriptor"] = parameters["TableInput"]["StorageDescriptor"]
        return answer(parameters)

    glue._UpdateTable = patched_by_the_rival  # type: ignore[method-assign]

    assert not patch_staging_table(glue.client, SETTINGS).is_needed
    assert len(glue.called("UpdateTable")) == 1


def test_patch_gives_up_after_so_many_attempts() -> None:
    glue = MemoryGlue([crawled_table([{"Name": "n", "Type": "int"}])])
    glue.rivals = 10**6

    with pytest.raises(glue.client.exceptions.ConcurrentModificationException):
        patch_staging_table(glue.client, SETTINGS)

    assert len(glue.called("UpdateTable")) == PATCH_ATTEMPTS


def test_the_table_is_found_on_a_later_page() -> None:
    others = [{"Name": f"a{number}"} for number in range(5)]
    glue = MemoryGlue([*others, crawled_table([{"Name": "n", "Type": "int"}])], page=2)

    assert patch_staging_table(glue.client, SETTINGS).retyped == ("n",)


def test_nothing_is_sent_when_the_crawl_left_no_usable_table() -> None:
    second = crawled_table([{"Name": "n", "Type": "int"}], Name="events_staging_2")
    glue = MemoryGlue([crawled_table([]), second])

    with pytest.raises(CrawledTableError, match="events_staging, events_staging_2"):
        patch_staging_table(glue.client, SETTINGS)

    assert glue.called("UpdateTable") == []


def test_partitions_that_are_missing_are_added_a_hundred_at_once() -> None:
    glue = MemoryGlue([{"Name": "archive_lines", "StorageDescriptor": {"InputFormat": "text"}}])
    locations = {f"source/{day}": f"s3://archive/segment-logs/source/{day}/" for day in range(250)}

    added = add_partitions(glue.client, "lines", "archive_lines", dict(list(locations.items())[:10]))
    added_then = add_partitions(glue.client, "lines", "archive_lines", locations)

    assert (added, added_then) == (10, 240)
    assert glue.partitions == {"archive_lines": locations}
    assert [len(call["PartitionInputList"]) for call in glue.called("BatchCreatePartition")] == [10, 100, 100, 50]


def test_a_partition_that_glue_refuses_is_an_error() -> None:
    glue = MemoryGlue([{"Name": "archive_lines", "StorageDescriptor": {}}])
    glue.refused_partition = "source/1"

    with pytest.raises(PartitionError, match=r"source/1.*InternalServiceException"):
        add_partitions(glue.client, "lines", "archive_lines", {"source/0": "s3://a/0/", "source/1": "s3://a/1/"})
