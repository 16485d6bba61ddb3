"""A folder was changed in the settings: the next load reads the new one, and not the place of before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clickstream.aws.load_objects import AwsLoadObjects
from clickstream.engine.evolution import create_lines
from clickstream.engine.sql import LINES, TableNames
from clickstream.window import Window
from local.lake.scratch import ScratchLake
from local.segment import archive

DAY = datetime(2026, 11, 20, tzinfo=UTC)


def message(message_id: str) -> bytes:
    return b'{"messageId":"%s","type":"track","receivedAt":"2026-11-20T12:00:00Z"}' % message_id.encode()


def change(lake: ScratchLake, **settings: str) -> None:
    lake.settings = replace(lake.settings, **settings)
    lake.t = TableNames(lake.settings)
    lake.objects = AwsLoadObjects({"s3": lake.s3, "glue": lake.glue}.__getitem__, lake.settings)


def ids(lake: ScratchLake) -> list[str]:
    return sorted(row["message_id"] for row in lake.rows("events"))


@pytest.mark.promise("P1")
def test_the_staging_folder_is_another_one(lake: ScratchLake) -> None:
    lake.stage("20261120T120000000Z-a.ndjson", message("old") + b"\n")
    lake.load("run-1")
    moved = f"{lake.settings.staging_bucket}-moved"
    lake.s3.create_bucket(Bucket=moved)
    change(lake, staging_bucket=moved)
    lake.stage("20261120T120000000Z-a.ndjson", message("new") + b"\n")

    done = [create_lines(lake.run, LINES, lake.settings) for _ in range(2)]

    assert done == [[f"replace {lake.settings.lines_database}.lines"], []]
    assert lake.load("run-2").adds_up
    assert ids(lake) == ["new", "old"]


@pytest.mark.promise("P7")
def test_the_archive_is_in_another_folder_with_partitions_of_the_same_names(lake: ScratchLake) -> None:
    """Each partition has an address of its own, which stays when only the table's is changed."""
    bucket, asked = lake.settings.archive_bucket, Window(DAY, DAY + timedelta(days=1))
    for message_id in ("old", "new"):
        archive.write([message(message_id)], bucket, lake.s3)
        if message_id == "old":
            lake.load("run-1", lake.take_range("run-1", asked, "archive"))
    for key in [item["Key"] for item in lake.s3.list_objects_v2(Bucket=bucket)["Contents"]]:
        lake.s3.copy_object(Bucket=bucket, Key=f"prod/{key}", CopySource={"Bucket": bucket, "Key": key})
        lake.s3.delete_object(Bucket=bucket, Key=key)
    change(lake, archive_prefix="prod/")

    report = lake.load("run-2", lake.take_range("run-2", asked, "archive"))

    assert report.adds_up
    assert (report.rows_loaded, report.rows_duplicate) == (1, 1)
    assert ids(lake) == ["new", "old"]
