"""What a table needs to get its wanted columns, and what is refused. Expectations by hand, from Iceberg's rules."""

import pytest

from clickstream.engine.table_shape import DestructiveChangeError, Kind, TableColumn, changes

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
