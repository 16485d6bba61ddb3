"""`python -m local.secret_files FOLDER`: the keys and passwords that the containers share, one a file, made once.

They are for one machine, in a volume that only its containers mount; these run as different users, who all may read.
Airflow makes the password of its user itself.
"""

import base64
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

from local.aws.atomic_files import write_atomically

SECRETS: dict[str, Callable[[], str]] = {
    "airflow_api_secret_key": lambda: secrets.token_urlsafe(32),
    # 64 bytes or more, as the signature (HS512) requires.
    "airflow_jwt_secret": lambda: secrets.token_urlsafe(64),
    "airflow_fernet_key": lambda: base64.urlsafe_b64encode(os.urandom(32)).decode(),
    "postgres_password": lambda: secrets.token_urlsafe(24),
}


def make(folder: Path) -> list[str]:
    """Make the files that are not there; return their names. What is there stays: it is in use."""
    missing = [name for name in SECRETS if not (folder / name).exists()]
    for name in missing:
        write_atomically(folder / name, SECRETS[name]())
    return missing


if __name__ == "__main__":
    made = make(Path(sys.argv[1]))
    print(f"made {', '.join(made)}" if made else "all there")
