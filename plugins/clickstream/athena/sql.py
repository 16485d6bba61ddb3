"""What Athena (engine version 3) runs in place of a rendered statement: docs/adr/0028-athena.md says why.

Its queries are Trino's, so they stay as they are but for two things: values are written into the text, and instants
lose their time zone, for Athena makes no table of such a type. They are UTC, as Athena's session is. Its statements
that make and alter tables are Hive's: each kind that include/sql has is rewritten.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from clickstream.athena.hive_types import TypeNameError, to_hive
from clickstream.engine.sql import Statement, literal, quote
from clickstream.engine.table_shape import TableColumn
from clickstream.engine.tables import Table

# https://docs.aws.amazon.com/athena/latest/ug/service-limits.html
LONGEST_BYTES = 262_144

_QUOTED = r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/"""
_NAME = r'"[^"]+"\."(?P<schema>[^"]+)"\."(?P<table>[^"]+)"'
_PARTITIONING = re.compile(r"partitioning = array\[([^\]]*)\]")
_LIST = re.compile(r"array\['(\w+)'\]")
_TABLE_AS = rf"create (?P<again>or replace )?table {_NAME}\s+(?:with \((?P<with>[^)]*(?:\([^)]*\)[^)]*)*)\)\s+)?as\s+"


class AthenaSqlError(ValueError):
    """A statement that Athena cannot run; the message names its file and why."""


@dataclass(frozen=True)
class Step:
    """One text to run on Athena, and whether its result is rows."""

    text: str
    gives_rows: bool = False


def translate(statement: Statement, location: Callable[[str, str], str]) -> list[Step]:
    """Return what to run in place of the statement, in order; nothing where Athena does it along with something else.

    `location`: the S3 address of a new table, by schema and name; empty, and another one each time.
    Raises AthenaSqlError.
    """
    bare = re.sub(_QUOTED, _shortened, statement.text, flags=re.DOTALL).lstrip()
    for start, reason in _UNSUPPORTED.items():
        if re.match(start, bare):
            raise _error(statement, reason)
    try:
        for start, translated in _KINDS.items():
            if re.match(start, bare):
                return [_fitting(statement, step) for step in translated(statement, location)]
    except TypeNameError as error:
        raise _error(statement, str(error)) from None
    raise _error(statement, f"no translation for a statement that begins with {' '.join(bare.split()[:3])!r}")


def without_zones(text: str) -> str:
    """Return the text of a statement with its instants as timestamps without a time zone, in UTC."""

    def replaced(match: re.Match[str]) -> str:
        return match[0].replace(" with time zone", "") if match["type"] else match[0].replace(" UTC'", "'", 1)

    pattern = rf"(?P<type>timestamp\(\d+\) with time zone)|timestamp '[\d :.-]+ UTC'|{_QUOTED}"
    return re.sub(pattern, lambda match: match[0] if match[0][0] in "'\"-/" else replaced(match), text, flags=re.DOTALL)


def inlined(statement: Statement) -> str:
    """Return the text with each `?` replaced by its value. Raises AthenaSqlError."""
    values = iter(statement.parameters)

    def replaced(match: re.Match[str]) -> str:
        return sql_literal(next(values)) if match[0] == "?" else match[0]

    try:
        return re.sub(rf"{_QUOTED}|\?", replaced, statement.text, flags=re.DOTALL)
    except ValueError as error:
        raise _error(statement, str(error)) from None


