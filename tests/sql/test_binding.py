"""What is bound comes back as it is, at the edges of its type too."""

import math
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickstream.engine.sql import Statement
from local.lake.machine import Machine

EDGES = [
    datetime.min.replace(tzinfo=UTC),
    datetime(1, 12, 2, tzinfo=UTC),
    datetime(999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(1582, 10, 10, tzinfo=UTC),
    datetime(1900, 2, 28, tzinfo=UTC),
    datetime.max.replace(tzinfo=UTC),
    -(2**63), 2**63 - 1, 2**31, -(2**31) - 1, 0,
    0.0, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, 0.1,
    "", "'", "''", "?", "\\", "\x00", "\n", "/* x */ -- y", "{{ x }}", "한 🎁 \u2028\ufeff",
    True, False, None,
]  # fmt: skip
SCALARS = (
    st.datetimes(timezones=st.just(UTC))
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.sampled_from(EDGES)
)


def bound(machine: Machine, values: list[Any]) -> list[Any]:
    """The values, bound in one statement and read back."""
    columns = ", ".join(f"? as c{number}" for number in range(len(values)))
    return list(machine.runner().run(Statement(f"select {columns}", tuple(values))).rows[0].values())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SCALARS, min_size=10, max_size=60))
def test_a_bound_value_comes_back_as_it_is(machine: Machine, values: list[Any]) -> None:
    """Floats with their sign, instants to the microsecond."""
    assert [_told(value) for value in bound(machine, values)] == [_told(value) for value in values]


def _told(value: Any) -> str:
    """The value in words; of equal ones only those are told apart that differ in type or sign."""
    return value.replace(tzinfo=None, fold=0).isoformat() if isinstance(value, datetime) else repr(value)


def test_a_list_of_edges_comes_back_as_it_is(machine: Machine) -> None:
    assert bound(machine, EDGES) == EDGES
    for kind in (datetime, str):
        many = [value for value in EDGES if isinstance(value, kind)]
        assert bound(machine, [many]) == [many]
