"""Drift: keys and types of values that a load meets for the first time."""

from collections import Counter
from dataclasses import dataclass

SHAPES_READ = 5_000
"""How many shapes of messages a run looks at, the commonest first."""


@dataclass(frozen=True)
class SchemaChange:
    """A key of messages, or another type of its value, that a run met first. `path` is a JSON path."""

    path: str
    json_type: str
    change: str
    case_twin_of: str | None
    message_count: int

    def text(self) -> str:
        """Return one line for a log: no value, which may be personal."""
        twin = f", differs only in case from {self.case_twin_of}" if self.case_twin_of else ""
        return f"{self.change} {self.path}: {self.json_type}, in {self.message_count} messages{twin}"


@dataclass(frozen=True)
class Drift:
    """What one run recorded, and what it left out: changes over the limit, shapes of messages over SHAPES_READ."""

    changes: tuple[SchemaChange, ...] = ()
    changes_left: int = 0
    shapes_left: int = 0

    def warnings(self) -> list[str]:
        """Return what was left out, if something was, and why that may be."""
        found = []
        if self.changes_left:
            found.append(
                f"{self.changes_left} more new keys or types were not recorded: does a sender use ids as keys?"
            )
        if self.shapes_left:
            found.append(f"{self.shapes_left} rare shapes of messages were not looked at, {SHAPES_READ} were")
        return found

    def to_dict(self) -> dict[str, int]:
        """Return counts, as plain JSON values."""
        counts = Counter(change.change for change in self.changes)
        return {
            "new_key": counts["new_key"],
            "new_type": counts["new_type"],
            "case_twins": sum(change.case_twin_of is not None for change in self.changes),
            "changes_left": self.changes_left,
            "shapes_left": self.shapes_left,
        }
