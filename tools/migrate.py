"""`make migrate`: bring the tables up to date without a run of a DAG, and print what was changed.

As `make check-config`, it takes the installation that CLICKSTREAM_* and AIRFLOW_CONN_* in the environment name;
without CLICKSTREAM_STAGING_BUCKET, the local stack. Runs in Airflow's environment, whose connection to Trino, or for
Athena to AWS, it uses.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from trino.exceptions import Error as TrinoError

from local.places import LocalError
from tools.config_check import prepare


def bring_up_to_date() -> list[str]:
    """Return what was changed, a line each. Raises what `main` reports."""
    # Airflow reads its environment when it is imported.
    from clickstream.engine.query import Result  # noqa: PLC0415
    from clickstream.engine.sql import render  # noqa: PLC0415
    from clickstream.operators.engine import connect  # noqa: PLC0415
    from clickstream.plan.file import read_plan  # noqa: PLC0415
    from clickstream.settings import load_settings  # noqa: PLC0415
    from clickstream.upkeep.migration import migrate  # noqa: PLC0415

    settings = load_settings()
    runner = connect(settings)

    def run(path: str, **values: Any) -> Result:
        return runner.run(render(path, settings, values))

    def run_each(path: str, many: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        for values in many:
            run(path, **values)
        return {}

    return migrate(run, run_each, read_plan(), settings)


def main() -> int:
    """Bring up to date; a reason instead of a traceback, and exit code 1, when it cannot be done."""
    with tempfile.TemporaryDirectory(prefix="clickstream-migrate-") as home:
        try:
            prepare(home)
            done = bring_up_to_date()
        # A change that would lose values, a mistake in the settings or in the plan are ValueErrors that say what to do.
        except (LocalError, TrinoError, OSError, ValueError) as error:
            print(f"clickstream: {error}", file=sys.stderr)
            return 1
    print("\n".join(done) or "nothing to do: every table is as this version wants it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
