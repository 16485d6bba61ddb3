"""Bring the local stack up and down."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import trino.exceptions

from local import aws_deploy, permissions, processes, services
from local.airflow_api import Airflow
from local.places import ROOT, LocalError, Places, is_free, open_places, renew_port
from local.services import Service
from local.waiting import Report, wait_for

# A short buffer, so that one does not wait a minute for one's own events.
LOCAL_PARAMETERS = {"BufferIntervalSeconds": "2", "TransformBufferIntervalSeconds": "0"}


@dataclass(frozen=True)
class ServiceStatus:
    """What runs: pid 0 when nothing does. Memory in bytes, children included."""

    name: str
    pid: int
    is_healthy: bool
    memory: int
    url: str


def up(report: Report, with_airflow: bool = True, hold_schedules: bool = False, now: Report = lambda _: None) -> Places:
    """Start what is not running, deploy the template; return the places. Raises LocalError.

    `report` gets a line for each step that is done, `now` what is being waited for. What runs elsewhere is only waited
    for. With `hold_schedules`, an Airflow that is started here runs nothing by its schedules before they are released;
    without it, schedules that a command before this one held back are released.
    """
    places = open_places()
    with _step(report, "local AWS and Trino started"):
        # With checked permissions Trino's role is not there before the template is deployed.
        for service in (services.AWS,) if permissions.are_checked() else (services.AWS, services.TRINO):
            places = start(service, places)
        wait(services.AWS, places, now)
    deploy(report, places)
    if permissions.are_checked():
        places = start(services.TRINO, places)
    has_collector = services.COLLECTOR in services.of(places)
    if has_collector:
        places = start(services.COLLECTOR, places)
    if with_airflow:
        places = start(services.held(services.AIRFLOW) if hold_schedules else services.AIRFLOW, places)
    if has_collector:
        with _step(report, f"the collector answers at {places.collector_url}"):
            wait(services.COLLECTOR, places, now)
    with _step(report, f"Trino answers at {places.page('trino')}"):
        wait(services.TRINO, places, now)
    if with_airflow:
        with _step(report, f"Airflow answers at {places.page('airflow')}"):
            wait(services.AIRFLOW, places, now)
        if not hold_schedules:
            release_schedules(places)
    return places


def release_schedules(places: Places) -> None:
    """Let DAGs run by their schedules again, if they were held back; those paused before stay paused."""
    if places.held_file.exists():
        Airflow(places).unpause_all(but=frozenset(json.loads(places.held_file.read_text())))
        places.held_file.unlink()


def deploy(report: Report, places: Places) -> None:
    """Deploy the template to the local AWS and keep the resulting settings. Raises LocalError."""
    with _step(report, "lambdas/template.yaml deployed"):
        try:
            outputs = aws_deploy.deploy(places.aws_url, LOCAL_PARAMETERS | _consumers(places))
        except aws_deploy.DeployError as error:
            raise LocalError(str(error)) from error
        if permissions.are_checked():
            permissions.allow_roles(places, aws_deploy.client("iam", places.aws_url), outputs)
        places.settings_file.write_text(json.dumps(aws_deploy.as_settings(outputs), indent=2, sort_keys=True))


def _consumers(places: Places) -> dict[str, str]:
    if not permissions.are_checked():
        return {}
    return permissions.make_consumers(places, aws_deploy.client("iam", places.aws_url))


def down(report: Report) -> None:
    """Stop everything, keep the state. Airflow first: it uses the others. Raises LocalError."""
    places = open_places()
    if places.elsewhere:
        raise LocalError(f"{', '.join(places.elsewhere)} were not started by this command: stop them where they run")
    for service in reversed(services.of(places)):
        stopped = processes.stop(service.name, places.state, service.stop_timeout)
        report(f"{service.name}: {'stopped' if stopped else 'was not running'}")


def clean(report: Report) -> None:
    """Stop everything, delete the state."""
    down(report)
    places = open_places()
    if not (places.state / "ports.json").exists() or places.state in ROOT.parents or places.state == ROOT:
        raise LocalError(f"{places.state} is not a folder of a local stack: not deleted")
    shutil.rmtree(places.state)
    report(f"{places.state}: deleted")


def status() -> list[ServiceStatus]:
    """Return what runs where."""
    places = open_places()
    urls = {
        "aws": places.aws_url,
        "collector": places.collector_url,
        "trino": places.trino_url,
        "airflow": places.airflow_url,
    }
    found = []
    for service in services.of(places):
        process = processes.find(service.name, places.state)
        healthy = (process is not None or service.name in places.elsewhere) and _is_healthy(service, places)
        memory = processes.resident_bytes(process) if process else 0
        found.append(ServiceStatus(service.name, process.pid if process else 0, healthy, memory, urls[service.name]))
    return found


def start(service: Service, places: Places) -> Places:
    """Start one service if it does not run; return the places, with another port where its own was in use."""
    if service.name in places.elsewhere or processes.find(service.name, places.state) is not None:
        return places
    if not is_free(places.ports[service.name]):
        places = renew_port(places, service.name)
    # Each in a folder of its own: Trino writes its request log below where it was started.
    folder = places.state / service.name
    folder.mkdir(exist_ok=True)
    command, environment = service.command(places), service.environment(places)
    processes.start(service.name, command, environment, folder, places.log(service.name), places.state)
    return places


def wait(service: Service, places: Places, now: Report = lambda _: None) -> None:
    """Wait until a service works. Raises LocalError when it ends, and when it makes no progress for its patience."""

    def look() -> tuple[bool, str]:
        if _is_healthy(service, places):
            return True, ""
        if service.name in places.elsewhere:
            return False, "does not answer yet"
        process = processes.find(service.name, places.state)
        if process is None:
            raise LocalError(f"{service.name} ended while it started: see {places.log(service.name)}")
        seconds, written = processes.cpu_seconds(process), places.log(service.name).stat().st_size
        return False, f"does not answer yet; {seconds:.0f} s of CPU, {written} bytes of log so far"

    wait_for(service.name, look, now, service.patience, places.where_to_look(service.name))


def _is_healthy(service: Service, places: Places) -> bool:
    try:
        return service.is_healthy(places)
    except (httpx.HTTPError, trino.exceptions.Error, KeyError, ValueError):
        return False


@contextmanager
def _step(report: Report, done: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    report(f"{done} ({time.monotonic() - began:.1f} s)")
