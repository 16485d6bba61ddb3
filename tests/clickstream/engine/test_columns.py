"""columns.yaml of `events`, and what its reader refuses."""

import re
from pathlib import Path

import pytest

from clickstream.engine.columns import SQL_TYPES, Column, Columns, ColumnsError, read_columns
from clickstream.engine.sql import SQL_DIR, environment, quote

EVENTS = read_columns(SQL_DIR / "lake" / "events" / "columns.yaml")

# Segment: connections/spec/common, "Context". An entry without members has one column of its own.
CONTEXT_KEYS = {
    "active": "",
    "app": "name version build namespace",
    "campaign": "name source medium term content",
    "channel": "",
    "device": "id advertisingId adTrackingEnabled manufacturer model name type token version",
    "groupId": "",
    "ip": "",
    "library": "name version",
    "locale": "",
    "network": "bluetooth carrier cellular wifi",
    "os": "name version",
    "page": "path referrer search title url",
    "referrer": "id type name url link",
    "screen": "width height density",
    "timezone": "",
    "traits": "",
    "userAgent": "",
    "userAgentData": "brands mobile platform",
}
# Segment: connections/storage/warehouses/schema; columns whose name is not their key in snake case.
RENAMED = {"event": "event_text"}


def snake_case(words: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", words).lower()


def write(folder: Path, text: str) -> Path:
    path = folder / "columns.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_names_are_unique_plain_and_not_those_that_create_sql_adds() -> None:
    names = [column.name for column in EVENTS.columns]

    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]*", name)] == []
    assert not {"loaded_at", "load_run_id"} & set(names)


@pytest.mark.parametrize("column", EVENTS.extracted, ids=lambda column: column.name)
def test_a_column_is_named_as_segment_s_warehouses_name_it(column: Column) -> None:
    source = column.source or ""

    assert column.name == RENAMED.get(source, "_".join(snake_case(key) for key in source.split(".")))


def test_every_context_key_of_the_spec_has_a_column() -> None:
    documented = {
        ".".join(["context", key, *([member] if member else [])])
        for key, members in CONTEXT_KEYS.items()
        for member in (members.split() or [""])
    }

    assert documented - {column.source for column in EVENTS.extracted} == set()


def test_every_column_has_a_description_and_a_known_type() -> None:
    assert [column.name for column in EVENTS.columns if len(column.description) < 10] == []
    assert {column.type for column in EVENTS.columns} <= set(SQL_TYPES)
    assert {column.sql_type for column in EVENTS.columns} <= set(SQL_TYPES.values())


def test_instants_are_named_like_instants() -> None:
    stamps = {column.name for column in EVENTS.columns if column.type == "timestamp"}

    assert {name for name in stamps if not name.endswith("_at")} == {"timestamp", "original_timestamp"}
    assert {column.name for column in EVENTS.columns if column.name.endswith("_at")} <= stamps
    assert {c.type for c in EVENTS.columns if c.name.startswith(("is_", "has_"))} == {"boolean"}


@pytest.mark.parametrize(
    ("source", "value", "text"),
    [
        ("userId", "element_at(message, 'userId')", "try_cast(element_at(message, 'userId') as varchar)"),
        (
            "context.ip",
            "element_at(context_members, 'ip')",
            "try_cast(element_at(context_members, 'ip') as varchar)",
        ),
        (
            "context.page.url",
            "element_at(try(cast(element_at(context_members, 'page') as map (varchar, json))), 'url')",
            "element_at(\"page\", 'url')",
        ),
    ],
)
def test_the_expressions_of_a_value(source: str, value: str, text: str) -> None:
    macros = environment().get_template("macros/columns.sql").module
    column = Column("x", "text", "d", source)
    assert (macros.value_of(column), macros.text_of(column, quote)) == (value, text)
    assert macros.value_of(Column("context", "object", "d", "context")) == "context_value"


@pytest.mark.parametrize("source", ["traits.email", "properties.revenue", "context.page.url.host"])
def test_a_source_that_the_expression_cannot_reach_is_refused(tmp_path: Path, source: str) -> None:
    """Else the column would hold another value: that of `traits`, or of `context.page.url`."""
    text = f"columns:\n  - {{name: x, type: text, description: some text, source: {source}}}\n"

    with pytest.raises(ColumnsError, match=re.escape(source)):
        read_columns(write(tmp_path, text))


def test_objects_inside_the_context_and_top_level_keys() -> None:
    columns = Columns(
        (
            Column("a", "text", "d", "context.page.url"),
            Column("b", "text", "d", "context.app.name"),
            Column("c", "text", "d", "context.ip"),
            Column("d", "text", "d", "userId"),
            Column("e", "text", "d"),
        )
    )

    assert columns.context_objects == ["app", "page"]
    assert columns.top_level_keys == ["context", "userId"]
    assert [column.name for column in columns.extracted] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("columns:\n  - {name: a, type: text, description: d}\n  - {name: a, type: json, description: d}\n", "named a"),
        ("columns:\n  - {name: a, type: integer, description: d}\n", "column a: type integer is not one of text, "),
        ("columns:\n  - {name: a, type: text}\n", r"column 1 \(a\): .*description"),
        ("columns:\n  - {type: text, description: d}\n", r"column 1 \(None\): .*name"),
        ("columns:\n  - {name: a, type: text, description: d, sauce: x}\n", r"column 1 \(a\): .*sauce"),
    ],
)
def test_a_faulty_file_is_named_with_its_entry(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)

    with pytest.raises(ColumnsError, match=said) as error:
        read_columns(path)

    assert str(path) in str(error.value)
