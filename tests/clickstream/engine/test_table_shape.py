"""What a table needs to get its wanted columns, and what is refused. Expectations by hand, from Iceberg's rules."""

import pytest

from clickstream.engine.evolution import lake_comments, lake_shapes
from clickstream.engine.sql import TableNames
from clickstream.engine.table_shape import (
    ColumnListError,
    DestructiveChangeError,
    Kind,
    TableColumn,
    changes,
    columns_of,
)
from clickstream.settings import Settings

ORDERS = ("shop", "orders")


def change(before: list[TableColumn], after: list[TableColumn]) -> list[tuple[Kind, str]]:
    return [(one.kind, one.column.name) for one in changes({ORDERS: after}, {ORDERS: before})]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("integer", "bigint"),
        ("real", "double"),
        ("decimal(5,2)", "decimal(18,2)"),
    ],
)
def test_a_type_that_iceberg_widens_is_widened(before: str, after: str) -> None:
    assert change([TableColumn("a", before)], [TableColumn("a", after)]) == [(Kind.WIDEN, "a")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("bigint", "integer"),
        ("bigint", "double"),
        ("double", "real"),
        ("varchar", "bigint"),
        ("decimal(18,2)", "decimal(5,2)"),
        ("decimal(5,2)", "decimal(18,4)"),
        ("array(varchar)", "array(bigint)"),
    ],
)
def test_any_other_change_of_type_is_refused_by_name(before: str, after: str) -> None:
    with pytest.raises(DestructiveChangeError) as refused:
        change([TableColumn("a", before)], [TableColumn("a", after)])

    message = str(refused.value)
    assert f"shop.orders: column a is {before} and would become {after}" in message
    assert "a column with a new name" in message


def test_a_dropped_column_is_refused_and_every_refusal_is_told_at_once() -> None:
    before = [TableColumn("a", "bigint"), TableColumn("b", "varchar"), TableColumn("c", "double")]

    with pytest.raises(DestructiveChangeError) as refused:
        change(before, [TableColumn("a", "varchar"), TableColumn("c", "double"), TableColumn("d", "double")])

    assert len(str(refused.value).splitlines()) == 2
    assert "column b (varchar) is no longer wanted" in str(refused.value)


def test_new_columns_and_comments_and_nothing_for_what_is_right() -> None:
    same = TableColumn("a", "varchar", "same")

    assert change([same], [same]) == []
    assert change([same], [same, TableColumn("b", "double")]) == [(Kind.ADD, "b")]
    assert change([same], [TableColumn("a", "varchar", "other")]) == [(Kind.COMMENT, "a")]
    assert changes({ORDERS: [same]}, {}) == []


def test_spelling_of_a_type_is_no_difference() -> None:
    before = TableColumn("a", 'array(row("sku" varchar, "price" double))')

    assert change([before], [TableColumn("a", "array(row(sku varchar,price double))")]) == []


def test_columns_are_read_out_of_a_create_statement() -> None:
    text = (
        "-- What it is (in a comment).\n"
        'create table if not exists "l"."s"."t" (\n'
        "    id varchar comment 'The id, (of) it''s owner.',\n"
        "    \"at\" timestamp(6) with time zone comment 'When.'\n"
        ")\ncomment 'All of it.'\nwith (\n    format = 'PARQUET'\n)"
    )

    assert columns_of(text) == (
        TableColumn("id", "varchar", "The id, (of) it's owner."),
        TableColumn("at", "timestamp(6) with time zone", "When."),
    )
    long = text.replace("varchar comment", "array(\n        row(a varchar, b decimal(9, 2),\n c date)\n    ) comment")
    assert columns_of(long)[0].type == "array(row(a varchar, b decimal(9, 2), c date))"
    assert columns_of(long.replace("The id, (of)", "The id :("))[1:] == columns_of(text)[1:]
    for wrong in (text.replace("create table if", "create view if"), text.replace(" comment 'When.'", "")):
        with pytest.raises(ColumnListError):
            columns_of(wrong)


def test_every_lake_table_lists_its_columns_and_says_what_it_holds() -> None:
    settings = Settings(staging_bucket="a", lake_bucket="b", crawler="c")
    paths = [f"lake/{table}/create.sql" for table in TableNames.LAKE_TABLES]
    shapes = lake_shapes(paths, settings)

    assert {name for _, name in shapes} == set(TableNames.LAKE_TABLES)
    assert lake_comments(paths, settings)["clickstream", "rejects"].startswith("Lines that")
    assert min(map(len, lake_comments(paths, settings).values())) > 20
    assert min(len(columns) for columns in shapes.values()) > 5
