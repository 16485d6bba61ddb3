"""What the SQL files see when sqlfluff renders them: each name here is a Jinja name, as in clickstream.engine.sql."""

import sys
from pathlib import Path
from unittest.mock import MagicMock

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]

# The linter's environment has none of them, and nothing calls them to render.
for module in ("tenacity", "trino", "trino.dbapi", "trino.exceptions"):
    sys.modules.setdefault(module, MagicMock())

from clickstream.engine.sql import TableNames, environment  # noqa: E402 - after the stand-ins
from tools.sample_values import SETTINGS, values  # noqa: E402

SQLFLUFF_JINJA_FILTERS = {name: environment().filters[name] for name in ("literal", "column_type")}


def bind(_value: object) -> str:
    """Return a number: sqlfluff's dialect of Trino has no parameters."""
    return "1"


bind_each = bind

globals().update(environment().globals, t=TableNames(SETTINGS), **values())
