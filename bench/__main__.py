"""Run the benchmarks on a local stack of their own and write the results to bench/results."""

import json
import os
import platform
import signal
import sys
import tempfile
from datetime import UTC, datetime
from typing import Annotated, Any

import psutil
import typer
from rich.console import Console

from bench import (
    airflow_runs,
    collector,
    declared_events,
    freshness,
    history,
    lambdas,
    memory,
    new_data,
    page,
    questions,
    scale,
    unpack,
    workers,
)
from bench.effort import Effort
from local import services, stack
from local.lake.machine import Machine
from local.places import ROOT

BENCHMARKS = {
    "unpack": unpack.run,
    "new_data": new_data.run,
    "history": history.run,
    "scale": scale.run,
    "workers": workers.run,
    "memory": memory.run,
    "questions": questions.run,
    "declared_events": declared_events.run,
    "airflow": airflow_runs.run,
    "freshness": freshness.run,
    "lambdas": lambdas.run,
    "collector": collector.run,
}
HEAP = "4g"

COMPARISONS = ("unpack", "new_data", "questions", "declared_events", "lambdas", "collector")
"""Those in which several ways must give the same."""

Quick = Annotated[bool, typer.Option(envvar="CLICKSTREAM_QUICK", help="Little data, once: is the comparison right?")]
Full = Annotated[bool, typer.Option(envvar="CLICKSTREAM_FULL", help="As much data and as many rounds as the page has.")]
Only = Annotated[str, typer.Option(envvar="CLICKSTREAM_ONLY", help=f"One of {', '.join(BENCHMARKS)}.")]


def main(quick: Quick = False, full: Full = False, only: Only = "") -> None:
    """Compare ways of doing the same, in one run: ratios, with the seconds beside them."""
    if only and only not in BENCHMARKS:
        raise typer.BadParameter(f"{only!r}: there are {', '.join(BENCHMARKS)}", param_hint="ONLY")
    effort = Effort.QUICK if quick else Effort.FULL if full else Effort.USUAL
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # its servers go with it
    with tempfile.TemporaryDirectory(prefix="clickstream-bench-") as state:
        os.environ |= {"CLICKSTREAM_STATE": state, "CLICKSTREAM_TRINO_HEAP": HEAP}
        services.TRINO = services.trino_with(services.FOR_MUCH_DATA)
        try:
            machine = Machine.start()
            for name in [only] if only else COMPARISONS if quick else BENCHMARKS:
                result = BENCHMARKS[name](machine, effort, typer.echo)
                Console(width=160).print(page.shown(result))
                if not quick:
                    _keep(name, result)
        finally:
            stack.down(typer.echo)
    if not quick:
        page.write()
        typer.echo(f"written: bench/results, {page.PAGE.relative_to(ROOT)}")


def _keep(name: str, result: dict[str, Any]) -> None:
    """Write the figures, all of them, with the machine that they are of."""
    page.RESULTS.mkdir(exist_ok=True)
    memory = round(psutil.virtual_memory().total / 2**30)
    machine = {"cores": os.cpu_count(), "memory GB": memory, "processor": platform.machine()}
    kept = {"measured_at": datetime.now(UTC).isoformat(timespec="minutes"), "machine": machine, **result}
    (page.RESULTS / f"{name}.json").write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
