"""What ministack's Glue lacks and the wrapper adds."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest


@pytest.fixture
def database(aws):
    name = f"db_{uuid.uuid4().hex[:8]}"
    aws.client("glue").create_database(DatabaseInput={"Name": name})
    return name


def test_tables_come_in_pages(aws, database):
    glue = aws.client("glue")
    for number in range(7):
        glue.create_table(DatabaseName=database, TableInput={"Name": f"t{number}"})
    first = glue.get_tables(DatabaseName=database, MaxResults=3)
    assert len(first["TableList"]) == 3
    assert "NextToken" in first
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=database, PaginationConfig={"PageSize": 3})
    assert [table["Name"] for page in pages for table in page["TableList"]] == [f"t{number}" for number in range(7)]


def test_segments_of_partitions_do_not_overlap(aws, database):
    glue = aws.client("glue")
    glue.create_table(
        DatabaseName=database, TableInput={"Name": "t", "PartitionKeys": [{"Name": "p", "Type": "string"}]}
    )
    values = [str(number) for number in range(12)]
    inputs = [{"Values": [value]} for value in values]
    glue.batch_create_partition(DatabaseName=database, TableName="t", PartitionInputList=inputs)
    found = []
    for number in range(5):
        segment = {"SegmentNumber": number, "TotalSegments": 5}
        answer = glue.get_partitions(DatabaseName=database, TableName="t", Segment=segment)
        found += [partition["Values"][0] for partition in answer["Partitions"]]
    assert sorted(found, key=int) == values


def test_old_versions_are_kept_unless_the_archive_is_skipped(aws, database):
    glue = aws.client("glue")
    glue.create_table(DatabaseName=database, TableInput={"Name": "t", "Description": "first"})
    glue.update_table(DatabaseName=database, TableInput={"Name": "t", "Description": "second"})
    glue.update_table(DatabaseName=database, TableInput={"Name": "t", "Description": "third"}, SkipArchive=True)
    versions = glue.get_table_versions(DatabaseName=database, TableName="t")["TableVersions"]
    assert [(v["VersionId"], v["Table"]["Description"]) for v in versions] == [("3", "third"), ("1", "first")]


@pytest.mark.scenario("X11")
def test_of_many_updates_from_one_version_exactly_one_wins(aws, database):
    glue = aws.client("glue")
    glue.create_table(DatabaseName=database, TableInput={"Name": "t"})

    def update(number):
        described = {"Name": "t", "Description": str(number)}
        with suppress(glue.exceptions.ConcurrentModificationException):
            glue.update_table(DatabaseName=database, TableInput=described, VersionId="1")
            return str(number)

    with ThreadPoolExecutor(8) as pool:
        winners = [winner for winner in pool.map(update, range(24)) if winner]
    assert [glue.get_table(DatabaseName=database, Name="t")["Table"]["Description"]] == winners
