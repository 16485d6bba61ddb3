"""The commands around include/sources.yaml: check it, compile it for the collector, make a write key.

`make help` lists them. Runs in Airflow's environment, which has what the file is read with.
"""

import os
import secrets
import sys
from pathlib import Path

from tools.sources_file import SOURCES_FILE, SourcesFileError, compile_sources, key_entry, read_file

from clickstream.plan.file import TrackingPlanError, read_plan  # isort: skip - tools.sources_file leads to the package


def check(file: Path) -> str:
    """Return what the file holds. Raises SourcesFileError."""
    sources = read_file(file)["sources"].values()
    keys = sum(len(source["keys"]) for source in sources)
    return f"{file.name}: {len(sources)} sources, {keys} keys"


def new_key(file: Path, name: str) -> str:
    """Return a write key for a source, and the entry that lets it in. Raises SourcesFileError."""
    sources = read_file(file)["sources"]
    if name not in sources:
        known = ", ".join(sorted(sources))
        raise SourcesFileError(f"no source {name!r}: make source-key SOURCE=..., one of {known}")
    key = f"wk_{secrets.token_hex(16)}"
    kind = sources[name]["kind"]
    note = "It is a secret, and shown this once. " if kind == "server" else ""
    lines = [
        f"write key of {name}: {key}",
        f"{note}Add it in {file.name}, to the keys of {name}:",
        f"      - {key_entry(key, kind)}",
    ]
    return "\n".join(lines)


def main(
    command: str,
    file: Path = SOURCES_FILE,
    source: str = os.environ.get("CLICKSTREAM_SOURCE", ""),
    out: str = os.environ.get("CLICKSTREAM_OUT", ""),
) -> int:
    """Run a command; a reason instead of a traceback, and exit code 1, when it cannot be done."""
    try:
        if command == "compile" and out:
            Path(out).write_text(compile_sources(read_file(file), read_plan()), encoding="utf-8")
        elif command == "compile":
            print(compile_sources(read_file(file), read_plan()))
        else:
            print(check(file) if command == "check" else new_key(file, source))
    except (SourcesFileError, TrackingPlanError, OSError) as error:
        print(f"clickstream: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
