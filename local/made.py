"""Folders below .venv/ that are made once from files of the checkout, such as installed packages."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from local.places import ENVIRONMENTS, LocalError

LONGEST_SECONDS = 300
"""How long a program may take: longer than any does on a busy machine."""


def made(name: str, sources: Sequence[Path], make: Callable[[Path], None]) -> Path:
    """Return the folder that `make` fills from `sources`: made anew, and the old one deleted, when one has changed.

    Several processes may ask at once: each fills a folder of its own, and the first to be ready gives it its name.
    """
    digest = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    folder = ENVIRONMENTS / f"{name}-{digest}"
    if folder.exists():
        return folder
    ENVIRONMENTS.mkdir(exist_ok=True)
    begun = Path(tempfile.mkdtemp(prefix="making-", dir=ENVIRONMENTS))
    try:
        make(begun)
        for old in ENVIRONMENTS.glob(f"{name}-*"):
            if old != folder:
                shutil.rmtree(old, ignore_errors=True)
        begun.rename(folder)
    except OSError:
        if not folder.exists():
            raise
    finally:
        shutil.rmtree(begun, ignore_errors=True)
    return folder


def program(name: str, why: str, package: str) -> str:
    """Return the path of a program. Raises LocalError, which says how to get it, when it is missing."""
    found = shutil.which(name)
    if found is None:
        raise LocalError(
            f"{name} is needed {why}. Install it (Debian: apt install {package}, macOS: brew install {package})"
        )
    return found


def run(command: Sequence[str | Path], folder: Path, environment: dict[str, str] | None = None) -> str:
    """Run a command to its end; return what it prints. Raises LocalError with the end of that when it fails."""
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=LONGEST_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise LocalError(f"{Path(command[0]).name} did not end in {LONGEST_SECONDS} s") from error
    if done.returncode:
        raise LocalError(f"{Path(command[0]).name} ended with {done.returncode}: {done.stdout[-3000:]}")
    return done.stdout


def npm_packages(folder: Path) -> Path:
    """Return the installed copy of a folder with a package-lock.json: its programs and their node_modules.

    Raises LocalError without npm. No script of a package is run.
    """
    files = [folder / "package.json", folder / "package-lock.json", *sorted(folder.glob("*.mjs"))]

    def install(into: Path) -> None:
        npm = program("npm", "for packages of JavaScript", "npm")
        for file in files:
            shutil.copy(file, into)
        run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], into)

    return made(f"npm-{folder.name}", files, install)
