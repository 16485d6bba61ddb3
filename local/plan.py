"""The commands around include/tracking_plan.yaml: check it, take events in, give it out, compare it with what is sent.

`make help` lists them. Runs in Airflow's environment, which has what the pipeline reads the plan with.
"""

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table
from trino.exceptions import Error as TrinoError

from local.places import LocalError, open_places
from local.services import connect_trino

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plugins"))

from clickstream.plan_diff import Difference, differences, suggestion
from clickstream.plan_seen import Seen, look
from clickstream.query import QueryRunner, Result
from clickstream.segment_plan import ForeignPlanError, export_plan, import_plan
from clickstream.settings import load_settings
from clickstream.sql import render
from clickstream.tracking_plan import PLAN_FILE, TrackingPlanError, parse_plan, read_plan


def check(plan_file: Path) -> str:
    """What the plan holds. Raises TrackingPlanError."""
    plan = read_plan(plan_file)
    statuses = [event.status for event in plan.events]
    counts = {status: statuses.count(status) for status in ("live", "proposed", "deprecated")}
    return f"{plan_file.name}: " + ", ".join(f"{count} {status}" for status, count in counts.items() if count)


def take_in(plan_file: Path, foreign_file: Path) -> str:
    """Adds the events that the plan lacks to its end, as text, so that what is there stays as it is written.

    Raises TrackingPlanError, in which case the file stays untouched, and ForeignPlanError.
    """
    text = plan_file.read_text(encoding="utf-8")
    known = {event.name for event in parse_plan(text, plan_file.name).events}
    try:
        entries = import_plan(json.loads(foreign_file.read_text(encoding="utf-8")))
    except json.JSONDecodeError as error:
        raise ForeignPlanError(f"{foreign_file}: no JSON: {error}") from None
    new = {name: entry for name, entry in entries.items() if name not in known}
    longer = text.rstrip("\n") + "\n" + "".join(entry_text(name, entry) for name, entry in new.items())
    parse_plan(longer, f"{plan_file.name} with {foreign_file.name}")
    plan_file.write_text(longer, encoding="utf-8")
    return f"{len(new)} events added to {plan_file.name}, {len(entries) - len(new)} were there already"


def entry_text(name: str, entry: dict[str, object]) -> str:
    """One entry as it is pasted into the plan, with an empty line before it."""
    dumped = yaml.safe_dump({name: entry}, allow_unicode=True, sort_keys=False, width=110)
    return "\n" + "".join(f"  {line}\n" for line in dumped.splitlines())


def give_out(plan_file: Path) -> str:
    """The plan as the JSON of Segment Protocols."""
    return json.dumps(export_plan(read_plan(plan_file), "Clickstream"), ensure_ascii=False, indent=2)


def seen_in(days: str) -> Seen:
    """What was received in the last days on the local stack. Raises LocalError, trino.exceptions.Error and OSError."""
    if not days.isdecimal() or not 1 <= int(days) <= 366:
        raise LocalError(f"DAYS={days}: must be a whole number from 1 to 366")
    places = open_places()
    settings = load_settings(places.settings())
    with connect_trino(places) as connection:
        runner = QueryRunner(connection)

        def run(path: str, **values: object) -> Result:
            return runner.run(render(path, settings, values))

        return look(run, datetime.now(UTC) - timedelta(days=int(days)))


def table(found: list[Difference]) -> Table:
    """The differences for a person to read."""
    names = ("difference", "event", "property", "declared", "seen", "messages", "first seen", "last seen", "example")
    shown = Table(*names, box=None, pad_edge=False)
    for one in found:
        there = one.sighting
        times = (f"{at:%m-%d %H:%M}" for at in (there.first_seen_at, there.last_seen_at)) if there else ("", "")
        example = there.example if there and one.path else ""
        row = (
            one.kind.value,
            one.event,
            one.property_name,
            one.declared,
            one.seen,
            str(there.messages if there else 0),
        )
        shown.add_row(*(_printable(text) for text in (*row, *times, example)))
    return shown


def _printable(text: str, longest: int = 40) -> str:
    plain = "".join(character if character.isprintable() else "?" for character in text)
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def suggest(plan_file: Path, seen: Seen) -> str:
    """Text to append to the plan. Raises TrackingPlanError when the plan has a mistake."""
    text = plan_file.read_text(encoding="utf-8")
    more = suggestion(differences(parse_plan(text, plan_file.name), seen))
    parse_plan(text.rstrip("\n") + "\n" + more, f"{plan_file.name} with what is suggested")
    return more


def compare(command: str, plan_file: Path, seen: Seen, out: str) -> None:
    """Print what differs, or what to append to the plan: to the file `out` if it is named. Raises OSError."""
    if seen.is_cut:
        print("clickstream: rare properties were not looked at: does a sender use ids as keys?", file=sys.stderr)
    if command == "diff":
        found = differences(read_plan(plan_file), seen)
        width = None if sys.stdout.isatty() else 250
        Console(width=width, markup=False, emoji=False, highlight=False).print(
            table(found) if found else "no difference"
        )
        return
    more = suggest(plan_file, seen)
    if not more:
        print("clickstream: nothing undeclared was sent", file=sys.stderr)
    if out:
        with Path(out).open("x", encoding="utf-8") as new:
            new.write(more)
    else:
        print(more, end="")


def main(
    command: str,
    file: str = os.environ.get("CLICKSTREAM_FILE", ""),
    plan_file: Path = PLAN_FILE,
    days: str = os.environ.get("CLICKSTREAM_DAYS") or "7",
    out: str = os.environ.get("CLICKSTREAM_OUT", ""),
) -> int:
    """Run a command; a reason instead of a traceback, and exit code 1, when it cannot be done."""
    try:
        if command == "import" and not file:
            raise ForeignPlanError("no file: make plan-import FILE=plan.json")
        if command in ("diff", "suggest"):
            compare(command, plan_file, seen_in(days), out)
        elif command == "import":
            print(take_in(plan_file, Path(file)))
        else:
            print(check(plan_file) if command == "check" else give_out(plan_file))
    except (TrackingPlanError, ForeignPlanError, LocalError, TrinoError, OSError) as error:
        print(f"clickstream: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
