"""The services of the local stack: how each is started, and how one knows that it works."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import trino

from local import permissions
from local.places import ENVIRONMENTS, ROOT, Places, java_home
from local.trino import assemble

REGION = "us-east-1"
# The local AWS takes any credentials; these are what every client here uses.
ACCESS_KEY, SECRET_KEY = "test", "test"

TRINO_ETC = ROOT / "local" / "trino" / "etc"
TRINO_HEAP = "2g"
# Flags of Trino's Java, by what it is for. Each statement is new code, and G1 marks what is left of the old ones beside
# them: the tests take 0.64 times the CPU without it. To compile thoroughly costs more than it saves for some hundred
# statements. For the quick compiler alone, Java has 48 MB for compiled code: they are full after minutes, and to free
# some takes a collection of the whole heap. Trino's own jvm.config says 512 MB.
FOR_MUCH_DATA = ("-XX:+UseG1GC",)
FOR_MANY_STATEMENTS = ("-XX:+UseSerialGC", "-XX:MetaspaceSize=512m", "-XX:ReservedCodeCacheSize=512m")
FOR_A_QUICK_START = (*FOR_MANY_STATEMENTS, "-XX:TieredStopAtLevel=1")


@dataclass(frozen=True)
class Service:
    """How to start a service, and how to check whether it works.

    `patience`: seconds without any progress after which its start has failed.
    """

    name: str
    command: Callable[[Places], list[str]]
    environment: Callable[[Places], dict[str, str]]
    is_healthy: Callable[[Places], bool]
    patience: float
    stop_timeout: float


def aws_environment(places: Places) -> dict[str, str]:
    """Return the environment in which any AWS client speaks to the local AWS."""
    return {
        **os.environ,
        "AWS_ENDPOINT_URL": places.aws_url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _aws_command(places: Places) -> list[str]:
    python = str(ENVIRONMENTS / "local" / "bin" / "python")
    checks = ["--check-permissions"] if permissions.are_checked() else []
    state = str(places.state / "aws")
    return [python, "-m", "local.aws", "--port", str(places.ports["aws"]), "--state-dir", state, *checks]


def _aws_healthy(places: Places) -> bool:
    return bool(httpx.get(f"{places.aws_url}/_clickstream/health", timeout=30).is_success)


def _collector_command(places: Places) -> list[str]:
    # It checks the sources and the plan with what Airflow's environment has.
    python = str(ENVIRONMENTS / "airflow" / "bin" / "python")
    return [python, "-m", "local.collector", str(places.ports["collector"])]


def _collector_environment(places: Places) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "CLICKSTREAM_STATE": str(places.state)}


def _collector_healthy(places: Places) -> bool:
    return bool(httpx.get(f"{places.collector_url}/health", timeout=30).is_success)


def _trino_command(places: Places, flags: Sequence[str]) -> list[str]:
    home = assemble.home()
    return [
        f"{java_home()}/bin/java",
        f"-Xmx{os.environ.get('CLICKSTREAM_TRINO_HEAP') or TRINO_HEAP}",
        *flags,
        "-XX:+ExitOnOutOfMemoryError",
        # Trino needs these; the server archive's launcher passes them too.
        "--add-modules=jdk.incubator.vector",
        "--sun-misc-unsafe-memory-access=allow",
        "--enable-native-access=ALL-UNNAMED",
        "-Djdk.attach.allowAttachSelf=true",
        f"-Dconfig={TRINO_ETC / 'config.properties'}",
        f"-Dlog.levels-file={TRINO_ETC / 'log.properties'}",
        "-cp",
        f"{home}/lib/*:{home}",
        "Launch",
        assemble.version(),
    ]


def _trino_environment(places: Places) -> dict[str, str]:
    environment = {
        **aws_environment(places),
        "TRINO_PORT": str(places.ports["trino"]),
        "TRINO_PLUGIN_DIR": f"{assemble.home()}/plugin",
        "TRINO_CATALOG_DIR": str(TRINO_ETC / "catalog"),
    }
    return {**environment, **_trino_role(places)} if permissions.are_checked() else environment


def _trino_role(places: Places) -> dict[str, str]:
    """Return keys that may only assume Trino's role, and catalogs that do so."""
    trino = permissions.consumers(places)["Trino"]
    folder = places.state / "trino" / "catalog"
    folder.mkdir(parents=True, exist_ok=True)
    role = (TRINO_ETC / "role.properties").read_text()
    for catalog in (TRINO_ETC / "catalog").glob("*.properties"):
        (folder / catalog.name).write_text(f"{catalog.read_text()}{role}")
    return {
        "AWS_ACCESS_KEY_ID": trino.key,
        "AWS_SECRET_ACCESS_KEY": trino.secret,
        "TRINO_ROLE_ARN": trino.role,
        "TRINO_EXTERNAL_ID": trino.external_id,
        "TRINO_CATALOG_DIR": str(folder),
    }


