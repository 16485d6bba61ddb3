"""What a run of load_events costs in dollars, at the list prices of include/prices.yaml, and what one will cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import yaml

from clickstream.engine.spent import Spent
from clickstream.engine.sql import SQL_DIR

PRICES = SQL_DIR.parent / "prices.yaml"
RECENT = timedelta(days=7)
"""Runs of this time say what the next will cost."""


@cache
def read_prices() -> dict[str, Any]:
    """Read prices by name, in dollars, and what is assumed. Callers must not change them."""
    texts: dict[str, Any] = yaml.safe_load(PRICES.read_text(encoding="utf-8"))
    return texts


def dollars(spent: Spent, is_athena: bool, texts: Mapping[str, Any]) -> float:
    """Return what the statements cost: on Athena the bytes billed, on Trino the CPU that they took of its nodes."""
    prices, assumed = texts["prices"], texts["assumed"]
    if is_athena:
        return float(spent.bytes_billed / 1e12 * prices["athena_tb"]["price"])
    core_second = prices["trino_node_hour"]["price"] / assumed["trino_worker_cores"] / 3600
    return float(spent.cpu_seconds * core_second)


@dataclass(frozen=True)
class Rates:
    """What recent runs cost: dollars a run and, on top, dollars a byte of staged objects."""

    a_run: float
    a_byte: float

    def forecast(self, size: int) -> float:
        """Return the dollars of a run over objects of `size` bytes."""
        return self.a_run + self.a_byte * size


def rates_of(row: Mapping[str, Any]) -> Rates | None:
    """Return the rates in a row of lake/load_runs/rates.sql; None when no run has a cost.

    The line through the runs' costs by their bytes; where it slopes down or has no slope, which it has not when all
    runs are alike, the mean cost, and where it begins below zero, that a byte.
    """
    if row["average_dollars"] is None:
        return None
    a_run, a_byte = row["a_run"], row["a_byte"]
    if a_run is None or a_byte is None or a_byte <= 0:
        return Rates(row["average_dollars"], 0.0)
    if a_run < 0:
        return Rates(0.0, row["average_dollars"] / row["average_bytes"])
    return Rates(a_run, a_byte)
