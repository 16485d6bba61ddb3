"""The types that the plan's check takes are types of the engine, and bounds that it refuses are refused by it too."""

import pytest
from trino.exceptions import TrinoQueryError

from clickstream.engine.column_type import MAX_PRECISION, ColumnTypeError, read_type
from clickstream.engine.sql import Statement
from local.lake.machine import Machine
from local.lake.scratch import ScratchLake

# https://trino.io/docs/current/language/reserved.html
RESERVED = """
alter and as auto between by case cast constraint create cross cube current_catalog current_date current_path
current_role current_schema current_time current_timestamp current_user deallocate delete describe distinct drop else
end escape except exists extract false for from full group grouping having in inner insert intersect into is join
json_array json_exists json_object json_query json_table json_value left like listagg localtime localtimestamp natural
normalize not null on or order outer prepare recursive right rollup select skip table then trim true uescape union
unnest using values when where with
"""


@pytest.mark.promise("P9")
def test_every_type_that_is_taken_makes_a_column(lake: ScratchLake) -> None:
    edges = [(p, s) for p in (1, 2, 18, 37, MAX_PRECISION) for s in (0, 1, p - 1, p) if s <= p]
    texts = [f"decimal({p},{s})" for p, s in sorted(set(edges))]
    texts += [f"array({scalar})" for scalar in ("varchar", "bigint", "double", "boolean")]
    texts += ["varchar", "bigint", "double", "boolean", "date", "timestamp", "json"]
    texts.append(f"array(row({', '.join(f'{word} varchar' for word in RESERVED.split())}))")
    columns = ", ".join(f"c{number} {read_type(text).sql}" for number, text in enumerate(texts))
    table = lake.t.batch("types")

    lake.query(f"create table {table} ({columns})")
    lake.query(f"drop table {table}")


@pytest.mark.parametrize("text", ["decimal(0,0)", "decimal(39,0)", "decimal(5,6)"])
def test_a_bound_that_is_refused_is_the_engine_s(machine: Machine, text: str) -> None:
    with pytest.raises(ColumnTypeError):
        read_type(text)
    with pytest.raises(TrinoQueryError):
        machine.runner().run(Statement(f"select cast(null as {text})"))
