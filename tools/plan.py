"""The commands around include/tracking_plan.yaml: check it, import, export, compare it with what is sent.

`make help` lists them. Runs in Airflow's environment, which has what the pipeline reads the plan with.
"""

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table
from trino.exceptions import Error as TrinoError

from local.places import LocalError, open_places
from local.services import connect_trino

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plugins"))

from clickstream.engine.query import QueryRunner, Result
from clickstream.engine.sql import render
from clickstream.plan import importer
from clickstream.plan.diff import USUAL_DAYS, Difference, differences, suggestion
from clickstream.plan.event import Rule
from clickstream.plan.file import PLAN_FILE, TrackingPlanError, parse_plan, read_plan, require_narrow
from clickstream.plan.foreign_schema import Note
from clickstream.plan.seen import Seen, look
from clickstream.plan.segment import ForeignPlanError, export_plan, import_plan
from clickstream.settings import load_settings

LONGEST_LINE = 500
"""Characters of a printed line: names and values come from a file."""


def check(plan_file: Path) -> str:
    """Return what the plan holds. Raises TrackingPlanError."""
    plan = read_plan(plan_file)
    require_narrow(plan, plan_file.name)
    statuses = [event.status for event in plan.events]
    counts = {status: statuses.count(status) for status in ("live", "proposed", "deprecated")}
    return f"{plan_file.name}: " + ", ".join(f"{count} {status}" for status, count in counts.items() if count)


def take_in(plan_file: Path, foreign_file: Path) -> list[str]:
    """Add the events that the plan lacks to its end, as text, so that what is there stays as it is written.

    Return what was done, a line each. Raises TrackingPlanError and ForeignPlanError, in which case the file stays
    untouched.
    """
    text = plan_file.read_text(encoding="utf-8")
    foreign = import_plan(read_json(foreign_file))
    done = importer.take_in(text, plan_file.name, foreign)
    if done.added:
        plan_file.write_text(done.text, encoding="utf-8")
    return [_printable(line, LONGEST_LINE) for line in summary(done, plan_file.name)]


def read_json(file: Path) -> object:
    """Return what a JSON file holds, with or without a byte order mark. Raises ForeignPlanError and OSError."""
    content = file.read_bytes()
    if content.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        raise ForeignPlanError(f"{file.name}: no JSON: the file is compressed")
    try:
        return json.loads(content, parse_constant=_refuse_constant, object_pairs_hook=_each_once)
    except RecursionError:
        raise ForeignPlanError(f"{file.name}: no JSON that can be read: too many values inside each other") from None
    except ValueError as error:
        raise ForeignPlanError(f"{file.name}: no JSON: {error}") from None


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no number")


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        raise ValueError(f"a key is twice in one object: {next(key for key in keys if keys.count(key) > 1)!r}")
    return dict(pairs)


def summary(done: importer.Imported, plan_name: str) -> list[str]:
    """Return what came of a file, a line each: how many events, then what of them was not taken."""
    first = f"{len(done.added)} events added to {plan_name}, {len(done.known)} were there already"
    lines = [first + (f", {len(done.left)} left out" if done.left else "")]
    if done.named:
        lines.append(f"columns that were given a name, since theirs was taken, reserved or not plain: {done.named}")
    lines += done.remarks
    lines += [f"left out: {_of_event(note)}" for note in done.left]
    lines += [f"not taken as it is: {_of_event(note)}" for note in done.notes]
    if done.unknown:
        counts = ", ".join(f"{keyword} {count}" for keyword, count in sorted(done.unknown.items()))
        lines.append(f"keywords that the plan does not have, and how often they stand there: {counts}")
    return lines


def _of_event(note: Note) -> str:
    name = f"{note.event}, {Rule(note.path, {}).property_name}" if note.path else note.event
    return f"{name}: {note.text}"


def give_out(plan_file: Path) -> str:
    """Return the plan as the JSON of Segment Protocols."""
    return json.dumps(export_plan(read_plan(plan_file), "Clickstream"), ensure_ascii=False, indent=2)


def seen_in(days: str) -> Seen:
    """Return the events of the last days on the local stack. Raises LocalError, trino.exceptions.Error, OSError."""
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
    """Return the differences for a person to read."""
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
    """Return text to append to the plan. Raises TrackingPlanError when the plan has a mistake."""
    text = plan_file.read_text(encoding="utf-8")
    more = suggestion(differences(parse_plan(text, plan_file.name), seen))
    parse_plan(text.rstrip("\n") + "\n" + more, f"{plan_file.name} with what is suggested")
    return more


def compare(command: str, plan_file: Path, seen: Seen, out: str) -> None:
    """Print what differs, or what to append to the plan: to the file `out` if it is named. Raises OSError."""
    if seen.is_cut:
        print("clickstream: rare properties were not checked: does a sender use ids as keys?", file=sys.stderr)
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
    days: str = os.environ.get("CLICKSTREAM_DAYS") or str(USUAL_DAYS),
    out: str = os.environ.get("CLICKSTREAM_OUT", ""),
) -> int:
    """Run a command; a reason instead of a traceback, and exit code 1, when it cannot be done."""
    try:
        if command == "import" and not file:
            raise ForeignPlanError("no file: make plan-import FILE=plan.json")
        if command in ("diff", "suggest"):
            compare(command, plan_file, seen_in(days), out)
        elif command == "import":
            print(*take_in(plan_file, Path(file)), sep="\n")
        else:
            print(check(plan_file) if command == "check" else give_out(plan_file))
    except (TrackingPlanError, ForeignPlanError, LocalError, TrinoError, OSError) as error:
        print(f"clickstream: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
