"""Airflow: version, providers, connections, folders, DAG files."""

from collections.abc import Iterator
from typing import Any

from clickstream.config_check.finding import Area, Facts, Finding, Level, error_of
from clickstream.config_check.settings import refusal
from clickstream.settings import Settings
from clickstream.watch.notify import read_destinations

# What the tests run on: requirements/airflow.lock.
TESTED_AIRFLOW = (3, 3)
PROVIDERS = ("amazon", "slack", "smtp", "trino")

_AIRFLOW = Area("airflow")


def check_airflow(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """Airflow.

    `facts`: `version`; `providers`, name to version or None; `connections`, id to its type or an error;
    `import_errors`, DAG file to message; `missing_files`, those of include/ that are not where the code looks.
    """
    version = tuple(int(part) for part in facts["version"].split(".")[:2])
    tested = ".".join(map(str, TESTED_AIRFLOW))
    yield _AIRFLOW.unless(
        "" if version == TESTED_AIRFLOW else f"it is {facts['version']}, and the tests run on {tested}",
        "version",
        f"use Airflow {tested}, or run this project's tests with yours: docs/existing-airflow.md",
        Level.WARN if version[0] == TESTED_AIRFLOW[0] else Level.FAIL,
    )
    for name in PROVIDERS:
        package = f"apache-airflow-providers-{name}"
        yield _AIRFLOW.unless(
            "" if facts["providers"].get(name) else "not installed",
            package,
            f"pip install {package}, in the version of requirements/airflow.lock",
        )
    for name, wanted in wanted_connections(settings).items():
        yield _connection(name, wanted, facts["connections"].get(name))
    yield _AIRFLOW.unless(
        f"not there: {', '.join(facts['missing_files'])}" if facts["missing_files"] else "",
        "include/ is beside plugins/ or in it",
        "deploy include/ as a sibling of plugins/: docs/existing-airflow.md, 'Where the folders go'",
    )
    for file, message in sorted(facts["import_errors"].items()):
        yield _AIRFLOW.fail(f"{file} can be read", message, "deploy dags/, plugins/ and include/ of one version")
    if not facts["import_errors"]:
        yield _AIRFLOW.ok("every DAG file can be read")


def wanted_connections(settings: Settings) -> dict[str, str]:
    """Return the connections that these settings name, each with its type."""
    wanted = {settings.aws_conn_id: "aws"}
    if not settings.is_athena:
        wanted[settings.trino_conn_id] = "trino"
    destinations = [] if refusal(settings.notify) else read_destinations(settings.notify)
    for destination in destinations:
        if destination.kind.value == "slack":
            wanted[destination.target] = "slackwebhook"
        if destination.kind.value == "email":
            wanted[settings.smtp_conn_id] = "smtp"
    return wanted


def _connection(name: str, wanted: str, found: Any) -> Finding:
    wrong = error_of(found) or ("" if found == wanted else f"it is of type {found!r}, not {wanted!r}")
    return _AIRFLOW.unless(
        wrong,
        f"connection {name}",
        f"make a connection {name} of type {wanted}, such as AIRFLOW_CONN_{name.upper()} in the environment: "
        "docs/existing-airflow.md, 'Connections'",
    )
