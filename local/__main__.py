"""The commands of the local stack. `make help` lists them with their variables."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from botocore.exceptions import BotoCoreError
from rich.console import Console
from rich.table import Table
from trino.exceptions import Error as TrinoError

from local import demo as demonstration
from local import pipeline, stack
from local.places import LocalError, java_home, open_places
from local.progress import progress
from local.segment.kinesis import read_records
from local.trino import cli_jar

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console(stderr=True, highlight=False)

File = Annotated[str, typer.Option(envvar="CLICKSTREAM_FILE", help="NDJSON, plain or gzip; - is standard input.")]
Wait = Annotated[bool, typer.Option(envvar="CLICKSTREAM_WAIT", help="Return when all of it is staged.")]
Source = Annotated[str, typer.Option(envvar="CLICKSTREAM_REDRIVE_SOURCE", help="processing-failed, refused, rejects.")]
From = Annotated[str, typer.Option("--from", envvar="CLICKSTREAM_FROM", help="Then or later.")]
To = Annotated[str, typer.Option(envvar="CLICKSTREAM_TO", help="Before then.")]
Event = Annotated[str, typer.Option(envvar="CLICKSTREAM_EVENT", help="Name of an event of the plan, or its table.")]
DryRun = Annotated[bool, typer.Option(envvar="CLICKSTREAM_REDRIVE_DRY_RUN", help="Only count.")]
UserId = Annotated[str, typer.Option(envvar="CLICKSTREAM_USER_ID", help="Of the person.")]
AnonymousId = Annotated[str, typer.Option(envvar="CLICKSTREAM_ANONYMOUS_ID", help="Of a device of the person.")]
Include = Annotated[str, typer.Option(envvar="CLICKSTREAM_INCLUDE", help="Further ids, comma-separated.")]
Exclude = Annotated[str, typer.Option(envvar="CLICKSTREAM_EXCLUDE", help="Ids that are left alone, comma-separated.")]
Sql = Annotated[str, typer.Option("--query", envvar="CLICKSTREAM_SQL", help="One statement.")]


@app.command()
def up(airflow: bool = True) -> None:
    """Start the local AWS, the collector, Trino and Airflow; deploy lambdas/template.yaml."""
    with progress(console) as now:
        stack.up(say, with_airflow=airflow, now=now)


@app.command()
def deploy() -> None:
    """Deploy lambdas/template.yaml to a local AWS that runs; `up` does this too."""
    stack.deploy(say, open_places())


@app.command()
def down() -> None:
    """Stop them; their state is kept."""
    stack.down(say)


@app.command()
def clean() -> None:
    """Stop them; their state is deleted."""
    stack.clean(say)


@app.command()
def status() -> None:
    """Print what runs where. Exit code 3 when something does not."""
    table = Table("service", "state", "pid", "memory", "url", box=None)
    services = stack.status()
    for service in services:
        state = "healthy" if service.is_healthy else "starting or broken" if service.pid else "stopped"
        memory = f"{service.memory / 2**20:,.0f} MB" if service.pid else ""
        table.add_row(service.name, state, str(service.pid or ""), memory, service.url)
    Console().print(table)
    if not all(service.is_healthy for service in services):
        raise typer.Exit(3)


@app.command()
def send(file: File = "", wait: Wait = False) -> None:
    """Send each line of a file as one Kinesis record, byte for byte."""
    _require(file, "send")
    places = open_places()
    with progress(console) as now:
        report = pipeline.send(read_records(file), places, now)
        if wait:
            pipeline.wait_until_staged(places, now)
    print(f"{report.sent} records sent ({report.sent_bytes} bytes)" + (", all staged" if wait else ""))
    if report.blank:
        say(f"{report.blank} blank lines were skipped")
    if report.too_large:
        lines = ", ".join(str(line) for line, _ in report.too_large[:10])
        raise LocalError(f"{len(report.too_large)} records over Kinesis's limit of 1 MiB were not sent: lines {lines}")


@app.command()
def archive(file: File = "") -> None:
    """Write each line of a file to the archive, as Segment's S3 destination does."""
    _require(file, "archive")
    written = pipeline.write_archive(read_records(file), open_places())
    print(f"{sum(written.values())} messages archived in {len(written)} objects")


@app.command()
def run() -> None:
    """Crawl and patch, load everything staged and not yet loaded; print the run report."""
    with progress(console) as now:
        report = pipeline.run_pipeline(open_places(), now)
    print(demonstration.report_text(report))


