"""`make check-config` against the real stack: all right, and with faults planted for real."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.lake.machine import Machine, environment_of
from local.lake.scratch import ScratchLake

ROOT = Path(__file__).parents[2]
CONFIGURATION = (
    '{"Version": 1.0, "CrawlerOutput": {"Tables": {"AddOrUpdateBehavior": "MergeNewColumns"}}, '
    '"Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas", "TableLevelConfiguration": 2}}'
)
POLICY = {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"}


@pytest.fixture
def environment(machine: Machine, lake: ScratchLake) -> dict[str, str]:
    """The settings of a lake of its own, with all that an installation has; queues and stream are the stack's."""
    settings = lake.settings
    lake.glue.create_crawler(
        Name=settings.crawler, Role="role", DatabaseName=settings.staging_database, TablePrefix="events_",
        Targets={"S3Targets": [{"Path": settings.staging_location}]},
        SchemaChangePolicy=POLICY, Configuration=CONFIGURATION,
    )  # fmt: skip
    rule = {"ID": "backstop", "Status": "Enabled", "Filter": {"Prefix": "staging/"}, "Expiration": {"Days": 30}}
    lake.s3.put_bucket_lifecycle_configuration(Bucket=settings.staging_bucket, LifecycleConfiguration={"Rules": [rule]})
    lake.stage("20261124T010203004Z-a.ndjson", b'{"messageId": "1"}\n')
    return environment_of(lake, machine.places)


def check(environment: dict[str, str]) -> tuple[int, str, set[str]]:
    """The exit status, what was printed, and the first line of each finding that is not ok."""
    python = ROOT / ".venv" / "airflow" / "bin" / "python"
    done = subprocess.run(
        [python if python.exists() else sys.executable, "-m", "tools.config_check"],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    worse = {" ".join(line.split()) for line in done.stdout.splitlines() if line.startswith(("WARN", "FAIL"))}
    return done.returncode, done.stdout + done.stderr, worse


def test_a_right_installation_and_one_with_faults(environment: dict[str, str], lake: ScratchLake) -> None:
    status, text, worse = check(environment)

    assert (status, worse) == (0, set()), text
    assert "OK    trino     it sees the newest staged objects" in text
    assert lake.s3.list_objects_v2(Bucket=lake.settings.lake_bucket, Prefix="_clickstream_check/")["KeyCount"] == 0
    assert lake.query(f"show tables from lake.{lake.settings.work_database}") == []

    lake.glue.update_crawler(
        Name=lake.settings.crawler, SchemaChangePolicy={**POLICY, "DeleteBehavior": "DEPRECATE_IN_DATABASE"}
    )
    lake.query(f"alter table {lake.t.alarms} drop column severity")
    status, text, worse = check(
        {**environment, "CLICKSTREAM_STAGE_QUEUE": "nowhere", "CLICKSTREAM_STAGING_CATALOG": "nowhere"}
    )

    assert status == 1
    assert worse == {
        f"FAIL aws crawler {lake.settings.crawler}: DeleteBehavior",
        "FAIL aws queue nowhere",
        f"FAIL aws bucket {environment['CLICKSTREAM_RAW_BUCKET']} tells queue nowhere",
        "FAIL trino catalog nowhere",
        "WARN trino it sees the newest staged objects",
        f"WARN tables {lake.settings.lake_database}.alarms",
    }, text
    assert "add etc/catalog/nowhere.properties with connector.name=hive" in text
    assert "it is of an earlier version: add_column severity" in text
