"""`make check-config`: what the DAG clickstream_check finds, without a running Airflow.

It looks at the installation that CLICKSTREAM_* and AIRFLOW_CONN_* in the environment name; without
CLICKSTREAM_STAGING_BUCKET, at the local stack. Runs in Airflow's environment, whose connections it uses.
"""

import os
import sys
import tempfile
import uuid
from pathlib import Path

from local.places import ROOT, LocalError, open_places
from local.services import airflow_environment


def prepare(home: str) -> None:
    """Read the environment of the installation to check. Raises LocalError when there is none.

    `home` is for what Airflow writes when it is imported: nothing of it is wanted in the home folder.
    """
    if not os.environ.get("CLICKSTREAM_STAGING_BUCKET"):
        os.environ.update(airflow_environment(open_places()))
    os.environ["AIRFLOW_HOME"] = home
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
    sys.path[:0] = [str(ROOT / "plugins")]


def check(dags: Path) -> int:
    """Print every finding; return 1 when one is a failure."""
    from clickstream.config_check.finding import failed, report  # noqa: PLC0415 - Airflow reads its environment when imported
    from clickstream.operators.config_check import AREAS, look  # noqa: PLC0415

    findings = [finding for area in AREAS for finding in look(area, dags, f"check-config {uuid.uuid4()}")]
    print(report(findings))
    return 1 if failed(findings) else 0


def main() -> int:
    """Check; a reason instead of a traceback when nothing is there to look at."""
    with tempfile.TemporaryDirectory(prefix="clickstream-check-") as home:
        try:
            prepare(home)
        except LocalError as error:
            print(f"clickstream: {error}", file=sys.stderr)
            return 1
        return check(ROOT / "dags")


if __name__ == "__main__":
    sys.exit(main())
