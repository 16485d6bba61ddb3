"""Objects that a load cannot read, or of which it reads nothing: the others load, and none of them is lost."""

import bz2
import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from trino.exceptions import TrinoQueryError

from clickstream.aws.load_objects import AwsLoadObjects
from clickstream.engine.sql import TableNames
from clickstream.load.objects import NotReadableError
from clickstream.load.take import kept_paths, loaded_paths
from clickstream.load.unreadable import READ_ERRORS
from clickstream.staging.keys import select_expired
from local.lake.scratch import ScratchLake

MESSAGE = b'{"messageId":"%d"}\n'


def settled(lake: ScratchLake) -> tuple[set[str], set[str]]:
    """The staged objects that are not loaded again, and those that may expire."""
    staged, _ = lake.objects.staged()
    kept = kept_paths(lake.run, staged)
    expired = select_expired(staged, kept, datetime.now(UTC) + timedelta(days=2), timedelta(days=1), 1_000)
    return {item.path for item in staged} & loaded_paths(lake.run, staged), {item.path for item in expired}


@pytest.mark.promise("P1", "P4")
def test_an_object_with_content_that_reads_as_nothing_is_not_loaded(lake: ScratchLake) -> None:
    """The table over the staging folder is over another one, as after a change of settings by hand."""
    moved = f"{lake.settings.staging_bucket}-moved"
    lake.s3.create_bucket(Bucket=moved)
    lake.settings = replace(lake.settings, staging_bucket=moved)
    lake.t = TableNames(lake.settings)
    lake.objects = AwsLoadObjects({"s3": lake.s3, "glue": lake.glue}.__getitem__, lake.settings)
    unread = set()
    for length in (1, 17, 64, 65, 1_000):
        text = (MESSAGE % 1 * length)[:length]
        unread.add(lake.stage(f"20261124T120000000Z-plain-{length}.ndjson", text))
        unread.add(lake.stage(f"20261124T120000000Z-packed-{length}.gz", gzip.compress(text)))
    empty = {
        lake.stage("20261124T120000000Z-nothing.ndjson", b""),
        lake.stage("20261124T120000000Z-packed-nothing.gz", gzip.compress(b"")),
        lake.stage("20261124T120000000Z-much-packed-nothing.gz", gzip.compress(b"") * 50),
    }

    report = lake.load("run-1")

    assert (report.adds_up, report.rows_read, report.objects_unread) == (False, 0, 10)
    assert settled(lake) == (empty, empty)
    assert {item.path for item in lake.take("run-2").objects} == unread


class Refusing(AwsLoadObjects):
    """S3 refuses to read some objects, as one without its KMS key."""

    refused: frozenset[str] = frozenset()

    def chunks(self, path: str) -> Any:
        return self._refuse(path) or super().chunks(path)

    def keep_copy(self, path: str, key: str) -> str:
        return self._refuse(path) or super().keep_copy(path, key)

    def _refuse(self, path: str) -> Any:
        if path in self.refused:
            raise NotReadableError(path)


@pytest.mark.promise("P4", "P5")
@pytest.mark.scenario("X17")
def test_objects_that_only_trino_cannot_read_are_set_aside(lake: ScratchLake) -> None:
    bad = [
        lake.stage("20261124T120000000Z-a.zst", b"\x28\xb5\x2f\xfd" + MESSAGE % 1),
        lake.stage("20261124T120000000Z-b.bz2", b"BZh9" + MESSAGE % 1),
        # Longer than hive.text.max-line-length.
        lake.stage("20261124T120000000Z-long.gz", gzip.compress(b" " * 17_000_000, 1)),
    ]
    good = [lake.stage(f"20261124T12000000{number}Z-good.ndjson", MESSAGE % number) for number in range(3)]
    objects = Refusing({"s3": lake.s3, "glue": lake.glue}.__getitem__, lake.settings)
    objects.refused = frozenset(bad[:1])
    lake.objects = objects

    report = lake.load("run-1")

    assert (report.adds_up, report.rows_loaded) == (True, 3)
    quarantine = {row["source_path"]: row for row in lake.rows("quarantine")}
    assert set(quarantine) == set(bad)
    assert {row["reason"].partition(" (query ")[0] for row in quarantine.values()} <= READ_ERRORS
    assert [path for path, row in quarantine.items() if row["copy_path"] is None] == bad[:1]
    assert settled(lake) == ({*bad, *good}, {*bad[1:], *good})


@pytest.mark.promise("P4", "P5")
@pytest.mark.scenario("X17")
def test_a_name_does_not_make_trino_take_all_of_its_memory(lake: ScratchLake) -> None:
    """Read as .lz4 or .snappy, the first four letters are a length: 2 GB."""
    bad = {
        lake.stage(f"20261124T120000000Z-a.{name}", MESSAGE % 1)
        for name in ("lz4", "snappy", "lzo", "lzo_deflate", "deflate", "zst", "bz2")
    }
    packed = lake.stage("20261124T120000000Z-good.bz2", bz2.compress(MESSAGE % 2))

    report = lake.load("run-1")

    assert (report.adds_up, report.rows_loaded) == (True, 1)
    assert {row["source_path"] for row in lake.rows("quarantine")} == bad
    assert settled(lake)[1] == {*bad, packed}


@pytest.mark.promise("P5")
def test_objects_are_not_set_aside_when_none_can_be_read(lake: ScratchLake) -> None:
    for name in ("a.zst", "b.zst"):
        lake.stage(f"20261124T120000000Z-{name}", b"\x28\xb5\x2f\xfd" + MESSAGE % 1)

    with pytest.raises(TrinoQueryError):
        lake.load("run-1")

    assert lake.rows("quarantine") == []
