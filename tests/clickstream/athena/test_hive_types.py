"""Column types in Hive's spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.athena.hive_types import INSTANT, TypeNameError, to_hive, to_trino
from clickstream.engine.sql import TableNames, lake_tables
from clickstream.engine.table_shape import TableColumn

PLAIN = [
    "varchar",
    "bigint",
    "integer",
    "double",
    "real",
    "boolean",
    "date",
    "decimal(18,2)",
    INSTANT,
]
TYPES = st.recursive(
    st.sampled_from(PLAIN),
    lambda inner: st.one_of(
        inner.map(lambda of: f"array({of})"),
        st.tuples(st.sampled_from(PLAIN), inner).map(lambda pair: f"map({pair[0]}, {pair[1]})"),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda of: f"row({', '.join(f'f{number} {kind}' for number, kind in enumerate(of))})"
        ),
    ),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("trino", "hive"),
    [
        ("VARCHAR", "string"),
        ("timestamp(6) with time zone", "timestamp"),
        ("map (varchar, bigint)", "map<string,bigint>"),
        ('array( row(a varchar, "b" decimal(18, 2) ) )', "array<struct<a:string,b:decimal(18,2)>>"),
    ],
)
def test_a_type_in_hive_s_spelling(trino: str, hive: str) -> None:
    assert to_hive(trino) == hive


@given(TYPES)
def test_there_and_back(trino: str) -> None:
    assert to_trino(to_hive(trino)) == trino


@pytest.mark.parametrize("table", TableNames.LAKE_TABLES)
def test_every_column_that_we_ship_comes_back_as_the_same_type(table: str) -> None:
    for column in lake_tables()[table].columns:
        assert TableColumn(column.name, to_trino(to_hive(column.type))).plain_type == column.plain_type


@pytest.mark.parametrize("kind", ["json", "uuid", "varbinary", "timestamp(3)", "time", "array(json)", ""])
def test_a_type_without_counterpart_is_named(kind: str) -> None:
    with pytest.raises(TypeNameError):
        to_hive(kind)
    with pytest.raises(TypeNameError):
        to_trino(f"x{kind}")
