"""Documentation that derives from the code."""

from pathlib import Path

from clickstream.columns import Column, read_columns
from clickstream.settings import Settings, variable
from clickstream.sql import SQL_DIR

ROOT = Path(__file__).parents[2]


def row(column: Column) -> str:
    source = f"`{column.source}`" if column.source else ""
    return f"| `{column.name}` | {column.type} | {source} | {column.description} |"


def test_the_column_table_is_that_of_columns_yaml() -> None:
    columns = read_columns(SQL_DIR / "lake" / "events" / "columns.yaml").columns
    wanted = "\n".join(["| column | type | source | meaning |", "| --- | --- | --- | --- |", *map(row, columns)])
    text = (ROOT / "docs" / "events-table.md").read_text(encoding="utf-8")

    found = text.partition("<!-- columns -->\n")[2].partition("\n<!-- /columns -->")[0]

    assert found == wanted, f"put this between the two marks of docs/events-table.md:\n{wanted}"


def test_readme_names_every_setting() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    missing = [
        name
        for name in Settings.__dataclass_fields__
        if variable(name) not in readme and f"`_{variable(name).removeprefix('CLICKSTREAM_')}`" not in readme
    ]

    assert missing == []
