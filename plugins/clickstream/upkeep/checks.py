"""The checks beside each lake table: include/sql/lake/<table>/checks/<name>.sql, one question a file.

A check's first line is `-- Check (fail): ...` or `-- Check (warn): ...`; its rows are the offenders, at most LIMIT, by
ids and counts only, so that no payload gets into a log.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath
from typing import Any

from clickstream.engine.evolution import Run
from clickstream.engine.sql import SQL_DIR

LIMIT = 20
SHOWN = 5

_HEADER = re.compile(r"-- Check \((fail|warn)\): (\S.*)")


class CheckHeaderError(ValueError):
    """A check's first line does not say what the check is; the message names the file."""


class Severity(Enum):
    """What a check that finds something does to the run."""

    FAIL = "fail"
    WARN = "warn"


@dataclass(frozen=True)
class Check:
    """One check: its file below include/sql, its severity, and what its rows mean."""

    path: str
    severity: Severity
    meaning: str

    @property
    def name(self) -> str:
        """Table and check, such as events.message_id_is_unique."""
        path = PurePosixPath(self.path)
        return f"{path.parent.parent.name}.{path.stem}"


@dataclass(frozen=True)
class CheckFinding:
    """What a check found: its offending rows, none when all is well."""

    check: Check
    rows: Sequence[Mapping[str, Any]]

    def text(self) -> str:
        """Name, severity, count and the first rows, for a person."""
        count = f"{LIMIT} or more" if len(self.rows) >= LIMIT else str(len(self.rows))
        head = f"{self.check.name} ({self.check.severity.value}): rows found: {count}. {self.check.meaning}"
        shown = [", ".join(f"{column}={value}" for column, value in row.items()) for row in self.rows[:SHOWN]]
        return "\n  ".join([head, *shown])


@dataclass(frozen=True)
class Outcome:
    """What all checks together found."""

    failures: tuple[CheckFinding, ...]
    warnings: tuple[CheckFinding, ...]
    passed: int

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON values: the names of the checks that found something, and how many did not."""
        return {
            "passed": self.passed,
            "warnings": [finding.check.name for finding in self.warnings],
            "failures": [finding.check.name for finding in self.failures],
        }


def check_paths(tables: Iterable[str]) -> list[str]:
    """Return the checks of these lake tables, as paths below include/sql, ordered by table and then by name."""
    return [
        path.relative_to(SQL_DIR).as_posix()
        for table in tables
        for path in sorted((SQL_DIR / "lake" / table / "checks").glob("*.sql"))
    ]


def read_check(path: str) -> Check:
    """Return the check in a file below include/sql. Raises CheckHeaderError, and FileNotFoundError."""
    return parse_check(path, (SQL_DIR / path).read_text(encoding="utf-8"))


def parse_check(path: str, text: str) -> Check:
    """Return the check with this text. Raises CheckHeaderError."""
    first_line = text.partition("\n")[0].rstrip()
    header = _HEADER.fullmatch(first_line)
    if header is None:
        raise CheckHeaderError(f"{path}: its first line must be `-- Check (fail): ...` or `-- Check (warn): ...`")
    return Check(path, Severity(header[1]), header[2])


def check_tables(run: Run, paths: Iterable[str], values: Mapping[str, Any]) -> Outcome:
    """Run every check, whatever the others find. `values` has what the run touched: see the DAGs' operators."""
    checks = [read_check(path) for path in paths]
    return decide([CheckFinding(check, run(check.path, **values).rows) for check in checks])


def decide(findings: Iterable[CheckFinding]) -> Outcome:
    """Sort findings by what they do to the run."""
    given = list(findings)
    found = [finding for finding in given if finding.rows]
    return Outcome(
        failures=tuple(finding for finding in found if finding.check.severity is Severity.FAIL),
        warnings=tuple(finding for finding in found if finding.check.severity is Severity.WARN),
        passed=len(given) - len(found),
    )
