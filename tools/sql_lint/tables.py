"""The descriptions of the lake tables."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugins"))

from clickstream.engine.sql import lake_tables


def __getattr__(name: str) -> Any:
    return lake_tables()[name]
