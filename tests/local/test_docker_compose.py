"""docker-compose.yaml and its images, as far as no Docker is needed. `make lint` holds them to their schema, too."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import services
from local.places import Places
from local.trino import assemble

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
# What each image installs, stage by stage.
LOCKS = {"airflow": ["airflow-docker.lock", "test.lock"], "local": ["local.lock"]}
DOCKERFILES = {name: (ROOT / "docker" / f"{name}.Dockerfile").read_text() for name in LOCKS}
AIRFLOW = {name for name in SERVICES if name.startswith("airflow-")}
# A port as it has to be written: on this machine only, by a variable with a default.
PORT = re.compile(r"127\.0\.0\.1:\$\{(?P<variable>CLICKSTREAM_\w+_PORT):-(?P<default>\d+)\}:\d+")
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)")


def base_image(dockerfile: str) -> str:
    """The image from elsewhere; a later stage begins with an earlier one."""
    [image] = re.findall(r"^FROM (\S+:\S+)", DOCKERFILES[dockerfile], re.MULTILINE)
    return image


def locked(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE))


def waited_for() -> Iterator[tuple[str, str]]:
    for service in SERVICES.values():
        for name, need in service.get("depends_on", {}).items():
            yield name, need["condition"]


def needs(service: str) -> set[str]:
    """All services that are started before one."""
    direct = set(SERVICES[service].get("depends_on", {}))
    return direct.union(*map(needs, direct))


def example_settings() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_ports_are_of_this_machine_only_and_those_of_the_example() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    found = [PORT.fullmatch(port) for port in ports]

    assert None not in found, ports
    assert {match["variable"]: match["default"] for match in found if match} == {
        "CLICKSTREAM_AIRFLOW_PORT": "8080",
        "CLICKSTREAM_TRINO_PORT": "8081",
        "CLICKSTREAM_AWS_PORT": "4566",
    }


def test_the_example_has_each_variable_with_its_default() -> None:
    text = (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")
    used = dict(re.findall(r"(?<!\$)\$\{(\w+):-([^}]*)\}", text))

    assert used == example_settings()
    assert set(VARIABLE.findall(text)) == set(used), "a variable without a default"


def test_images_are_pinned() -> None:
    images = {service["image"] for service in SERVICES.values()} | {base_image(name) for name in DOCKERFILES}

    assert [image for image in images if not re.search(r":(?!latest)[\w.-]+$", image)] == []
    assert {image for image in images if image.endswith(":dev")} == {
        "clickstream-airflow:dev", "clickstream-local:dev", "clickstream-test:dev",
    }  # fmt: skip


def test_each_image_is_built_by_one_service_that_the_others_need() -> None:
    built = {service["image"]: name for name, service in SERVICES.items() if "build" in service}
    users = {name for name, service in SERVICES.items() if service["image"].endswith(":dev")} - set(built.values())

    assert len(built) == len([name for name, service in SERVICES.items() if "build" in service])
    assert {SERVICES[name]["image"] for name in users} <= built.keys()
    assert {SERVICES[name]["pull_policy"] for name in users} == {"never"}
    # Commands are for a stack that is up.
    started = {name for name in users if "profiles" not in SERVICES[name]}
    assert [name for name in started if built[SERVICES[name]["image"]] not in needs(name)] == []


def test_versions_are_those_of_the_checkout() -> None:
    airflow = locked("airflow.lock")["apache-airflow"]

    assert SERVICES["trino"]["image"] == f"trinodb/trino:{assemble.version()}"
    assert base_image("airflow") == f"apache/airflow:{airflow}-python3.12"


def test_airflow_in_a_container_has_the_same_packages_and_the_drivers_of_its_database() -> None:
    container, local = locked("airflow-docker.lock"), locked("airflow.lock")

    assert len(local) > 100
    assert {name: version for name, version in container.items() if name in local} == local
    assert container.keys() - local.keys() == {"asyncpg", "psycopg2-binary"}


@pytest.mark.parametrize("name", DOCKERFILES)
def test_images_install_only_what_is_locked(name: str) -> None:
    installs = re.findall(r"\bpip (?:install|sync)\b[^&|\n]*", DOCKERFILES[name].replace("\\\n", " "))

    assert [install.split()[-1].rpartition("/")[2] for install in installs] == LOCKS[name]
    assert [install for install in installs if "--require-hashes" not in install] == []
    assert not re.search(r"^USER (root|0)\b", DOCKERFILES[name], re.MULTILINE)


def test_nothing_is_started_before_what_it_needs_works() -> None:
    finished = {name for name, condition in waited_for() if condition == "service_completed_successfully"}
    healthy = {name for name, condition in waited_for() if condition == "service_healthy"}
    with_check = {name for name, service in SERVICES.items() if "healthcheck" in service}

    assert healthy <= with_check
    assert finished == {"secrets", "deploy", "airflow-init"}
    assert set(SERVICES) - with_check - finished == {
        name for name, service in SERVICES.items() if "profiles" in service
    }


@pytest.mark.parametrize("name", sorted(AIRFLOW))
def test_airflow_has_its_folders_side_by_side(name: str) -> None:
    mounts = [mount for mount in SERVICES[name]["volumes"] if mount.startswith("./")]

    assert mounts == [f"./{folder}:/opt/airflow/{folder}:ro" for folder in ("dags", "plugins", "include", "docs")]


def test_trino_has_the_catalogs_of_the_checkout_and_what_they_ask_of_the_environment() -> None:
    catalogs = ROOT / "local" / "trino" / "etc" / "catalog"
    asked = {name for file in catalogs.iterdir() for name in re.findall(r"\$\{ENV:(\w+)\}", file.read_text())}

    assert SERVICES["trino"]["volumes"] == ["./local/trino/etc/catalog:/etc/trino/catalog:ro"]
    assert asked <= SERVICES["trino"]["environment"].keys()


def test_airflow_is_set_as_without_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
        monkeypatch.delenv(name)
    places = Places(tmp_path, {"aws": 1, "trino": 2, "airflow": 3})
    places.settings_file.write_text("{}")
    local = {name: value for name, value in services.airflow_environment(places).items() if name.startswith("AIRFLOW")}
    compose = SERVICES["airflow-scheduler"]["environment"]

    shared = local.keys() & compose.keys()
    different = {name for name in shared if local[name] != compose[name] and not name.startswith("AIRFLOW_CONN_")}
    assert different == {"AIRFLOW__CORE__EXECUTION_API_SERVER_URL"}
    # Its folders, its way in and its address are another matter in a container.
    assert {name for name in local if name not in compose} <= {
        "AIRFLOW_HOME", "AIRFLOW__CORE__DAGS_FOLDER", "AIRFLOW__CORE__PLUGINS_FOLDER", "AIRFLOW__API__HOST",
        "AIRFLOW__API__PORT", "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS",
    }  # fmt: skip
    for name in ("AIRFLOW_CONN_CLICKSTREAM_AWS", "AIRFLOW_CONN_CLICKSTREAM_TRINO"):
        assert json.loads(compose[name])["conn_type"] == json.loads(local[name])["conn_type"]
        assert json.loads(compose[name])["extra"].keys() == json.loads(local[name])["extra"].keys()


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_no_right_of_root_that_its_image_does_not_need(name: str) -> None:
    service = SERVICES[name]
    # The entrypoint of Postgres begins as root; every other image has a user of its own.
    needed = {"postgres": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"]}

    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == needed.get(name, [])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")


def test_airflow_shows_nobody_its_configuration(tmp_path: Path) -> None:
    places = Places(tmp_path, {"aws": 1, "trino": 2, "airflow": 3})
    places.settings_file.write_text("{}")
    environments = [services.airflow_environment(places), *(SERVICES[name]["environment"] for name in sorted(AIRFLOW))]

    shown = [name for one in environments for name in one if name.endswith("__EXPOSE_CONFIG")]
    assert shown == [], "Airflow's default is not to"


def test_no_key_or_password_is_written_down() -> None:
    secret = re.compile(r"PASSWORD|SECRET|_KEY|SQL_ALCHEMY_CONN")
    variables = {
        (name, str(value))
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
        if secret.search(name) and not re.search(r"_(CMD|FILE|PASSWORDS)$", name)
    }

    # The local AWS takes any keys.
    assert variables == {("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")}
