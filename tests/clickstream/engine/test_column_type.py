"""Which texts of the plan are types of a column, and what Trino gets."""

import pytest

from clickstream.engine.column_type import ColumnTypeError, read_type


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("varchar", "varchar"),
        ("json", "varchar"),
        ("timestamp", "timestamp(6) with time zone"),
        ("decimal(18,2)", "decimal(18,2)"),
        ("decimal(38,38)", "decimal(38,38)"),
        ("decimal(1,0)", "decimal(1,0)"),
        ("array(double)", "array(double)"),
        ("array(row(sku varchar, price double))", 'array(row("sku" varchar, "price" double))'),
        ("array(row(order varchar,select bigint))", 'array(row("order" varchar, "select" bigint))'),
    ],
)
def test_a_type_is_read(text: str, sql: str) -> None:
    assert read_type(text).sql == sql


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("decimal(99,2)", "1 to 38 digits"),
        ("decimal(5,10)", "no more of them after the point"),
        ("decimal(0,0)", "1 to 38 digits"),
        ("decimal(٣,1)", "is no type of a column"),
        ("object", "is no type of a column"),
        ("text", "is no type of a column"),
        ("Varchar", "is no type of a column"),
        ("", "is no type of a column"),
        ("array(date)", "is no type of a column"),
        ("array(array(bigint))", "is no type of a column"),
        ("array(row(a varchar, a varchar))", "the field a is there twice"),
        ("array(row(A varchar))", "'A varchar' is no field of a row"),
        ("array(row(a date))", "'a date' is no field of a row"),
        ("array(row())", "'' is no field of a row"),
        ('array(row(a" varchar))', "is no field of a row"),
    ],
)
def test_anything_else_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(ColumnTypeError, match=reason):
        read_type(text)
