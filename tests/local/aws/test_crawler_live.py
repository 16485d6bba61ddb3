"""Crawls of a running local AWS, from objects to the Glue table and back to what a second crawl does to it."""

import gzip
import json
import uuid
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

COMBINE = {"Version": 1.0, "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas"}}
MERGE = {**COMBINE, "CrawlerOutput": {"Tables": {"AddOrUpdateBehavior": "MergeNewColumns"}}}
ROLE = "arn:aws:iam::000000000000:role/any"


class Staging:
    """A folder, a database and a crawler of their own."""

    def __init__(self, aws, wait, configuration=None, policy=None, folder="staging"):
        self.aws, self.wait, self.folder = aws, wait, folder
        self.glue, self.s3, self.bucket = aws.client("glue"), aws.client("s3"), aws.bucket()
        self.database = f"db_{uuid.uuid4().hex[:8]}"
        self.crawler = f"crawler-{self.database}"
        self.glue.create_database(DatabaseInput={"Name": self.database})
        self.glue.create_crawler(
            Name=self.crawler,
            Role=ROLE,
            DatabaseName=self.database,
            TablePrefix="events_",
            Targets={"S3Targets": [{"Path": f"s3://{self.bucket}/{folder}/"}]},
            SchemaChangePolicy=policy or {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"},
            Configuration=json.dumps(configuration or COMBINE),
        )

    def add(self, name, *events, pack=gzip.compress):
        body = "".join(json.dumps(event) + "\n" for event in events).encode()
        self.s3.put_object(Bucket=self.bucket, Key=f"{self.folder}/{name}", Body=pack(body) if pack else body)

    def crawl(self):
        self.glue.start_crawler(Name=self.crawler)
        return self.wait(self.result, "the crawl to end")

    def result(self):
        crawler = self.glue.get_crawler(Name=self.crawler)["Crawler"]
        return crawler["LastCrawl"] if crawler["State"] == "READY" else None

    def tables(self):
        return {table["Name"]: table for table in self.glue.get_tables(DatabaseName=self.database)["TableList"]}

    def types(self, table="events_staging"):
        columns = self.tables()[table]["StorageDescriptor"]["Columns"]
        return {column["Name"]: column["Type"] for column in columns}

    def patch(self):
        """Turn every column to string, as the product does."""
        table = self.tables()["events_staging"]
        kept = ("Name", "StorageDescriptor", "Parameters", "TableType", "PartitionKeys")
        table_input = {key: table[key] for key in kept}
        for column in table_input["StorageDescriptor"]["Columns"]:
            column["Type"] = "string"
        self.glue.update_table(DatabaseName=self.database, TableInput=table_input, VersionId=table["VersionId"])


TRACK = {"type": "track", "userId": "u", "properties": {"total": 1.5}}
PAGE = {"type": "page", "anonymousId": "a", "context": {"page": {"url": "x"}}}


@pytest.fixture
def staging(aws, wait):
    return lambda **options: Staging(aws, wait, **options)


def test_a_crawl_leaves_one_table_with_types_counts_and_a_fresh_result(staging):
    place = staging()
    before = datetime.now(UTC)
    place.add("1.gz", TRACK, TRACK)
    place.add("2.gz", PAGE)
    place.add("_hidden.gz", {"secret": 1})
    result = place.crawl()
    assert result["Status"] == "SUCCEEDED"
    assert result["StartTime"] > before
    assert place.types() == {
        "type": "string",
        "userid": "string",
        "properties": "struct<total:double>",
        "anonymousid": "string",
        "context": "struct<page:struct<url:string>>",
    }
    storage = place.tables()["events_staging"]["StorageDescriptor"]
    assert storage["Location"] == f"s3://{place.bucket}/staging/"
    assert storage["SerdeInfo"]["Parameters"]["paths"] == "anonymousId,context,properties,type,userId"
    parameters = place.tables()["events_staging"]["Parameters"]
    assert (parameters["objectCount"], parameters["recordCount"]) == ("2", "3")
    assert (parameters["compressionType"], parameters["UPDATED_BY_CRAWLER"]) == ("gzip", place.crawler)
    (metrics,) = place.glue.get_crawler_metrics(CrawlerNameList=[place.crawler])["CrawlerMetricsList"]
    assert metrics["TablesCreated"] == 1
    assert metrics["LastRuntimeSeconds"] > 0
    assert [crawl["State"] for crawl in place.glue.list_crawls(CrawlerName=place.crawler)["Crawls"]] == ["COMPLETED"]


@pytest.mark.scenario("X21")
def test_a_second_crawl_brings_structs_back_and_drops_columns_no_longer_seen(staging):
    place = staging()
    place.add("1.gz", TRACK)
    place.crawl()
    place.patch()
    place.add("1.gz", PAGE)
    place.crawl()
    assert place.types() == {
        "type": "string",
        "anonymousid": "string",
        "context": "struct<page:struct<url:string>>",
    }


def test_merge_new_columns_adds_and_never_changes(staging):
    place = staging(configuration=MERGE)
    place.add("1.gz", TRACK)
    place.crawl()
    place.patch()
    place.add("1.gz", PAGE)
    place.crawl()
    assert place.types() == {
        "type": "string",
        "userid": "string",
        "properties": "string",
        "anonymousid": "string",
        "context": "struct<page:struct<url:string>>",
    }
    parameters = place.tables()["events_staging"]["StorageDescriptor"]["SerdeInfo"]["Parameters"]
    assert parameters["paths"] == "anonymousId,context,properties,type,userId"


def test_merge_new_columns_marks_a_table_deprecated_when_the_compression_changed(staging):
    place = staging(configuration=MERGE)
    place.add("1.json", TRACK)
    place.crawl()
    place.add("1.json", TRACK, pack=None)
    place.crawl()
    assert "DEPRECATED_BY_CRAWLER" in place.tables()["events_staging"]["Parameters"]


def test_update_behavior_log_leaves_an_existing_table_alone_but_makes_new_ones(staging):
    place = staging(policy={"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"})
    place.add("1.gz", TRACK)
    place.crawl()
    before = place.tables()["events_staging"]
    place.add("1.gz", TRACK, PAGE)
    place.add("plain.json", PAGE, pack=None)
    place.crawl()
    assert place.tables()["events_staging"] == before
    assert sorted(place.tables()) == ["events_plain_json", "events_staging"]


@pytest.mark.parametrize(("configuration", "expected"), [({"Version": 1.0}, 2), (COMBINE, 1)])
def test_unlike_events_become_one_table_only_when_combined(staging, configuration, expected):
    place = staging(configuration=configuration)
    place.add("1.gz", TRACK)
    place.add("2.gz", PAGE)
    place.crawl()
    assert len(place.tables()) == expected


@pytest.mark.parametrize(
    ("delete", "there", "marked"),
    [("LOG", True, False), ("DEPRECATE_IN_DATABASE", True, True), ("DELETE_FROM_DATABASE", False, False)],
)
def test_an_empty_folder_does_what_the_delete_behavior_says(staging, delete, there, marked):
    place = staging(policy={"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": delete})
    place.add("1.gz", TRACK)
    place.crawl()
    place.s3.delete_object(Bucket=place.bucket, Key="staging/1.gz")
    assert place.crawl()["Status"] == "SUCCEEDED"
    assert ("events_staging" in place.tables()) == there
    table = place.tables().get("events_staging", {"Parameters": {}})
    assert ("DEPRECATED_BY_CRAWLER" in table["Parameters"]) == marked


def test_a_sub_folder_becomes_a_table_of_its_own(staging):
    place = staging()
    place.add("1.gz", TRACK)
    place.add("stray/2.gz", TRACK)
    place.crawl()
    assert sorted(place.tables()) == ["events_staging", "events_stray"]


def test_a_name_taken_by_another_location_gets_a_suffix(staging):
    place = staging()
    other = {"Name": "events_staging", "StorageDescriptor": {"Location": "s3://elsewhere/staging/"}}
    place.glue.create_table(DatabaseName=place.database, TableInput=other)
    place.add("1.gz", TRACK)
    place.crawl()
    assert place.tables()["events_staging"]["StorageDescriptor"]["Location"] == "s3://elsewhere/staging/"
    assert len(place.tables()) == 2


def test_a_second_start_is_refused_and_a_stop_cancels(staging, wait):
    place = staging()
    for number in range(60):
        place.add(f"{number}.gz", *[{**TRACK, "number": n} for n in range(2000)])
    place.glue.start_crawler(Name=place.crawler)
    with pytest.raises(ClientError, match="CrawlerRunningException"):
        place.glue.start_crawler(Name=place.crawler)
    place.glue.stop_crawler(Name=place.crawler)
    assert wait(place.result, "the crawl to end")["Status"] == "CANCELLED"
    with pytest.raises(ClientError, match="CrawlerNotRunningException"):
        place.glue.stop_crawler(Name=place.crawler)
    assert place.tables() == {}


def test_a_crawl_that_cannot_work_fails_with_its_reason(staging):
    place = staging()
    place.add("1.json", pack=lambda _body: b"not json at all\n")
    result = place.crawl()
    assert (result["Status"], "staging" in result["ErrorMessage"]) == ("FAILED", True)
    place.s3.delete_object(Bucket=place.bucket, Key="staging/1.json")
    place.glue.delete_database(Name=place.database)
    assert place.crawl()["Status"] == "FAILED"


def test_tables_of_other_databases_and_folders_stay_as_they_are(staging):
    place, other = staging(), staging()
    other.add("1.gz", TRACK)
    other.crawl()
    before = other.tables()
    unrelated = {"Name": "lines", "StorageDescriptor": {"Location": f"s3://{place.bucket}/staging/", "Columns": []}}
    place.glue.create_table(DatabaseName=place.database, TableInput=unrelated)
    place.add("1.gz", TRACK)
    place.crawl()
    assert other.tables() == before
    assert place.tables()["lines"]["VersionId"] == "1"


def test_starting_a_crawler_that_is_not_there_says_so(aws):
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        aws.client("glue").start_crawler(Name="nobody")
