"""The operator that checks an installation; `make check-config` calls the same function outside a task."""

import hashlib
import os
import runpy
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from airflow import __version__ as airflow_version
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk import BaseHook, BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from clickstream.aws.facts import aws_facts, staging_facts
from clickstream.config_check.airflow import PROVIDERS, check_airflow, wanted_connections
from clickstream.config_check.athena import check_athena
from clickstream.config_check.aws import check_aws
from clickstream.config_check.engine_facts import athena_facts, trino_facts
from clickstream.config_check.finding import Finding, failed, observe, report
from clickstream.config_check.settings import check_settings, unusable
from clickstream.config_check.tables import check_tables
from clickstream.config_check.trino import check_trino
from clickstream.engine.evolution import Run, lake_shapes, present_shapes
from clickstream.engine.query import Result, Runner
from clickstream.engine.sql import SQL_DIR, TableNames, render
from clickstream.operators.engine import connect
from clickstream.settings import Settings, SettingsError, load_settings

INCLUDE = SQL_DIR.parent
_FILES = ("sql/lake/events/columns.yaml", "tracking_plan.yaml", "tracking_plan.schema.json", "prices.yaml")


class ClickstreamCheckOperator(BaseOperator):
    """Check one area of the installation; log every finding with its fix. Not retried when something is wrong."""

    def __init__(self, *, area: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.area = area

    def execute(self, context: Context) -> dict[str, int]:
        """Return how many findings there are of each level. Raises AirflowFailException when one is a failure."""
        findings = list(look(self.area, Path(self.dag.fileloc).parent, context["run_id"]))
        self.log.info("%s", report(findings))
        wrong = failed(findings)
        if wrong:
            raise AirflowFailException("\n".join(finding.text() for finding in wrong))
        counts: dict[str, int] = {}
        for finding in findings:
            counts[finding.level.value] = counts.get(finding.level.value, 0) + 1
        return counts


def look(area: str, dags: Path, run_id: str) -> Iterator[Finding]:
    """Yield the findings of one area of AREAS. `dags`: the folder of DAG files; `run_id` names the probes."""
    try:
        settings = load_settings()
    except SettingsError as error:
        if area == "settings":
            yield unusable(error)
        return
    yield from AREAS[area](settings, dags, run_id)


def _look_at_settings(settings: Settings, dags: Path, run_id: str) -> Iterator[Finding]:
    names = [name for name, value in os.environ.items() if name.startswith("CLICKSTREAM_") and value]
    return check_settings({"environment": names}, settings)


def _look_at_airflow(settings: Settings, dags: Path, run_id: str) -> Iterator[Finding]:
    return check_airflow(
        {
            "version": airflow_version,
            "providers": {name: _version(f"apache-airflow-providers-{name}") for name in PROVIDERS},
            "connections": {name: observe(partial(_type_of, name)) for name in wanted_connections(settings)},
            "import_errors": _import_errors(dags),
            "missing_files": [f"include/{name}" for name in _FILES if not (INCLUDE / name).is_file()],
        },
        settings,
    )


def _look_at_aws(settings: Settings, dags: Path, run_id: str) -> Iterator[Finding]:
    probe = hashlib.sha256(run_id.encode()).hexdigest()[:24]
    return check_aws(aws_facts(_client(settings), settings, probe), settings)


def _look_at_trino(settings: Settings, dags: Path, run_id: str) -> Iterator[Finding]:
    if settings.is_athena:
        return iter(())
    staged = staging_facts(_client(settings), settings)
    facts = trino_facts(_runner(settings), settings, f"clickstream_check {run_id}", staged["newest"])
    return check_trino({**staged, **facts}, settings)


def _look_at_athena(settings: Settings, dags: Path, run_id: str) -> Iterator[Finding]:
    if not settings.is_athena:
        return iter(())
    client = _client(settings)
    staged = staging_facts(client, settings)
    facts = athena_facts(client, _runner(settings), settings, f"clickstream_check {run_id}", staged["newest"])
    return check_athena({**staged, **facts}, settings)


def _look_at_tables(settings: Settings, dags: Path, run_id: str) -> Iterator[Finding]:
    run = _runner(settings)
    present = observe(lambda: present_shapes(run, settings, [settings.lake_database]))
    return check_tables(lake_shapes(TableNames.LAKE_TABLES, settings), present)


AREAS: dict[str, Callable[[Settings, Path, str], Iterator[Finding]]] = {
    "settings": _look_at_settings,
    "airflow": _look_at_airflow,
    "aws": _look_at_aws,
    "trino": _look_at_trino,
    "athena": _look_at_athena,
    "tables": _look_at_tables,
}


def _client(settings: Settings) -> Callable[[str], Any]:
    return lambda service: AwsBaseHook(settings.aws_conn_id, client_type=service).get_conn()


def _runner(settings: Settings) -> Run:
    """Run files of include/sql. The connection is made with the first, so that its refusal is an answer too."""
    runners: list[Runner] = []

    def run(path: str, **values: Any) -> Result:
        if not runners:
            runners.append(connect(settings))
        return runners[0].run(render(path, settings, values))

    return run


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _type_of(connection: str) -> str:
    return str(BaseHook.get_connection(connection).conn_type)


def _import_errors(dags: Path) -> dict[str, str]:
    """Return what each DAG file that cannot be run says, by its name."""
    tried = {path.name: observe(partial(_run, path)) for path in sorted(dags.glob("*.py"))}
    return {name: result["error"] for name, result in tried.items() if result is not True}


def _run(path: Path) -> bool:
    runpy.run_path(str(path))
    return True
