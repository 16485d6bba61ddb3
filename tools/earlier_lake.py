"""At a release: print the statements that make the lake tables, for tests/sql/earlier_lakes/<version>.sql."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plugins"))

from clickstream.engine.sql import lake_tables, render
from clickstream.settings import Settings

SETTINGS = Settings(staging_bucket="staging", lake_bucket="lake", crawler="crawler")


def statements() -> list[str]:
    """Return the statement of each table."""
    return [
        render("evolution/create_table.sql", SETTINGS, {"altered": (SETTINGS.lake_database, name), "table": table}).text
        for name, table in lake_tables().items()
    ]


if __name__ == "__main__":
    print(";\n".join(statements()) + ";")