def sql_literal(value: Any) -> str:
    """Return a value as Trino's grammar writes it; an instant as a timestamp in UTC. Raises ValueError."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"double '{value!r}'"
    if isinstance(value, Decimal):
        return f"decimal '{value:f}'"
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return f"timestamp '{value.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'microseconds')}'"
    if isinstance(value, date):
        return f"date '{value}'"
    raise ValueError(f"a value of type {type(value).__name__} cannot be written into a statement")


def lines_table(statement: Statement) -> tuple[str, dict[str, Any]]:
    """Return the database and Glue table for a create.sql of a table over raw lines, as Trino makes it."""
    _, database, name = re.findall(r'"([^"]+)"', statement.text)[:3]
    properties = dict(re.findall(r"(\w+) = '((?:[^']|'')*)'", statement.text))
    partitioned = _LIST.search(statement.text)
    columns = re.findall(r"^    (\w+) (varchar),?$", statement.text, re.MULTILINE)
    keys = [{"Name": column, "Type": to_hive(kind)} for column, kind in columns]
    partitions = [key for key in keys if partitioned and key["Name"] == partitioned[1]]
    separators = {
        "field.delim": properties["textfile_field_separator"],
        "serialization.null.format": properties["null_format"],
    }
    return database, {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", **separators},
        "PartitionKeys": partitions,
        "StorageDescriptor": {
            "Columns": [key for key in keys if key not in partitions],
            "Location": properties["external_location"].replace("''", "'"),
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "SerdeInfo": {
                "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                # Where Hive has them; Trino writes them to the table, and reads both.
                "Parameters": separators,
            },
        },
    }


def _query(statement: Statement, location: Callable[[str, str], str]) -> list[Step]:
    return [Step(_query_text(statement), gives_rows=True)]


def _change(statement: Statement, location: Callable[[str, str], str]) -> list[Step]:
    return [Step(_query_text(statement))]


def _query_text(statement: Statement) -> str:
    return inlined(replace(statement, text=without_zones(statement.text)))


def _create_table(statement: Statement, location: Callable[[str, str], str]) -> list[Step]:
    """Read the description that the statement was rendered with."""
    if "table" not in statement.values:
        raise _error(statement, "it makes a table without a description, which evolution/create_table.sql takes")
    table: Table = statement.values["table"]
    found = _match(_NAME, statement)
    columns = ",\n".join(f"    {_column(column)}" for column in table.columns)
    partitioned = f"partitioned by ({table.partitioned_by.text})\n" if table.partitioned_by else ""
    return [
        Step(
            f"create table if not exists {_hive_name(found)} (\n{columns}\n)\n{partitioned}"
            f"location {_hive_literal(location(found['schema'], found['table']))}\n"
            "tblproperties ('table_type' = 'ICEBERG', 'format' = 'parquet', 'write_compression' = 'zstd')"
        )
    ]


def _create_table_as(statement: Statement, location: Callable[[str, str], str]) -> list[Step]:
    """Drop, then create: Athena replaces no table in one statement.

    Such a table belongs to one run alone, so nothing misses it in between.
    """
    text = _query_text(statement)
    found = _match(_TABLE_AS, replace(statement, text=text))
    partitioning = _PARTITIONING.search(found["with"] or "")
    properties = [
        "table_type = 'ICEBERG'",
        "is_external = false",
        "format = 'PARQUET'",
        f"location = {literal(location(found['schema'], found['table']))}",
        *([partitioning[0]] if partitioning else []),
    ]
    listed = ",\n".join(f"    {item}" for item in properties)
    name = f"{quote(found['schema'])}.{quote(found['table'])}"
    made = f"create table {name}\nwith (\n{listed}\n)\nas\n"
    dropped = [Step(f"drop table if exists {_hive_name(found)}")] if found["again"] else []
    return [*dropped, Step(text[: found.start()] + made + text[found.end() :])]


def _drop_table(statement: Statement, location: Callable[[str, str], str]) -> list[Step]:
    return [Step(f"drop table if exists {_hive_name(_match(_NAME, statement))}")]


def _replace_view(statement: Statement, location: Callable[[str, str], str]) -> list[Step]:
    """Translate without the comment, which Athena's grammar does not have."""
    found = _match(rf"create or replace view {_NAME}.*?\nsecurity invoker\nas\n", statement)
    query = without_zones(statement.text[found.end() :])
    return [Step(f"create or replace view {quote(found['schema'])}.{quote(found['table'])} as\n{query}")]


def _add_column(statement: Statement, location: Callable[[str, str], str]) -> list[Step]:
    """Translate without the comment: Athena's documentation has none in this statement for Iceberg."""
    found = _match(rf'{_NAME}\nadd column if not exists (?P<column>"[^"]+") (?P<type>.+?) comment ', statement)
    return [Step(f"alter table {_hive_name(found)} add columns ({_hive(found['column'])} {to_hive(found['type'])})")]


