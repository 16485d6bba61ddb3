"""`make sql-render FILE=`: prints a file of include/sql as Trino gets it, with the values of tools/sample_values.py.

Without FILE, the files that there are.
"""

import os
import sys
from difflib import get_close_matches

from tools.sample_values import FILES, SETTINGS, values

from clickstream.engine.sql import render  # isort: skip - tools.sample_values leads to the package


class NoSuchFileError(ValueError):
    """No file of SQL has this name; the message names those that have nearly this one."""


def rendered(file: str) -> str:
    """Return the statement of a file and its parameters, each as a comment. Raises NoSuchFileError."""
    path = file.removeprefix("./").removeprefix("include/sql/")
    if path not in FILES:
        near = get_close_matches(path, FILES) or [name for name in FILES if path and path in name]
        hint = f"nearly so named: {', '.join(near)}" if near else "make sql-render lists the files"
        raise NoSuchFileError(f"no file {file!r} in include/sql that renders to a statement: {hint}")
    statement = render(path, SETTINGS, values())
    listed = [f"-- {number}: {value!r}" for number, value in enumerate(statement.parameters, start=1)]
    return "\n".join([statement.text, *(["", "-- Parameters, by their number:", *listed] if listed else [])])


def main(file: str = os.environ.get("CLICKSTREAM_FILE", "")) -> int:
    """Print; a reason instead of a traceback, and exit code 1, when there is no such file."""
    try:
        print(rendered(file) if file else "\n".join(FILES))
    except NoSuchFileError as error:
        print(f"clickstream: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
