"""Columns that another run takes away while they are added."""

from types import SimpleNamespace
from typing import Any

from clickstream.engine.evolution import ROUNDS, evolve
from clickstream.engine.table_shape import TableColumn
from clickstream.settings import Settings

SETTINGS = Settings(staging_bucket="s", lake_bucket="l", crawler="c")
NAME = ("clickstream", "events")
WANTED = {NAME: [TableColumn(name, "varchar", "") for name in "abc"]}


class Table:
    """Has columns, of which another run takes one away after each of the next additions."""

    def __init__(self, *taken: str) -> None:
        self.columns = ["a"]
        self.taken = list(taken)

    def run(self, path: str, **values: Any) -> Any:
        if path == "evolution/add_column.sql":
            self.columns.append(values["column"].name)
            if self.taken:
                self.columns.remove(self.taken.pop(0))
        return SimpleNamespace(rows=[row(column) for column in self.columns])


def row(column: str) -> dict[str, str]:
    of_table = dict(zip(("table_schema", "table_name"), NAME, strict=True))
    return {**of_table, "column_name": column, "data_type": "varchar", "column_comment": ""}


def added(table: Table) -> list[str]:
    present = {NAME: [TableColumn("a", "varchar", "")]}
    return [change.column.name for change in evolve(table.run, WANTED, present, SETTINGS)]


def test_a_column_that_is_gone_again_is_added_again() -> None:
    table = Table("a", "b")

    assert added(table) == ["b", "c", "a", "b"]
    assert sorted(table.columns) == ["a", "b", "c"]


def test_it_ends_though_another_takes_every_column_away() -> None:
    table = Table(*"bc" * ROUNDS)

    assert added(table) == ["b", "c"] * ROUNDS
