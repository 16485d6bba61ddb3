"""Real SDKs from their registries, locked; how each is installed, and how it sends its calls to a collector."""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from local.made import made, npm_packages, program, run
from local.places import ENVIRONMENTS, LocalError, java_home

HERE = Path(__file__).parent
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
CHROMIUMS = ("chromium", "google-chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium")

Command = list[str | Path]


@dataclass(frozen=True)
class Sdk:
    """`library`: name and version as its messages have them. `program`: what sends, without URL, key and user."""

    library: tuple[str, str]
    program: Callable[[], Command]

    def send(self, url: str, key: str, user: str) -> None:
        """Make a call of each kind for a user. Raises LocalError when the SDK is told that one was not taken."""
        run([*self.program(), url, key, user], HERE)


def python() -> Command:
    return [ENVIRONMENTS / "local" / "bin" / "python", HERE / "python" / "send.py"]


def node() -> Command:
    return [program("node", "for SDKs of JavaScript", "nodejs"), npm_packages(HERE / "node") / "send.mjs"]


def rudder() -> Command:
    command, script = node()
    return [command, Path(script).with_name("rudder.mjs")]


def go() -> Command:
    folder = HERE / "go"

    def build(into: Path) -> None:
        compiler = program("go", "for the SDK of Go", "golang")
        environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
        run([compiler, "build", "-o", into / "send", "."], folder, environment)

    return [made("sdk-go", [folder / name for name in ("go.mod", "go.sum", "main.go")], build) / "send"]


def java() -> Command:
    folder = HERE / "java"

    def fetch(into: Path) -> None:
        maven = program("mvn", "for the SDK of Java", "maven")
        run([maven, "-B", "-q", "-f", folder / "pom.xml", COPY, f"-DoutputDirectory={into}"], folder)

    jars = made("sdk-java", [folder / "pom.xml"], fetch)
    return [Path(java_home()) / "bin" / "java", "-cp", f"{jars}/*", folder / "Send.java"]


SDKS = {
    "python": Sdk(("analytics-python", "2.4.0"), python),
    "node": Sdk(("@segment/analytics-node", "3.1.0"), node),
    "go": Sdk(("analytics-go", "3.0.0"), go),
    # Another producer of the Segment specification: docs/other-senders.md.
    "rudderstack-node": Sdk(("analytics-node", "3.0.13"), rudder),
    "java": Sdk(("analytics-java", "3.5.4"), java),
}


def analytics_js_1_83() -> Path:
    """The bundles of the last version that sends no Authorization header."""
    return npm_packages(HERE / "node") / "node_modules" / "analytics-next-1.83" / "dist" / "umd"


def browse(page: str, action: str, user: str = "", strategy: str = "") -> list[dict[str, Any]]:
    """Open a page of the shop in a real browser, act there, and return the cookies that it has then.

    Raises LocalError when not all that it sent was taken.
    """
    command, script = node()
    printed = run([command, Path(script).with_name("browser.mjs"), chromium(), page, action, user, strategy], HERE)
    cookies: list[dict[str, Any]] = json.loads(printed)
    return cookies


def look(jobs: Sequence[Mapping[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Open pages in a real browser and return what node/look.mjs finds on each; `folder` gets the list of jobs."""
    _, script = node()
    file = folder / "jobs.json"
    file.write_text(json.dumps(jobs))
    found: list[dict[str, Any]] = json.loads(run(["node", Path(script).with_name("look.mjs"), chromium(), file], HERE))
    return found


def chromium() -> str:
    """Return the path of Chromium, installed if this process may do so. Raises LocalError."""
    # Another process may be at it.
    with FileLock(ENVIRONMENTS / "chromium.lock"):
        if _chromium() is None and os.geteuid() == 0 and shutil.which("apt-get"):
            run(["apt-get", "update"], HERE)
            run(["apt-get", "install", "--yes", "--no-install-recommends", "chromium"], HERE)
    found = _chromium()
    if found is None:
        raise LocalError(
            "Chromium is needed for tests of pages. Install it (Debian: apt install chromium, macOS: brew install "
            "--cask chromium)"
        )
    return found


def _chromium() -> str | None:
    return next(filter(None, map(shutil.which, CHROMIUMS)), None)
