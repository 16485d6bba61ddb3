"""Trino's command-line client, fetched when somebody first wants a prompt."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

# The newest on Maven Central; it speaks to newer servers.
VERSION = "476"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
FOLDER = Path(__file__).resolve().parents[2] / ".venv" / "trino-cli"


def fetch(say: Callable[[str], None]) -> Path:
    """Return the path of the client's jar. Raises CalledProcessError when Maven cannot get it."""
    jar = FOLDER / f"trino-cli-{VERSION}-executable.jar"
    if not jar.exists():
        say("fetching Trino's command-line client")
        artifact = f"-Dartifact=io.trino:trino-cli:{VERSION}:jar:executable"
        maven = shutil.which("mvn") or "mvn"
        subprocess.run(
            [maven, "-B", "-q", COPY, artifact, f"-DoutputDirectory={FOLDER}"], check=True, env=dict(os.environ)
        )
    return jar
