"""The rows of Parquet files, a line of JSON each, times in microseconds; with --count, only how many there are."""

import sys
from pathlib import Path

import duckdb


def main() -> None:
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    path = sys.argv[-1]
    source = f"read_parquet({_files(path)})"
    if "--count" in sys.argv:
        print(connection.execute(f"select count(*) from {source}").fetchone()[0])
        return
    described = connection.execute(f"describe select * from {source}").fetchall()
    columns = [
        f"epoch_us({_quoted(name)}) as {_quoted(name)}" if kind.startswith("TIMESTAMP") else _quoted(name)
        for name, kind, *_ in described
    ]
    for (line,) in connection.execute(
        f"select to_json(one) from (select {', '.join(columns)} from {source}) as one"
    ).fetchall():
        print(line)


def _files(path: str) -> str:
    """Return a file, or a folder of that name that Spark wrote, or a pattern."""
    return f"'{path}/*.parquet'" if Path(path).is_dir() else f"'{path}'"


def _quoted(name: str) -> str:
    return f'"{name}"'


main()
