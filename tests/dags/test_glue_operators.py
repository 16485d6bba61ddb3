"""Crawl and patch as tasks."""

import contextlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from clickstream.aws.glue import CrawlError
from clickstream.staging.glue_schema import CrawledTableError
from tests.clickstream.memory_aws import Crawl, MemoryGlue, MemoryS3
from tests.clickstream.staged_objects import staged_object
from tests.dags.conftest import HOUR, context

pytestmark = pytest.mark.usefixtures("aws")
MINUTE = timedelta(minutes=1)


def stage(s3: MemoryS3, instant: datetime) -> None:
    s3.buckets["staging-bucket"]["staging/" + staged_object("a.gz", instant).path.rpartition("/")[2]] = b"{}"


def crawl(task, kind: str = "scheduled") -> str:
    operator = task("crawl_staging", "crawl")
    return operator.execute(context(operator, kind))


@pytest.fixture(autouse=True)
def trino(connect_trino) -> None:
    connect_trino({"schema_changes": [[{"member_key": "newKey"}, {"member_key": "messageId"}]]})


def patch(task) -> dict[str, list[str]]:
    operator = task("crawl_staging", "patch")
    return operator.execute(context(operator, "scheduled"))


def table(name: str = "events_staging", columns: dict[str, str] | None = None) -> dict[str, object]:
    return {
        "Name": name,
        "Parameters": {"UPDATED_BY_CRAWLER": "the-crawler"},
        "StorageDescriptor": {
            "Location": "s3://staging-bucket/staging/",
            "Columns": [{"Name": column, "Type": kind} for column, kind in (columns or {}).items()],
        },
    }


@pytest.mark.parametrize("kind", ["scheduled", "manual", "backfill"])
def test_the_first_crawl_runs_in_any_kind_of_run(task, s3: MemoryS3, glue: MemoryGlue, kind: str) -> None:
    stage(s3, HOUR)
    glue.script = [Crawl(HOUR + MINUTE, polls=0)]

    assert crawl(task, kind) == (HOUR + MINUTE).isoformat()


def test_an_empty_folder_is_not_crawled(task, glue: MemoryGlue) -> None:
    with pytest.raises(AirflowSkipException):
        crawl(task)

    assert glue.called("StartCrawler") == []


def test_a_folder_of_strays_is_not_crawled(task, s3: MemoryS3, glue: MemoryGlue) -> None:
    s3.buckets["staging-bucket"]["staging/dummy-object.txt"] = b""

    with pytest.raises(AirflowSkipException):
        crawl(task)

    assert glue.called("StartCrawler") == []


def test_nothing_new_since_the_last_crawl_is_not_crawled(task, s3: MemoryS3, glue: MemoryGlue) -> None:
    stage(s3, HOUR)
    glue.last = Crawl(HOUR + MINUTE)

    with pytest.raises(AirflowSkipException, match="nothing was staged since"):
        crawl(task)

    assert glue.called("StartCrawler") == []


@pytest.mark.parametrize("age", [timedelta(0), MINUTE])
def test_what_was_staged_at_or_after_the_last_crawl_s_start_is_crawled(
    task, s3: MemoryS3, glue: MemoryGlue, age: timedelta
) -> None:
    stage(s3, HOUR - MINUTE)
    stage(s3, HOUR + age)
    glue.last = Crawl(HOUR)
    glue.script = [Crawl(HOUR + 2 * MINUTE, polls=0)]

    assert crawl(task) == (HOUR + 2 * MINUTE).isoformat()


def test_what_landed_after_the_last_crawl_is_crawled_though_its_event_was_older(
    task, s3: MemoryS3, glue: MemoryGlue
) -> None:
    """A staged name has the time of its event: one that waited in the queue lands later, unseen by that crawl."""
    stage(s3, HOUR - MINUTE)
    s3.landed = dict.fromkeys(s3.buckets["staging-bucket"], HOUR + MINUTE)
    glue.last = Crawl(HOUR)
    glue.script = [Crawl(HOUR + 2 * MINUTE, polls=0)]

    assert crawl(task) == (HOUR + 2 * MINUTE).isoformat()


