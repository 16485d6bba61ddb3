"""`python with_settings.py ARGUMENTS`: Airflow's command line, with the deployed stack's settings in its environment.

CLICKSTREAM_SETTINGS names the JSON file of settings that the deployment wrote. A variable that is set wins.
"""

import json
import os
import sys
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Become Airflow."""
    settings: dict[str, str] = json.loads(Path(os.environ["CLICKSTREAM_SETTINGS"]).read_text(encoding="utf-8"))
    os.execvpe("airflow", ["airflow", *arguments], {**settings, **os.environ})  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
