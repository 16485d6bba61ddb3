"""The columns of `events`."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugins"))

from clickstream.engine.columns import read_columns
from clickstream.engine.sql import SQL_DIR

_COLUMNS = read_columns(SQL_DIR / "lake" / "events" / "columns.yaml")


def __getattr__(name: str) -> Any:
    return getattr(_COLUMNS, name)
