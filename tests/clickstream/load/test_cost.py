"""What a run costs, by figures that were worked out by hand."""

from typing import Any

import pytest

from clickstream.engine.query import Result
from clickstream.engine.spent import Spent, format_dollars, from_dict, of_result
from clickstream.load.cost import Rates, dollars, rates_of

# A node of 10 cores for $3.60 an hour: $0.0001 a core and second. Athena for $5 a TB.
PRICES: dict[str, Any] = {
    "prices": {"trino_node_hour": {"price": 3.6}, "athena_tb": {"price": 5}},
    "assumed": {"trino_worker_cores": 10},
}


def test_what_statements_took_is_added_up() -> None:
    first = of_result(Result([], "q", 900, 1_500, 20_000_000, written_bytes=7))
    second = of_result(Result([], "q", 900, None, 3))
    nothing_read = of_result(Result([], "q", 900, 250, 0))

    spent = sum([second, nothing_read, Spent(tries=2)], first)

    # Athena bills 10 MB for a query that reads anything: https://aws.amazon.com/athena/pricing/
    assert spent == Spent(3, 1.75, 20_000_003, 7, bytes_billed=30_000_000, tries=2)
    assert from_dict(spent.to_dict()) == spent


def test_dollars_are_of_cpu_on_trino_and_of_bytes_on_athena() -> None:
    spent = Spent(cpu_seconds=200, bytes_billed=2_000_000_000)

    assert dollars(spent, False, PRICES) == pytest.approx(0.02)
    assert dollars(spent, True, PRICES) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ((0.5, 0.25), Rates(0.5, 0.25)),
        # No slope, or downwards: the mean, whatever the size.
        ((None, None), Rates(3.0, 0.0)),
        ((9.0, -1.0), Rates(3.0, 0.0)),
        # Nothing costs less than nothing: a byte as in the mean.
        ((-1.0, 2.0), Rates(0.0, 1.5)),
    ],
)
def test_rates_are_a_line_that_makes_sense(line: tuple[float | None, float | None], expected: Rates) -> None:
    row = {"a_run": line[0], "a_byte": line[1], "average_dollars": 3.0, "average_bytes": 2.0}

    assert rates_of(row) == expected
    assert Rates(0.5, 0.25).forecast(10) == 3.0


def test_there_are_no_rates_without_runs() -> None:
    assert rates_of(dict.fromkeys(("a_run", "a_byte", "average_dollars", "average_bytes"))) is None


@pytest.mark.parametrize(
    ("amount", "text"), [(12.345, "$12.35"), (0.0123, "$0.012"), (0.0000123, "$0.000012"), (0, "$0.000000")]
)
def test_dollars_are_readable_at_any_size(amount: float, text: str) -> None:
    assert format_dollars(amount) == text
