"""The commands around include/tracking_plan.yaml: check it, take events in, give it out. `make help` lists them.

Runs in Airflow's environment, which has what the pipeline reads the plan with.
"""

import json
import os
import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plugins"))

from clickstream.segment_plan import ForeignPlanError, export_plan, import_plan
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


def main(command: str, file: str = os.environ.get("CLICKSTREAM_FILE", ""), plan_file: Path = PLAN_FILE) -> int:
    """Run a command; a reason instead of a traceback, and exit code 1, when it cannot be done."""
    try:
        if command == "import" and not file:
            raise ForeignPlanError("no file: make plan-import FILE=plan.json")
        if command == "import":
            print(take_in(plan_file, Path(file)))
        else:
            print(check(plan_file) if command == "check" else give_out(plan_file))
    except (TrackingPlanError, ForeignPlanError, OSError) as error:
        print(f"clickstream: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
