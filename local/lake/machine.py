"""A local stack for tests, and scratch lakes on it."""

import contextlib
import itertools
import json
import os
import sys
from dataclasses import dataclass, fields, replace
from typing import Any

from botocore.exceptions import ClientError

from clickstream.engine.query import QueryRunner
from clickstream.settings import Settings, variable
from local import permissions, pipeline, services, stack
from local.lake.athena_on_trino import AthenaOnTrino
from local.lake.copies import EmptyLake, share_tables
from local.lake.scratch import ScratchLake
from local.places import Places

# Several processes may run tests on one machine.
_PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "")
_numbers = itertools.count(1)
_empty_lakes: dict[str, EmptyLake] = {}
"""By the address of the AWS that has it."""
_lakes: list[ScratchLake] = []
"""Those that were made and not yet forgotten."""

# Secrets of Airflow's connections that one can look for. The local AWS and Trino take any.
PLANTED = {"aws": "not-to-be-seen-of-aws", "trino": "not-to-be-seen-of-trino"}


@dataclass
class Machine:
    """A running stack."""

    places: Places

    @classmethod
    def start(cls) -> "Machine":
        """Start the local AWS and Trino; deploy the template."""
        return cls(stack.up(_say, with_airflow=False))

    def start_airflow(self) -> None:
        """Start Airflow too; quick when it runs. No run starts by the clock: a test sees those that it triggers."""
        os.environ["AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE"] = "False"
        services.AIRFLOW = replace(services.AIRFLOW, environment=with_planted_secrets)
        self.places = stack.up(_say)

    def stop(self) -> None:
        """Stop what was started."""
        stack.down(_say)

    def client(self, service: str) -> Any:
        """Return a boto3 client of the local AWS."""
        return pipeline.aws_client(service, self.places)

    def runner(self) -> Any:
        """Return a runner on Trino; with ATHENA_SQL in the environment, of statements as Athena gets them."""
        runner = QueryRunner(services.connect_trino(self.places))
        return AthenaOnTrino(runner) if os.environ.get("ATHENA_SQL") else runner


def with_planted_secrets(places: Places) -> dict[str, str]:
    """Return Airflow's environment, with secrets in both connections: one signs, the other is a header."""
    environment = services.airflow_environment(places)
    if permissions.are_checked():
        return environment
    aws, trino = (json.loads(environment[f"AIRFLOW_CONN_CLICKSTREAM_{which}"]) for which in ("AWS", "TRINO"))
    aws["password"] = PLANTED["aws"]
    trino["extra"]["extra_credential"] = [["token", PLANTED["trino"]]]
    return environment | {
        "AIRFLOW_CONN_CLICKSTREAM_AWS": json.dumps(aws),
        "AIRFLOW_CONN_CLICKSTREAM_TRINO": json.dumps(trino),
    }


def scratch_lake(machine: Machine, runner: Any = None) -> ScratchLake:
    """Return a lake with buckets, Glue databases and tables of its own; on Trino unless another runner is given."""
    lake = _lake_without_tables(machine, f"{_PROCESS}case{next(_numbers)}", runner)
    if runner:
        return lake.create()
    aws = machine.places.aws_url
    if aws not in _empty_lakes:
        _empty_lakes[aws] = EmptyLake.of(_lake_without_tables(machine, f"{_PROCESS}emptylake", None).create())
    _empty_lakes[aws].copy_to(lake)
    return lake


def lake_with_tables_of(machine: Machine, source: ScratchLake) -> ScratchLake:
    """Return a lake of its own that begins with the rows of another, without what is staged there."""
    lake = scratch_lake(machine)
    share_tables(source, lake)
    return lake


def forget_lakes() -> None:
    """Take the lakes that were made out of the catalog.

    The local AWS writes its whole catalog before it answers a change of it: with 280 lakes in it, each commit of a
    table waited for 18 MB.
    """
    while _lakes:
        lake = _lakes.pop()
        for database in _databases(lake.settings):
            with contextlib.suppress(ClientError):  # a test may have dropped it
                lake.glue.delete_database(Name=database)


def _databases(settings: Settings) -> tuple[str, ...]:
    return (
        settings.staging_database, settings.lines_database, settings.lake_database, settings.work_database,
        settings.events_database, settings.segment_database,
    )  # fmt: skip


def _lake_without_tables(machine: Machine, name: str, runner: Any) -> ScratchLake:
    settings = Settings(
        staging_bucket=f"{name}-staging",
        lake_bucket=f"{name}-lake",
        crawler=f"{name}-crawler",
        archive_bucket=f"{name}-archive",
        database_prefix=name,
    )
    s3, glue = machine.client("s3"), machine.client("glue")
    for bucket in (settings.staging_bucket, settings.lake_bucket, settings.archive_bucket):
        s3.create_bucket(Bucket=bucket)
    for database in _databases(settings):
        glue.create_database(DatabaseInput={"Name": database, "LocationUri": f"s3://{settings.lake_bucket}/{database}"})
    _lakes.append(ScratchLake(settings, s3, glue, runner or machine.runner()))
    return _lakes[-1]


def environment_of(lake: ScratchLake, places: Places) -> dict[str, str]:
    """Return the environment of an installation whose buckets, crawler and databases are a scratch lake's."""
    own = {
        variable(name): getattr(lake.settings, name)
        for name in [field.name for field in fields(lake.settings)]
        if name in ("staging_bucket", "lake_bucket", "archive_bucket", "crawler", "database_prefix")
    }
    return {**services.airflow_environment(places), **own}


def _say(message: str) -> None:
    print(message, file=sys.stderr)
