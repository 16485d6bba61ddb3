"""Where things of the local stack are: folders, ports, addresses, settings."""

import json
import os
import socket
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".venv"
SERVICES = ("aws", "collector", "trino", "airflow")


class LocalError(RuntimeError):
    """A local command cannot go on; the message is the one-line reason."""


@dataclass(frozen=True)
class Places:
    """One local stack: everything it keeps is under `state`. `ports` has one port a service.

    `elsewhere` has the addresses of the services that others start, such as containers.
    """

    state: Path
    ports: dict[str, int]
    elsewhere: dict[str, str] = field(default_factory=dict)

    @property
    def aws_url(self) -> str:
        """The endpoint of every AWS service."""
        return self._url("aws")

    @property
    def trino_url(self) -> str:
        """Trino's coordinator and its web page."""
        return self._url("trino")

    @property
    def airflow_url(self) -> str:
        """Airflow's web page and API."""
        return self._url("airflow")

    @property
    def collector_url(self) -> str:
        """Where SDKs send to, and the shop's page."""
        return self._url("collector")

    def page(self, service: str) -> str:
        """Return where a browser finds a service. Of one that runs elsewhere, CLICKSTREAM_<SERVICE>_UI says so."""
        address = os.environ.get(f"CLICKSTREAM_{service.upper()}_UI") if service in self.elsewhere else None
        return address or self._url(service)

    def _url(self, service: str) -> str:
        return self.elsewhere.get(service) or f"http://127.0.0.1:{self.ports[service]}"

    def log(self, service: str) -> Path:
        """Return the log file of a service."""
        return self.state / "logs" / f"{service}.log"

    def where_to_look(self, service: str) -> str:
        """Return the end of a complaint about a service."""
        return f"see the log of {service} where it runs" if service in self.elsewhere else f"see {self.log(service)}"

    @property
    def settings_file(self) -> Path:
        """The CLICKSTREAM_* settings of the deployed stack, as JSON."""
        return self.state / "settings.json"

    @property
    def held_file(self) -> Path:
        """There while the schedules of Airflow are held back: the ids of the DAGs that were paused before."""
        return self.state / "airflow" / "held.json"

    def settings(self) -> dict[str, str]:
        """Return the CLICKSTREAM_* settings of the deployed stack. Raises LocalError before it is deployed."""
        if not self.settings_file.exists():
            raise LocalError("nothing is deployed: run `make up` first")
        values: dict[str, str] = json.loads(self.settings_file.read_text())
        return values


def open_places() -> Places:
    """Return the stack of this checkout, or that of CLICKSTREAM_STATE (a folder).

    A port is the one in CLICKSTREAM_<SERVICE>_PORT, else the one that the stack had before, else a free one. A service
    with a CLICKSTREAM_<SERVICE>_URL runs elsewhere, at that address.
    """
    state = Path(os.environ.get("CLICKSTREAM_STATE") or ROOT / ".local").resolve()
    (state / "logs").mkdir(parents=True, exist_ok=True)
    file = state / "ports.json"
    known: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    ports = {service: _port(service, known.get(service)) for service in SERVICES}
    if ports != known:
        file.write_text(json.dumps(ports))
    urls = {service: os.environ.get(f"CLICKSTREAM_{service.upper()}_URL") for service in SERVICES}
    return Places(state, ports, {service: url.rstrip("/") for service, url in urls.items() if url})


def renew_port(places: Places, service: str) -> Places:
    """Return the same places with another free port for `service`, for when somebody else took its port."""
    if os.environ.get(f"CLICKSTREAM_{service.upper()}_PORT"):
        raise LocalError(f"port {places.ports[service]} (CLICKSTREAM_{service.upper()}_PORT) is in use")
    ports = {**places.ports, service: _free_port()}
    (places.state / "ports.json").write_text(json.dumps(ports))
    return replace(places, ports=ports)


def is_free(port: int) -> bool:
    """Return whether nothing listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def java_home() -> str:
    """Return the JDK that local/bootstrap.py found."""
    home = os.environ.get("JAVA_HOME")
    if home is None:
        raise LocalError("JAVA_HOME is not set: use make, which looks for a JDK")
    return home


def run_quietly(command: list[str], environment: dict[str, str], log: Path) -> None:
    """Run a command to its end, its output appended to `log`. Raises LocalError when it fails."""
    with log.open("ab") as output:
        code = subprocess.run(command, env=environment, stdout=output, stderr=output, check=False).returncode
    if code:
        raise LocalError(f"{' '.join(command[:3])} ended with {code}: see {log}")


def _port(service: str, known: int | None) -> int:
    wanted = os.environ.get(f"CLICKSTREAM_{service.upper()}_PORT")
    if wanted:
        if not wanted.isdigit():
            raise LocalError(f"CLICKSTREAM_{service.upper()}_PORT={wanted}: must be a port number")
        return int(wanted)
    return known or _free_port()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
