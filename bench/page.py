"""The tables of docs/performance.md, between its markers, and its pictures; `make bench` makes them."""

import json
import re
import subprocess
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.measure import Spread
from local.places import ENVIRONMENTS, ROOT

RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "performance.md"
_PLACE = re.compile(r"(<!-- bench (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def shown(result: Mapping[str, Any]) -> Table:
    """Return a result for a terminal."""
    head, rows = _cells(result)
    table = Table(*head, title=result["title"], title_justify="left")
    for row in rows:
        table.add_row(*row)
    return table


def filled(text: str) -> str:
    """Return the page with each marked place holding the table of its result; as it was where there is no result."""

    def fill(place: re.Match[str]) -> str:
        file = RESULTS / f"{place[2]}.json"
        return f"{place[1]}{_markdown(file)}{place[3]}" if file.exists() else place[0]

    return _PLACE.sub(fill, text)


def write() -> None:
    """Rewrite the page and draw its pictures."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    subprocess.run([ENVIRONMENTS / "bench" / "bin" / "python", ROOT / "bench" / "draw.py"], check=True)


def _markdown(file: Path) -> str:
    result = json.loads(file.read_text(encoding="utf-8"))
    head, rows = _cells(result)
    lines = [head, ["---"] * len(head), *rows]
    about = ", ".join(f"{key}: {value:,}" for key, value in result["about"].items())
    machine = ", ".join(f"{key}: {value}" for key, value in result["machine"].items())
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    source = f"{result['measured_at'][:10]}. {about}. {machine}. Median (lowest-highest)."
    return f"\n{table}\n\n{textwrap.fill(source, 120, break_on_hyphens=False)}\n\n"


def _cells(result: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return heads and rows. What was measured several times is a list; what is a mapping is for the file only."""
    rows = [{key: value for key, value in row.items() if not isinstance(value, dict)} for row in result["rows"]]
    head = list(dict.fromkeys(key for row in rows for key in row))
    return head, [[_cell(row.get(key, "")) for key in head] for row in rows]


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return str(Spread.of(value))
    return value if isinstance(value, str) else f"{value:,}"


if __name__ == "__main__":
    write()
