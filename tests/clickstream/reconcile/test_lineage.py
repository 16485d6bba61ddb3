"""Where an archive comes from, by its keys."""

from datetime import UTC, datetime

import pytest

from clickstream.load.archive import ArchivedObject
from clickstream.reconcile.lineage import PROVES, archive_from
from clickstream_stream.keys import archive_key

AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
COPY = archive_key("", "raw/2026/11/24/10/clickstream-events-1-2026-11-24-10-00-00-a.gz")
SPILLED = archive_key("", "raw/2026/11/24/10/collector-1-a.gz")
FIREHOSE = "archive/2026/11/24/10/clickstream-archive-1-2026-11-24-10-00-00-b.gz"
SEGMENT = "segment-logs/source/1764288000000/0123456789abcdef.gz"


def archived(key: str) -> ArchivedObject:
    folder = key.rpartition("/")[0].partition("/")[2]
    return ArchivedObject(f"s3://archive-bucket/{key}", 10, AT, folder)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([], []),
        ([SEGMENT, SEGMENT], ["segment"]),
        ([COPY], ["copy"]),
        ([FIREHOSE], ["stream"]),
        # With ArchiveBy=Firehose what the collector spilled is copied: it never was on the stream.
        ([FIREHOSE, SPILLED], ["copy", "stream"]),
        ([COPY, SEGMENT], ["copy", "segment"]),
    ],
)
def test_the_keys_of_an_archive_say_where_it_comes_from(keys: list[str], expected: list[str]) -> None:
    assert archive_from(archived(key) for key in keys) == expected
    assert PROVES.keys() >= set(expected)
