"""Brings tables that exist to the columns and comments they should have, on Trino."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from clickstream.engine.query import Result
from clickstream.engine.sql import render
from clickstream.engine.table_shape import Change, Name, TableColumn, changes, columns_of, comment_of
from clickstream.settings import Settings

# Runs a file of include/sql with these values.
Run = Callable[..., Result]


def lake_shapes(paths: Iterable[str], settings: Settings) -> dict[Name, Sequence[TableColumn]]:
    """The wanted columns of the lake tables among these create.sql files. Raises ColumnListError."""
    return {table: columns_of(text) for table, text in _create_statements(paths, settings)}


def lake_comments(paths: Iterable[str], settings: Settings) -> dict[Name, str]:
    """The wanted comments of the lake tables among these create.sql files. Raises ColumnListError."""
    return {table: comment_of(text) for table, text in _create_statements(paths, settings)}


def present_shapes(
    run: Run, settings: Settings, schemas: Sequence[str], catalog: str = ""
) -> dict[Name, list[TableColumn]]:
    """The columns of every table in these schemas of the lake's catalog or another: one question for all tables."""
    found: dict[Name, list[TableColumn]] = {}
    for row in run("evolution/columns.sql", catalog=catalog or settings.lake_catalog, schemas=schemas).rows:
        comment = row["column_comment"]
        column = TableColumn(row["column_name"], row["data_type"], comment or "", has_fixed_comment=comment is None)
        found.setdefault((row["table_schema"], row["table_name"]), []).append(column)
    return found


def evolve(
    run: Run, wanted: Mapping[Name, Sequence[TableColumn]], present: Mapping[Name, Sequence[TableColumn]]
) -> list[Change]:
    """Runs what is missing and gives it; nothing the second time. Raises DestructiveChangeError before any change."""
    todo = changes(wanted, present)
    for change in todo:
        run(change.path, altered=change.table, column=change.column)
    return todo


def renew_comments(run: Run, wanted: Mapping[Name, str], settings: Settings) -> list[Name]:
    """Gives each table that is there the comment it should have; gives those that had another. None on Athena."""
    if settings.is_athena:  # it sets no comment of a table
        return []
    schemas = sorted({schema for schema, _ in wanted})
    rows = run("runtime/comments.sql", catalog=settings.lake_catalog, schemas=schemas).rows if schemas else []
    present = {(row["schema_name"], row["table_name"]): row["comment"] for row in rows}
    renewed = [table for table, comment in wanted.items() if table in present and present[table] != comment]
    for table in renewed:
        run("evolution/comment_table.sql", altered=table, comment=wanted[table])
    return renewed


def bring_up_to_date(run: Run, paths: Sequence[str], settings: Settings) -> list[str]:
    """Gives the lake tables of these create.sql files, which are there, the columns and comments that they lack.

    Gives what was changed, as `<what> <table>[.<column>]`; nothing the second time. Raises DestructiveChangeError
    before any change.
    """
    done = evolve(run, lake_shapes(paths, settings), present_shapes(run, settings, [settings.lake_database]))
    renewed = renew_comments(run, lake_comments(paths, settings), settings)
    return [change.text for change in done] + [f"comment_table {'.'.join(table)}" for table in renewed]


def _create_statements(paths: Iterable[str], settings: Settings) -> Iterator[tuple[Name, str]]:
    for path in paths:
        if path.startswith("lake/"):
            yield (settings.lake_database, path.split("/")[1]), render(path, settings).text
