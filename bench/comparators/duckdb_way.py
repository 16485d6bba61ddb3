"""The same extraction by DuckDB: local files to local Parquet, without removing duplicates, a catalog or transactions.

`python duckdb_way.py SPEC` reads what to do from a JSON file and prints what it cost as JSON.
"""

import json
import sys
from pathlib import Path
from typing import Any

import duckdb
from cost import Cost

Spec = dict[str, Any]
Column = dict[str, Any]
TYPES = {"boolean": "boolean", "double": "double", "bigint": "bigint", "timestamp": "timestamptz"}


def main() -> None:
    spec = json.loads(Path(sys.argv[1]).read_text())
    output = Path(spec["output"])
    connection = duckdb.connect()
    connection.execute(f"set threads = {spec['cores']}; set TimeZone = 'UTC'; set preserve_insertion_order = false")
    connection.execute(f"set memory_limit = '{spec['memory']}'; set temp_directory = '{output / 'spill'}'")
    cost = Cost()
    objects = ", ".join(f"'{path}'" for path in spec["objects"])
    source = f"read_ndjson_objects([{objects}], maximum_object_size = 16777216)"
    connection.execute(
        f"copy ({_events(spec, source)}) to '{output / 'events'}' "
        "(format parquet, compression zstd, partition_by (hour))"
    )
    for name in spec["names"]:
        connection.execute(
            f"copy ({_event(spec, output, name)}) to '{output / name}.parquet' (format parquet, compression zstd)"
        )
    print(json.dumps(cost.so_far()))


def _events(spec: Spec, source: str) -> str:
    """Return every path of a message in one call, so that each document is parsed once."""
    scalars = [column for column in spec["columns"] if column["type"] not in ("json", "object")]
    documents = [column for column in spec["columns"] if column["type"] in ("json", "object")]
    columns = [_typed(column, f"scalars[{at}]") for at, column in enumerate(scalars, start=1)]
    columns += [f"documents[{at}]::varchar as {_quoted(column)}" for at, column in enumerate(documents, start=1)]
    received = f"try_cast(scalars[{_place(scalars)}] as timestamptz)"
    return f"""
        select {", ".join(columns)}, strftime(date_trunc('hour', {received}), '%Y%m%d%H') as hour
        from (
            select
                json_extract_string(json, [{_paths(scalars)}]) as scalars,
                json_extract(json, [{_paths(documents)}]) as documents
            from {source}
        )"""


def _event(spec: Spec, output: Path, name: str) -> str:
    common = ", ".join(f'"{column}"' for column in spec["common"])
    properties = [_property(column, at) for at, column in enumerate(spec["properties"], start=1)]
    return f"""
        select {common}, {", ".join(properties)}
        from (
            select *, json_extract(properties, [{_paths(spec["properties"])}]) as members
            from read_parquet('{output / "events"}/*/*.parquet')
            where type = 'track' and event_text = '{spec["names"][name]}'
        )"""


def _property(column: Column, at: int) -> str:
    value = f"members[{at}]" if column["type"] == "json" else f"members[{at}]->>'$'"
    return _typed(column, value)


def _typed(column: Column, value: str) -> str:
    if column["type"] in TYPES:
        value = f"try_cast({value} as {TYPES[column['type']]})"
    return f"{value} as {_quoted(column)}"


def _paths(columns: list[Column]) -> str:
    return ", ".join("'$." + ".".join(f'"{key}"' for key in column["keys"]) + "'" for column in columns)


def _place(scalars: list[Column]) -> int:
    return [column["name"] for column in scalars].index("received_at") + 1


def _quoted(column: Column) -> str:
    return f'"{column["name"]}"'


main()