def _trino_healthy(places: Places) -> bool:
    # /v1/info says started before a worker is there: only a query shows that.
    if httpx.get(f"{places.trino_url}/v1/info", timeout=30).json()["starting"]:
        return False
    with connect_trino(places) as connection:
        return bool(connection.cursor().execute("SELECT 1").fetchall())


def connect_trino(places: Places) -> trino.dbapi.Connection:
    """Return a connection to the local Trino; tables without a schema are the typed ones."""
    address = urlsplit(places.trino_url)
    return trino.dbapi.connect(
        host=address.hostname, port=address.port, user=os.environ.get("USER", "local"), catalog="lake",
        schema="clickstream", timezone="UTC", request_timeout=300,
    )  # fmt: skip


def airflow_environment(places: Places) -> dict[str, str]:
    """Return the environment of the local Airflow: the checkout's DAGs and plugins, the deployed stack's settings."""
    home = places.state / "airflow"
    aws = {
        "conn_type": "aws",
        "login": ACCESS_KEY,
        "password": SECRET_KEY,
        "extra": {"endpoint_url": places.aws_url, "region_name": REGION},
    }
    if permissions.are_checked():
        aws |= _airflow_role(places)
    trino = {
        "conn_type": "trino",
        "host": "127.0.0.1",
        "port": places.ports["trino"],
        "login": "airflow",
        "schema": "clickstream",
        "extra": {"catalog": "lake", "timezone": "UTC"},
    }
    return {
        **os.environ,
        **places.settings(),
        "CLICKSTREAM_TRINO_UI": places.trino_url,
        "PATH": f"{ENVIRONMENTS / 'airflow' / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONN_CLICKSTREAM_AWS": json.dumps(aws),
        "AIRFLOW_CONN_CLICKSTREAM_TRINO": json.dumps(trino),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{places.airflow_url}/execution/",
        # One user, on this machine only: the server listens on 127.0.0.1.
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(places.ports["airflow"]),
        "AIRFLOW__API__WORKERS": "1",
        # A DAG file that has changed is read at the next refresh, whatever the interval.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        # On a busy machine reading a file takes minutes, and a heartbeat is late.
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "600",
        "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "900",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "120",
        "AIRFLOW__DAG_PROCESSOR__HEALTH_CHECK_THRESHOLD": "120",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def _airflow_role(places: Places) -> dict[str, Any]:
    """Return what the connection has instead: keys that may only assume Airflow's role, and that role."""
    airflow = permissions.consumers(places)["Airflow"]
    extra = {
        "endpoint_url": places.aws_url,
        "region_name": REGION,
        # The provider calls STS at its public address, whatever endpoint_url says.
        "service_config": {"sts": {"endpoint_url": places.aws_url}},
        "role_arn": airflow.role,
        "assume_role_kwargs": {"ExternalId": airflow.external_id},
    }
    return {"login": airflow.key, "password": airflow.secret, "extra": extra}


def _airflow_command(places: Places) -> list[str]:
    return [str(ENVIRONMENTS / "airflow" / "bin" / "python"), "-m", "local.airflow_parts"]


def _airflow_healthy(places: Places) -> bool:
    health = httpx.get(f"{places.airflow_url}/api/v2/monitor/health", timeout=30).json()
    return all(health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor"))


def _aws_process_environment(places: Places) -> dict[str, str]:
    return {**aws_environment(places), "PYTHONPATH": str(ROOT)}


AWS = Service("aws", _aws_command, _aws_process_environment, _aws_healthy, patience=120, stop_timeout=20)
COLLECTOR = Service(
    "collector", _collector_command, _collector_environment, _collector_healthy, patience=120, stop_timeout=20
)
TRINO = Service(
    "trino",
    lambda places: _trino_command(places, FOR_A_QUICK_START),
    _trino_environment,
    _trino_healthy,
    patience=120,
    stop_timeout=20,
)
AIRFLOW = Service("airflow", _airflow_command, airflow_environment, _airflow_healthy, patience=240, stop_timeout=20)
ALL = (AWS, COLLECTOR, TRINO, AIRFLOW)


def of(places: Places) -> tuple[Service, ...]:
    """Return the services of a stack: of one in containers, no collector."""
    return tuple(service for service in ALL if service is not COLLECTOR or AWS.name not in places.elsewhere)


def trino_with(flags: Sequence[str]) -> Service:
    """Trino with other flags of Java."""
    return replace(TRINO, command=lambda places: _trino_command(places, flags))


def held(airflow: Service) -> Service:
    """Airflow with every DAG paused: nothing runs by its schedule until `Airflow.release`."""
    return replace(
        airflow,
        command=lambda places: [*airflow.command(places), "--held", str(places.held_file)],
        environment=lambda places: airflow.environment(places) | {"AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True"},
    )
