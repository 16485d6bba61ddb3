"""Create missing tables; bring existing ones to the columns and comments they should have."""

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from clickstream.engine.query import Result
from clickstream.engine.sql import ARCHIVE_LINES, lake_tables
from clickstream.engine.table_shape import Change, Name, TableColumn, changes
from clickstream.settings import Settings

logger = logging.getLogger(__name__)

# Runs a file of include/sql with these values.
Run = Callable[..., Result]

ROUNDS = 5
"""Looks at a table that others change too, until it is as wanted."""


def lake_shapes(tables: Iterable[str], settings: Settings) -> dict[Name, Sequence[TableColumn]]:
    """Return the wanted columns of these lake tables."""
    return {(settings.lake_database, name): lake_tables()[name].columns for name in tables}


def lake_comments(tables: Iterable[str], settings: Settings) -> dict[Name, str]:
    """Return the wanted comments of these lake tables."""
    return {(settings.lake_database, name): lake_tables()[name].comment for name in tables}


def create_tables(run: Run, tables: Iterable[str], settings: Settings) -> None:
    """Make those of these lake tables that are missing."""
    for name in tables:
        run("evolution/create_table.sql", altered=(settings.lake_database, name), table=lake_tables()[name])


def present_shapes(
    run: Run, settings: Settings, schemas: Sequence[str], catalog: str = ""
) -> dict[Name, list[TableColumn]]:
    """Return the columns of every table in these schemas of a catalog, by default the lake's, with one query."""
    found: dict[Name, list[TableColumn]] = {}
    for row in run("evolution/columns.sql", catalog=catalog or settings.lake_catalog, schemas=schemas).rows:
        comment = row["column_comment"]
        column = TableColumn(row["column_name"], row["data_type"], comment or "", has_fixed_comment=comment is None)
        found.setdefault((row["table_schema"], row["table_name"]), []).append(column)
    return found


def evolve(
    run: Run,
    wanted: Mapping[Name, Sequence[TableColumn]],
    present: Mapping[Name, Sequence[TableColumn]],
    settings: Settings,
) -> list[Change]:
    """Run and return the missing statements; nothing the second time. Raises DestructiveChangeError before any change.

    Looks again after a change: one that another run made at the same time may have undone it.
    """
    done: list[Change] = []
    for _ in range(ROUNDS):
        todo = changes(wanted, present)
        for change in todo:
            run(change.path, altered=change.table, column=change.column)
        done += todo
        if not todo:
            break
        present = present_shapes(run, settings, sorted({schema for schema, _ in wanted}))
    return done


def renew_comments(run: Run, wanted: Mapping[Name, str], settings: Settings) -> list[Name]:
    """Give each existing table the comment it should have; return those that had another. None on Athena."""
    if settings.is_athena:  # it sets no comment of a table
        return []
    schemas = sorted({schema for schema, _ in wanted})
    rows = run("runtime/comments.sql", catalog=settings.lake_catalog, schemas=schemas).rows if schemas else []
    present = {(row["schema_name"], row["table_name"]): row["comment"] for row in rows}
    renewed = [table for table, comment in wanted.items() if table in present and present[table] != comment]
    for table in renewed:
        run("evolution/comment_table.sql", altered=table, comment=wanted[table])
    return renewed


def bring_up_to_date(run: Run, tables: Sequence[str], settings: Settings) -> list[str]:
    """Give these lake tables, which are there, the columns and comments that they lack; run nothing for none.

    Return what was changed, as `<what> <table>[.<column>]`; nothing the second time. Raises DestructiveChangeError
    before any change.
    """
    if not tables:
        return []
    present = present_shapes(run, settings, [settings.lake_database])
    done = evolve(run, lake_shapes(tables, settings), present, settings)
    renewed = renew_comments(run, lake_comments(tables, settings), settings)
    return [change.text for change in done] + [f"comment_table {'.'.join(table)}" for table in renewed]


def create_lines(run: Run, lines: str, settings: Settings) -> list[str]:
    """Make a table over raw lines, and make it again when it is over another folder than the settings say.

    It holds no data: left over the folder of before, a load would read every object as nothing. `lines`: LINES or
    ARCHIVE_LINES, whose partitions have addresses of their own and go with it. Return what was replaced, as
    `replace <table>`.
    """
    run(f"staging/{lines}/create.sql")
    wanted = settings.archive_location if lines == ARCHIVE_LINES else settings.staging_location
    (row,) = run("evolution/show_lines.sql", lines=lines).rows
    (shown,) = row.values()
    present = re.search(r"external_location = '((?:[^']|'')*)'", shown)
    if present and present[1].replace("''", "'").rstrip("/") == wanted.rstrip("/"):
        return []
    logger.warning("table %s is made again: it was over another folder than %s", lines, wanted)
    run("evolution/drop_lines.sql", lines=lines)
    run(f"staging/{lines}/create.sql")
    return [f"replace {settings.lines_database}.{lines}"]
