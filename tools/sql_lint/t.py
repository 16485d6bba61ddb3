"""The table names, of made-up settings."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugins"))

from clickstream.engine.sql import TableNames
from clickstream.settings import Settings

_NAMES = TableNames(Settings(staging_bucket="staging", lake_bucket="lake", crawler="crawler"))


def __getattr__(name: str) -> Any:
    return getattr(_NAMES, name)