@app.command()
def redrive(source: Source = "processing-failed", start: From = "", to: To = "", dry_run: DryRun = True) -> None:
    """Put what was refused on the stream again; print how much. Times as 2026-11-24T05:00:00Z."""
    params = {"source": source, "from": start or None, "to": to or None, "dry_run": dry_run}
    with progress(console) as now:
        counts = pipeline.redrive(open_places(), params, now)
    gone_through = "lines" if source == "rejects" else "objects"
    print(f"{counts['objects']} {gone_through}, {counts['read']} records read, {counts['sent']} sent", end="")
    print(f", {counts['skipped']} {gone_through} skipped" + (" (dry run: DRY_RUN=0 sends)" if dry_run else ""))


@app.command()
def erase(
    user_id: UserId = "", anonymous_id: AnonymousId = "", include: Include = "", exclude: Exclude = "",
    dry_run: DryRun = True,
) -> None:  # fmt: skip
    """Count what there is of a person, or erase it; print how much, by place, and ids that are to be decided."""
    if not (user_id or anonymous_id):
        raise LocalError("nobody: make erase USER_ID=... or ANONYMOUS_ID=..., or both")
    lists = {name: [one for one in ids.split(",") if one] for name, ids in (("include", include), ("exclude", exclude))}
    with progress(console) as now:
        counts, undecided = pipeline.erase(
            open_places(), {"user_id": user_id, "anonymous_id": anonymous_id, **lists}, dry_run, now
        )
    what = "found" if dry_run else "taken away"
    print("\n".join(f"{place}: {count} {what}" for place, count in counts.items()) or f"nothing {what}")
    for one in undecided:
        print(f"to be decided: {one['id']}, {one['reason']}: name it in INCLUDE= or EXCLUDE=")
    if dry_run and not undecided:
        print("dry run: DRY_RUN=0 erases")


@app.command()
def plan_rebuild(start: From = "", to: To = "", event: Event = "") -> None:
    """Rebuild the tables of single events as the plan is now; print how many messages."""
    if not (start and to):
        raise LocalError("no range: make plan-rebuild FROM=2026-11-24T00:00:00Z TO=2026-11-25T00:00:00Z")
    params = {"from": start or None, "to": to or None, "event": event or None}
    with progress(console) as now:
        messages = pipeline.rebuild(open_places(), params, now)
    print("\n".join(f"{table}: {count} messages rebuilt" for table, count in sorted(messages.items())) or "none")


@app.command()
def sql(query: Sql = "") -> None:
    """Print the result of a statement as CSV; without one, open a prompt."""
    places = open_places()
    if query.strip():
        names, rows = pipeline.query(places, query)
        pipeline.write_csv(names, rows, sys.stdout)
        return
    client = [f"{java_home()}/bin/java", "-jar", str(cli_jar.fetch(say)), "--server", places.trino_url]
    sys.exit(subprocess.run([*client, "--catalog", "lake", "--schema", "clickstream"], check=False).returncode)


@app.command()
def demo(seed: int = 0, users: int = demonstration.USERS) -> None:
    """Start everything, send a day of events, load them and show the result. Seed 0 takes a new one each time."""
    demonstration.run(console, seed, users)


def _require(file: str, command: str) -> None:
    if not file:
        raise LocalError(f"no file: make {command} FILE=x.ndjson")
    if file != "-" and not Path(file).is_file():
        raise LocalError(f"{file}: no such file")


def say(message: str) -> None:
    """Progress, on stderr."""
    console.print(message)


def guarded(command: Callable[[], Any]) -> int:
    """Run a command; a reason in one line instead of a traceback, and exit code 1, when it cannot be done."""
    try:
        command()
    except httpx.ConnectError:
        print("clickstream: nothing answers: run `make up`, or `docker compose up`, first", file=sys.stderr)
        return 1
    except (LocalError, TrinoError, BotoCoreError, httpx.HTTPError, subprocess.CalledProcessError, OSError) as error:
        reason = error.message if isinstance(error, TrinoError) and hasattr(error, "message") else str(error)
        print(f"clickstream: {str(reason).splitlines()[0]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    # An empty variable of the Makefile is the same as none.
    for name in [name for name, value in os.environ.items() if name.startswith("CLICKSTREAM_") and not value]:
        del os.environ[name]
    sys.exit(guarded(app))
