"""What statements took, added up over a task and a run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from clickstream.engine.query import Result

BILLED_AT_LEAST = 10_000_000
"""Bytes that Athena bills for a query that reads anything: https://aws.amazon.com/athena/pricing/"""


@dataclass(frozen=True)
class Spent:
    """Statements that ended, their seconds of CPU (0 where the engine reports none), bytes read, written and, for
    Athena, billed; `tries`: how often the tasks that ran them were tried. What a failed try took is not in it.
    """

    queries: int = 0
    cpu_seconds: float = 0.0
    bytes_read: int = 0
    bytes_written: int = 0
    bytes_billed: int = 0
    tries: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        """Return the sum of both."""
        mine = asdict(self)
        return Spent(**{name: mine[name] + value for name, value in asdict(other).items()})

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON values."""
        return asdict(self)


def of_result(result: Result) -> Spent:
    """Return what one statement took."""
    return Spent(
        queries=1,
        cpu_seconds=(result.cpu_ms or 0) / 1000,
        bytes_read=result.read_bytes,
        bytes_written=result.written_bytes,
        bytes_billed=max(result.read_bytes, BILLED_AT_LEAST) if result.read_bytes else 0,
    )


def from_dict(values: Mapping[str, Any]) -> Spent:
    """Return what `to_dict` converted."""
    return Spent(**values)


def format_dollars(amount: float) -> str:
    """Return the amount for a person: two digits that say something, also of a part of a cent."""
    return f"${amount:.2f}" if amount >= 1 else f"${amount:.2g}" if amount >= 0.001 else f"${amount:.6f}"
