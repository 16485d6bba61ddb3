"""Events of another system's plan at the end of this one: named where names collide, without what this plan refuses.

The plan's own check decides what is refused, and why.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from clickstream.plan.entries import name_columns, name_table
from clickstream.plan.event import Event, Keys, reserved_columns
from clickstream.plan.file import Mistake, TrackingPlanError, parse_plan
from clickstream.plan.foreign_schema import Json, Note
from clickstream.plan.marked_yaml import Path
from clickstream.plan.segment import UNKNOWN, ForeignPlan, ForeignPlanError

LONGEST_REASON = 200
"""Characters of a reason of the check, which can have a whole value in it."""


@dataclass
class Imported:
    """The plan's new text, and the outcome of each event of the file: added, there already, or left out with a reason.

    `notes`, `unknown` and `remarks` are those of ForeignPlan; `named` is how many columns got a name.
    """

    text: str = ""
    added: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    left: list[Note] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)
    named: int = 0


def take_in(text: str, file: str, foreign: ForeignPlan) -> Imported:
    """Return the plan in `text` with the events that it lacks at its end; what is there stays as it is written.

    `file` is its name in messages. Raises TrackingPlanError when the plan has a mistake itself, and ForeignPlanError
    when nothing can be added to its end.
    """
    plan = parse_plan(text, file)
    known = {event.name for event in plan.events}
    out = Imported(known=[name for name in foreign.entries if name in known], left=list(foreign.left))
    out.unknown, out.remarks = foreign.unknown, foreign.remarks
    tables = {event.table for event in plan.events}
    new: dict[str, Json] = {}
    for name, entry in foreign.entries.items():
        if name not in known:
            settling = _Settling(name, entry, tables)
            reason = settling.settle()
            out.named += settling.named
            out.notes += settling.notes
            if reason:
                out.left.append(Note(name, (), reason))
            else:
                new[name] = settling.entry
    # Without properties first, so that two events of one name do not cost two readings of all.
    for leave in ({"properties", "required"}, set()):
        out.left += _leave_out(text, file, new, leave)
    out.added = list(new)
    out.text = _longer(text, new)
    there = {note.event for note in out.left}
    out.notes = [note for note in (*foreign.notes, *out.notes) if note.event not in there | known]
    return out


def entry_text(name: str, entry: Mapping[str, Any]) -> str:
    """Return one entry as it is pasted into the plan, with an empty line before it."""
    dumped = yaml.dump({name: dict(entry)}, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)
    return "\n" + "".join(f"  {line}\n" for line in dumped.rstrip("\n").split("\n"))


class _Dumper(yaml.SafeDumper):
    """Write a repeated value in full, and quote what a reader of YAML could take for something else.

    PyYAML leaves texts as `1e3` plain, which are numbers in YAML 1.2, and line separators, which part lines.
    """

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Return a text with the quotes that it needs at least."""
        style = None if text.isprintable() and text[:1] not in "+-.0123456789" else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)


class _Settling:
    """Bring one entry to a form that the check accepts, by leaving out what it refuses."""

    def __init__(self, name: str, entry: Json, tables: set[str]) -> None:
        self.name, self.entry = name, entry
        self.notes: list[Note] = []
        self.named = 0
        self._tables = tables
        self._is_named = False

    def settle(self) -> str:
        """Return '' when the check accepts the entry, else why it cannot be settled."""
        if not Event(self.name, {}).slugs[0]:
            return "its name has no letter and no digit, by which its messages would be found"
        while mistakes := _mistakes("version: 1\nevents:\n" + entry_text(self.name, self.entry), "the event"):
            in_keywords = [(path, text) for path, text in mistakes if _keyword(path)]
            if not in_keywords and not self._is_named and all(path for path, _ in mistakes):
                # Mistakes in names only: the form is right, so that names can be derived.
                self._name()
                continue
            left_out = [self._leave_out(path, text) for path, text in in_keywords or mistakes]
            if not any(left_out):
                return mistakes[0][1]
        if not self._is_named:
            self._name()
        return ""

    def _name(self) -> None:
        self._is_named = True
        retired = self.entry.get("retired_columns", {})
        self.named = name_columns(self.entry, reserved_columns() | set(retired))
        name_table(self.name, self.entry, self._tables)

    def _leave_out(self, path: Path, reason: str) -> bool:
        """Leave out the keyword at `path`, else the property; False when there is none, as for the event itself."""
        at = _keyword(path) or path
        if len(at) <= len(_EVENT_PATH):
            return False
        *around, key = at[2:]
        schema: Any = self.entry
        for step in around:
            schema = schema.get(step, {})
        if key not in schema:
            return False
        default = {"description": self.name, **UNKNOWN}.get(str(key)) if not around else None
        if default is not None and schema[key] == default:
            return False
        del schema[key]
        if default is not None:
            schema[key] = default
        if around[-1:] == ["properties"]:
            self._forget_required(around[:-1], str(key))
        keyword = f"{key}: " if _keyword(path) else ""
        self.notes.append(Note(self.name, _keys(at[2:]), keyword + reason))
        return True

    def _forget_required(self, around: list[Any], name: str) -> None:
        schema: Any = self.entry
        for step in around:
            schema = schema[step]
        if name in schema.get("required", []):
            schema["required"] = [one for one in schema["required"] if one != name]


_EVENT_PATH = ("events", "name")


def _keyword(path: Path) -> Path:
    """Return the path of the keyword of an event or a property that a mistake is in; () when it is in none."""
    at = len(_EVENT_PATH)
    while at < len(path):
        if path[at] == "properties" and at + 1 < len(path):
            at += 2
        elif path[at] == "items":
            at += 1
        else:
            return path[: at + 1]
    return ()


def _keys(path: Path) -> Keys:
    """Return the property that a path inside an entry is of, [] for the items of an array."""
    keys: list[str] = []
    steps = iter(path)
    for step in steps:
        if step == "properties":
            keys += [str(name) for name in [next(steps, None)] if name is not None]
        elif step == "items":
            keys.append("[]")
        else:
            break
    return tuple(keys)


def _mistakes(text: str, file: str) -> list[Mistake]:
    """Return what the check finds, of each mistake its path and a reason of one line."""
    try:
        parse_plan(text, file)
    except TrackingPlanError as error:
        return [(path, _shortened(message)) for path, message in error.mistakes] or [((), _shortened(str(error)))]
    except (ArithmeticError, RecursionError) as error:
        # A check that fails itself, as Python's does for a pattern that repeats too often.
        return [((), _shortened(f"cannot be checked: {error}"))]
    return []


def _shortened(reason: str) -> str:
    line = " ".join(reason.split())
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 1] + "…"


def _leave_out(text: str, file: str, new: dict[str, Json], leave: set[str]) -> list[Note]:
    """Take out of `new` each event that the check refuses beside the others, and say why."""
    left: list[Note] = []
    while mistakes := _mistakes(_longer(text, {name: _without(entry, leave) for name, entry in new.items()}), file):
        refused = {str(path[1]): reason for path, reason in mistakes if len(path) > 1 and path[1] in new}
        if not refused:
            raise ForeignPlanError(
                f"nothing can be added to the end of {file}: `events` must come last, its entries indented by two"
                " spaces"
            )
        for name, reason in refused.items():
            del new[name]
            left.append(Note(name, (), reason))
    return left


def _without(entry: Json, keys: set[str]) -> Json:
    return {key: value for key, value in entry.items() if key not in keys}


def _longer(text: str, new: Mapping[str, Json]) -> str:
    return text.rstrip("\n") + "\n" + "".join(entry_text(name, entry) for name, entry in new.items())
