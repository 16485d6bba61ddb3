"""A local stack of its own, with a fault proxy before the local AWS and one before Trino."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from local import processes, services, stack
from local.lake.machine import Machine
from local.places import LocalError, Places, is_free, open_places
from local.services import Service
from tests.faults.airflow_tasks import until
from tests.faults.figures import FIGURES
from tests.faults.proxy import FaultProxy


@dataclass
class FaultyMachine(Machine):
    """The stack. Trino reaches the local AWS through `aws`, tasks reach both through `aws` and `trino`.

    What a test looks with, the clients and the runner of Machine, goes past the proxies.
    """

    aws: FaultProxy
    trino: FaultProxy

    @classmethod
    def start_in(cls, state: Path) -> "FaultyMachine":
        """Start the local AWS, the proxies and Trino, with their state in a folder."""
        (state / "logs").mkdir(parents=True)
        places = stack.start(services.AWS, _places(state))
        machine = cls(places, FaultProxy(places.ports["aws"]), FaultProxy(places.ports["trino"]))
        stack.wait(services.AWS, places)
        # No template: each test has buckets and databases of its own.
        places.settings_file.write_text("{}")
        machine.start_trino()
        return machine

    @property
    def through(self) -> Places:
        """The places as tasks and Trino see them."""
        return Places(self.places.state, {**self.places.ports, "aws": self.aws.port, "trino": self.trino.port})

    def connections(self) -> dict[str, str]:
        """The environment that gives tasks their connections."""
        environment = services.airflow_environment(self.through)
        return {name: value for name, value in environment.items() if name.startswith("AIRFLOW_CONN_")}

    def kill(self, service: Service) -> None:
        """kill -9. It is over when the port is free: a large process takes a moment to go."""
        self.signal(service, signal.SIGKILL)
        processes.stop(service.name, self.places.state, 10)
        until(lambda: is_free(self.places.ports[service.name]), f"the end of {service.name}")

    def signal(self, service: Service, number: signal.Signals) -> None:
        """Send a signal to a service's process."""
        process = processes.find(service.name, self.places.state)
        if process is None:
            raise LocalError(f"{service.name} does not run")
        os.kill(process.pid, number)
        FIGURES.faults[f"{number.name} of {service.name}"] += 1

    def runs(self, service: Service) -> bool:
        """Whether a service's process is there."""
        return processes.find(service.name, self.places.state) is not None

    def start_trino(self, wait: bool = True) -> None:
        """Start Trino, on the port it had."""
        stack.start(services.TRINO, Places(self.places.state, {**self.places.ports, "aws": self.aws.port}))
        if wait:
            stack.wait(services.TRINO, self.places)

    def start_aws(self) -> None:
        """Start the local AWS, on the port and the state that it had."""
        stack.start(services.AWS, self.places)
        stack.wait(services.AWS, self.places)

    def heal(self) -> None:
        """No faults; every service runs."""
        for proxy in (self.aws, self.trino):
            proxy.heal()
        self.start_aws()
        self.start_trino()

    def close(self) -> None:
        """Stop everything."""
        for proxy in (self.aws, self.trino):
            FIGURES.faults.update(proxy.injected)
            proxy.close()
        for service in (services.TRINO, services.AWS):
            processes.stop(service.name, self.places.state, service.stop_timeout)


def _places(state: Path) -> Places:
    """A stack beside the one that CLICKSTREAM_STATE names."""
    with patch.dict(os.environ, CLICKSTREAM_STATE=str(state)):
        return open_places()