def _widen_column(statement: Statement, location: Callable[[str, str], str]) -> list[Step]:
    found = _match(rf'{_NAME}\nalter column (?P<column>"[^"]+") set data type (?P<type>.+)', statement)
    column = _hive(found["column"])
    return [Step(f"alter table {_hive_name(found)} change column {column} {column} {to_hive(found['type'])}")]


def _compact(statement: Statement, location: Callable[[str, str], str]) -> list[Step]:
    """Return the statement: which files are small is a property of the table there, with a default."""
    found = _match(rf"{_NAME} execute optimize \([^)]*\)\s*", statement)
    predicate = without_zones(statement.text[found.end() :])
    # `data using` on one line: https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-data-optimization.html
    text = f"optimize {found['schema']}.{found['table']} rewrite data using bin_pack\n{predicate}"
    return [Step(text.strip())]


def _expire(statement: Statement, location: Callable[[str, str], str]) -> list[Step]:
    found = _match(rf"{_NAME}\nexecute expire_snapshots \(retention_threshold => '(?P<seconds>\d+)s'\)", statement)
    properties = f"'vacuum_max_snapshot_age_seconds' = '{found['seconds']}'"
    return [
        Step(f"alter table {_hive_name(found)} set tblproperties ({properties})"),
        Step(f"vacuum {found['schema']}.{found['table']}"),
    ]


def _along_with_expiry(statement: Statement, location: Callable[[str, str], str]) -> list[Step]:
    """Return nothing: VACUUM removes orphan files too."""
    return []


# What the text without comments begins with, in the order in which they are tried.
_KINDS: dict[str, Callable[[Statement, Callable[[str, str], str]], list[Step]]] = {
    r"(select|with)\b": _query,
    r"(merge into|insert into|update|delete from)\b": _change,
    r"create table if not exists\b": _create_table,
    r"create (or replace )?table \S+\s+(with|as)\b": _create_table_as,
    r"create or replace view\b": _replace_view,
    r"drop table if exists\b": _drop_table,
    r"alter table \S+\s+add column\b": _add_column,
    r"alter table \S+\s+alter column\b": _widen_column,
    r"alter table \S+\s+execute optimize\b": _compact,
    r"alter table \S+\s+execute expire_snapshots\b": _expire,
    r"alter table \S+\s+execute remove_orphan_files\b": _along_with_expiry,
}
_UNSUPPORTED = {
    r"comment on table\b": "Athena sets no comment of an Iceberg table",
    r"comment on column\b": "Athena sets a comment of a column together with its type only",
    r"(?s).*\bexternal_location\b": "this table is made through Glue, as Trino makes it, not by Athena",
    r"(?s).*\bsystem\.(runtime|metadata|jdbc)\b": "Athena has none of Trino's system tables",
    r"show session\b": "Athena has no session properties",
    r"show create table\b": "Glue has the location of a table over raw lines",
}


def _match(pattern: str, statement: Statement) -> re.Match[str]:
    found = re.search(pattern, statement.text, re.DOTALL)
    if found is None:
        raise _error(statement, f"expected {pattern!r}")
    return found


def _column(column: TableColumn) -> str:
    return f"{_hive(quote(column.name))} {to_hive(column.type)} comment {_hive_literal(column.comment)}"


def _hive_name(found: re.Match[str]) -> str:
    return f"`{found['schema']}`.`{found['table']}`"


def _hive(quoted: str) -> str:
    """Return a quoted identifier of Trino in Hive's quotes."""
    return f"`{quoted[1:-1].replace('`', '``')}`"


def _hive_literal(text: str) -> str:
    """Return a string as Hive's grammar reads it, in which two quotes are none."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _shortened(token: re.Match[str]) -> str:
    """Return nothing for a comment, one letter for a name or a string."""
    return "" if token[0][0] in "-/" else "x"


def _fitting(statement: Statement, step: Step) -> Step:
    size = len(step.text.encode())
    if size > LONGEST_BYTES:
        raise _error(
            statement,
            f"{size:,} bytes with its values, and Athena takes {LONGEST_BYTES:,}: lower CLICKSTREAM_LOAD_MAX_OBJECTS "
            "or load a shorter range",
        )
    return step


def _error(statement: Statement, reason: str) -> AthenaSqlError:
    return AthenaSqlError(f"{statement.path or 'a statement'} does not run on Athena: {reason}")
