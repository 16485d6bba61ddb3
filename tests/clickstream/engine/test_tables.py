"""table.yaml of the lake tables, and what its reader refuses."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from clickstream.engine.evolution import create_tables, lake_comments, lake_shapes
from clickstream.engine.sql import SQL_DIR, TableNames, lake_tables
from clickstream.engine.table_shape import TableColumn
from clickstream.engine.tables import Partitioning, Retention, Table, TableError, read_table, read_tables
from clickstream.plan.event import event_table
from clickstream.plan.file import read_plan
from clickstream.settings import Settings

DAGS = Path(__file__).parents[3] / "dags"
SETTINGS = Settings(staging_bucket="a", lake_bucket="b", crawler="c")
ORDERS: dict[str, Any] = {
    "comment": "What was ordered.",
    "grain": "one order",
    "filled_by": "load_events",
    "retention": {"forever": "They are the books."},
    "columns": [
        {"name": "id", "type": "varchar", "comment": "The order."},
        {"name": "ordered_at", "type": "timestamp(6) with time zone", "comment": "When it was ordered."},
    ],
    "example": "select 1",
}
ID, ORDERED_AT = ORDERS["columns"]


def write(layer: Path, given: Any) -> Path:
    folder = layer / "orders"
    folder.mkdir()
    (folder / "table.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
    return folder


def test_every_folder_of_the_lake_is_a_table_with_a_description() -> None:
    folders = {path.name for path in (SQL_DIR / "lake").iterdir() if path.is_dir()}

    assert set(lake_tables()) == set(TableNames.LAKE_TABLES) == folders


@pytest.mark.parametrize("table", [*lake_tables().values(), event_table()], ids=lambda table: table.name)
def test_a_description_is_a_line_that_ends_and_its_dag_is_there(table: Table) -> None:
    texts = [table.comment, *(column.comment for column in table.columns)]

    assert [text for text in texts if not re.fullmatch(r"\S[^\n]+\.", text)] == []
    assert len(table.comment) > 20
    assert not table.grain.endswith(".")
    assert (DAGS / f"{table.filled_by}.py").is_file()
    assert table.example.startswith("select ")


@pytest.mark.parametrize(
    ("table", "partitioned_by", "sorted_by"),
    [
        ("events", Partitioning("hour", "received_at"), "received_at"),
        ("sessions", Partitioning("day", "started_at"), "started_at"),
        ("load_ledger", Partitioning("day", "staged_at"), None),
        ("alarms", None, None),
    ],
)
def test_a_shipped_layout_stays(table: str, partitioned_by: Partitioning | None, sorted_by: str | None) -> None:
    """A table that is there keeps its own: nothing alters it, and maintenance would cut through its partitions."""
    assert (lake_tables()[table].partitioned_by, lake_tables()[table].sorted_by) == (partitioned_by, sorted_by)


def test_the_table_of_an_event_has_the_layout_of_all_and_its_own_name_comment_and_columns() -> None:
    for event in read_plan().with_table:
        table = event.description

        assert (table.name, table.comment) == (event.table, event.entry["description"])
        assert table.partitioned_by == Partitioning("day", "received_at")
        names = [column.name for column in table.columns]
        assert names[0] == "message_id"
        assert names[-3:] == ["extras", "loaded_at", "load_run_id"]
        assert {table.partitioned_by.column, table.sorted_by} <= set(names)


def test_columns_of_messages_come_before_the_others() -> None:
    columns = lake_tables()["events"].columns

    assert columns[0] == TableColumn("message_id", "varchar", "Unique id of the message; the key of the table.")
    assert [column.name for column in columns[-5:]] == [
        "staged_at", "loaded_at", "load_run_id", "updated_at", "update_run_id",
    ]  # fmt: skip


def test_tables_are_made_one_statement_each_from_their_descriptions() -> None:
    ran: list[tuple[str, dict[str, Any]]] = []

    create_tables(lambda path, **values: ran.append((path, values)), ["rejects", "alarms"], SETTINGS)  # type: ignore[arg-type, func-returns-value]

    assert [(path, values["altered"], values["table"].name) for path, values in ran] == [
        ("evolution/create_table.sql", ("clickstream", "rejects"), "rejects"),
        ("evolution/create_table.sql", ("clickstream", "alarms"), "alarms"),
    ]


def test_wanted_shapes_and_comments_are_those_of_the_descriptions() -> None:
    assert lake_shapes(["alarms"], SETTINGS)["clickstream", "alarms"][0] == TableColumn(
        "name", "varchar", "Which alarm; docs/alarms.md lists them."
    )
    assert lake_comments(["alarms"], SETTINGS) == {
        ("clickstream", "alarms"): "What watch_pipeline found wrong, when, and whom it notified."
    }


def test_a_table_is_what_its_file_says(tmp_path: Path) -> None:
    given = {
        **ORDERS,
        "partitioned_by": "day(ordered_at)",
        "sorted_by": "id",
        "retention": {"days": 400, "after": "ordered_at", "blank": "id"},
    }
    write(tmp_path, given)

    (table,) = read_tables(tmp_path).values()

    assert table == Table(
        "orders",
        "What was ordered.",
        "one order",
        "load_events",
        Retention(400, "ordered_at", blank="id"),
        (
            TableColumn("id", "varchar", "The order."),
            TableColumn("ordered_at", "timestamp(6) with time zone", "When it was ordered."),
        ),
        "select 1",
        Partitioning("day", "ordered_at"),
        "id",
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"sorted": "id"}, "there is no field sorted; use some of comment, .*sorted_by"),
        ({"comment": None}, "comment is None; write a text"),
        ({"grain": 1}, "grain is 1; write a text, in quotes"),
        ({"example": " "}, "example is ' '; write a text"),
        ({"columns": {}}, "columns: write a list, one entry a column"),
        ({"columns": []}, "columns: write a list"),
        ({"columns": [ID, "x"]}, r"column 2 \(None\): write name, type, comment"),
        ({"columns": [{"name": "id", "type": "varchar"}]}, r"column 1 \(id\): add comment"),
        ({"columns": [{**ID, "sauce": "x"}]}, r"column 1 \(id\): there is no field sauce; use some of name"),
        ({"columns": [{**ID, "name": True}]}, r"column 1 \(True\): name is True; write a text"),
        ({"columns": [{**ID, "name": "Id"}]}, r"column 1 \(Id\): use a name of lower-case letters"),
        ({"columns": [ID, ORDERED_AT, ID]}, "more than one is named id; give each a name"),
        ({"partitioned_by": "month(ordered_at)"}, r"month\(ordered_at\) is not understood; write hour\(column\) or"),
        ({"partitioned_by": "day(id)"}, "partitioned_by: id is no timestamp column; use one of ordered_at"),
        ({"partitioned_by": "day(at)", "columns": [ID]}, "at is no timestamp column; use one of those that you add"),
        ({"retention": "90 days"}, r"retention: write \{days: <number>, after: <column>\}, or \{forever"),
        ({"retention": {"after": "ordered_at"}}, "retention: write"),
        ({"retention": {"days": 9, "forever": "x"}}, "retention: write"),
        ({"retention": {"days": "9", "after": "ordered_at"}}, "retention: days is '9'; write a whole number"),
        ({"retention": {"days": 0, "after": "ordered_at"}}, "retention: days is 0; write a whole number"),
        ({"retention": {"days": 9}}, "retention: days is 9; write .* in `after` the column it counts from"),
        ({"retention": {"forever": ""}}, "retention: forever is ''; write a text"),
        (
            {"retention": {"forever": "x", "until": "y"}},
            "retention: there is no field until; use some of days",
        ),
        ({"retention": {"days": 9, "after": "id"}}, "after: id is no timestamp column; use one of ordered_at"),
        ({"retention": {"days": 9, "after": "ordered_at", "blank": "at"}}, "blank: there is no column at"),
        ({"sorted_by": "at"}, "sorted_by: there is no column at; use one of id, ordered_at"),
    ],
)
def test_a_faulty_file_is_named_with_its_entry_and_what_to_write(
    tmp_path: Path, wrong: dict[str, Any], said: str
) -> None:
    folder = write(tmp_path, {**ORDERS, **wrong})

    with pytest.raises(TableError, match=said) as error:
        read_tables(tmp_path)

    assert str(error.value).startswith(f"{folder / 'table.yaml'}: ")


@pytest.mark.parametrize("field", ORDERS)
def test_a_field_that_is_missing_is_named(tmp_path: Path, field: str) -> None:
    folder = write(tmp_path, {name: value for name, value in ORDERS.items() if name != field})

    with pytest.raises(TableError, match=rf"table\.yaml: add {field}$"):
        read_table(folder)


def test_a_file_that_is_no_yaml_is_named_with_the_line(tmp_path: Path) -> None:
    folder = write(tmp_path, ORDERS)
    (folder / "table.yaml").write_text("comment: What: was ordered.\n", encoding="utf-8")

    with pytest.raises(TableError, match=r"(?s)table\.yaml: .*line 1, column"):
        read_table(folder)


def test_a_file_without_fields_says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"write comment, grain, filled_by, retention, columns, example here"):
        read_table(write(tmp_path, None))
