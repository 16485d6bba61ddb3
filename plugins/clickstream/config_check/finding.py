"""What a check finds, and how a person reads it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

Facts = Mapping[str, Any]
_LONGEST_ERROR = 300


def observe(call: Callable[[], Any]) -> Any:
    """Return a service's answer; {"error": "<why>"} when it refuses or cannot be reached, for any reason."""
    try:
        return call()
    except Exception as error:
        text = str(error).splitlines()[0] if str(error) else ""
        return {"error": f"{type(error).__name__}: {text}"[:_LONGEST_ERROR]}


class Level(Enum):
    """How much a finding matters: a `FAIL` stops something, a `WARN` takes a safety net or a feature away."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `wrong` and `fix` are empty when it is right."""

    area: str
    checked: str
    level: Level = Level.OK
    wrong: str = ""
    fix: str = ""

    def text(self) -> str:
        """Return the text for a person: one line when it is right, three when it is not."""
        head = f"{self.level.value.upper():4}  {self.area:8}  {self.checked}"
        return head if self.level is Level.OK else f"{head}\n        wrong: {self.wrong}\n        fix:   {self.fix}"


class Area:
    """Make the findings of one area."""

    def __init__(self, name: str) -> None:
        self._name = name

    def ok(self, checked: str) -> Finding:
        return Finding(self._name, checked)

    def warn(self, checked: str, wrong: str, fix: str) -> Finding:
        return Finding(self._name, checked, Level.WARN, wrong, fix)

    def fail(self, checked: str, wrong: str, fix: str) -> Finding:
        return Finding(self._name, checked, Level.FAIL, wrong, fix)

    def unless(self, wrong: str, checked: str, fix: str, level: Level = Level.FAIL) -> Finding:
        """Right when nothing is `wrong`."""
        return Finding(self._name, checked, level, wrong, fix) if wrong else self.ok(checked)


def report(findings: Iterable[Finding]) -> str:
    """Return what was found, the worst last, where a log ends; then one line that counts."""
    order = list(Level)
    found = sorted(findings, key=lambda finding: order.index(finding.level))
    count = {level: sum(finding.level is level for finding in found) for level in Level}
    total = f"{count[Level.OK]} ok, {count[Level.WARN]} to look at, {count[Level.FAIL]} wrong"
    return "\n".join([*(finding.text() for finding in found), total])


def failed(findings: Iterable[Finding]) -> list[Finding]:
    """Return those that stop something."""
    return [finding for finding in findings if finding.level is Level.FAIL]


def error_of(fact: Any) -> str:
    """Return why a service did not answer; '' when it did."""
    return str(fact["error"]) if isinstance(fact, Mapping) and set(fact) == {"error"} else ""