@pytest.mark.parametrize(("kind", "is_crawled"), [("scheduled", False), ("manual", True)])
def test_a_second_crawl_of_a_day_is_by_hand_only(
    task, s3: MemoryS3, glue: MemoryGlue, kind: str, is_crawled: bool
) -> None:
    now = datetime.now(UTC)
    stage(s3, now)
    glue.last = Crawl(now - MINUTE if now.minute else now)
    glue.script = [Crawl(now + MINUTE, polls=0)]

    with contextlib.nullcontext() if is_crawled else pytest.raises(AirflowSkipException, match="that was today"):
        crawl(task, kind)

    assert len(glue.called("StartCrawler")) == is_crawled


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED"])
def test_a_crawl_that_did_not_succeed_is_no_reason_to_skip(task, s3: MemoryS3, glue: MemoryGlue, status: str) -> None:
    """A retry of a failed crawl must crawl: skipped, it would turn the failed run green."""
    stage(s3, HOUR)
    glue.last = Crawl(HOUR + MINUTE, status, "no permission")
    glue.script = [Crawl(HOUR + 2 * MINUTE, polls=0)]

    assert crawl(task) == (HOUR + 2 * MINUTE).isoformat()


@pytest.mark.scenario("X23")
def test_a_failed_crawl_fails_the_task_at_every_attempt(task, s3: MemoryS3, glue: MemoryGlue) -> None:
    stage(s3, HOUR)
    glue.script = [Crawl(HOUR + number * MINUTE, "FAILED", "no permission", polls=0) for number in (1, 2)]

    for _ in range(2):
        with pytest.raises(CrawlError, match="no permission"):
            crawl(task)


def test_nothing_crawled_yet_is_nothing_to_patch(task, glue: MemoryGlue) -> None:
    with pytest.raises(AirflowSkipException, match="nothing has been crawled"):
        patch(task)

    assert glue.called("GetTables") == []


def test_the_patch_tells_what_it_changed(task, glue: MemoryGlue) -> None:
    glue.last = Crawl(HOUR)
    glue.tables["events_staging"] = {
        "VersionId": "0", **table(columns={"context": "struct<a:int>", "N": "int", "n": "int", "type": "string"})
    }  # fmt: skip

    changed = patch(task)

    assert json.loads(json.dumps(changed)) == changed
    assert (changed["structs"], changed["retyped"], changed["folded"]) == (["context"], ["context", "n"], ["n"])
    assert set(changed["added"]) >= {"messageid", "newkey"}
    assert "type" not in changed["added"]
    (sent,) = glue.called("UpdateTable")
    assert {column["Type"] for column in sent["TableInput"]["StorageDescriptor"]["Columns"]} == {"string"}


def test_a_second_patch_sends_nothing(task, glue: MemoryGlue) -> None:
    glue.last = Crawl(HOUR)
    glue.tables["events_staging"] = {"VersionId": "0", **table(columns={"n": "int"})}

    patch(task)

    assert patch(task) == {"structs": [], "retyped": [], "added": [], "folded": []}
    assert len(glue.called("UpdateTable")) == 1


@pytest.mark.scenario("X22")
@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ([], "made no table"),
        (
            [table(), table("events_staging_x")],
            "2 tables at s3://staging-bucket/staging/: events_staging, events_staging_x",
        ),
        ([table() | {"Parameters": {"DEPRECATED_BY_CRAWLER": "1"}}], "events_staging is marked deprecated"),
        ([table() | {"PartitionKeys": [{"Name": "day", "Type": "string"}]}], "has partition columns"),
    ],
    ids=["none", "two", "deprecated", "partitioned"],
)
def test_an_unusable_table_fails_the_task_by_name(
    task, glue: MemoryGlue, tables: list[dict[str, object]], said: str
) -> None:
    glue.last = Crawl(HOUR)
    glue.tables = {str(one["Name"]): {"VersionId": "0", **one} for one in tables}

    with pytest.raises(CrawledTableError, match=said):
        patch(task)

    assert glue.called("UpdateTable") == []
