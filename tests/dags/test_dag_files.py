"""What happens when Airflow reads the DAG files, time and again: no call to anything, no setting, no old API."""

import json
import subprocess
import sys

import pytest

from tests.dags.conftest import AIRFLOW, ROOT

# Reads each DAG file; prints the connections tried, and the variables read and the warnings caused by our own files.
PROGRAM = """
import importlib, json, os, pathlib, socket, sys, warnings

root = pathlib.Path(sys.argv[1])
places = tuple(str(root / folder) + os.sep for folder in ("dags", "plugins"))
sys.path[:0] = places
import airflow.sdk, airflow.models

connected, read = [], []
def refuse(_, address):
    connected.append(str(address))
    raise OSError("blocked")
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = lambda host, *_, **__: refuse(None, host)

get_item = os._Environ.__getitem__
def watched(environ, name):
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith("<frozen") or frame.f_code.co_filename == os.__file__:
        frame = frame.f_back
    if name.startswith("CLICKSTREAM_") and frame.f_code.co_filename.startswith(places):
        read.append(name)
    return get_item(environ, name)
os._Environ.__getitem__ = watched

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for path in sys.argv[2:]:
        importlib.import_module(pathlib.Path(path).stem)
    for path in (root / "plugins" / "clickstream").rglob("*.py"):
        importlib.import_module(".".join(path.relative_to(root / "plugins").with_suffix("").parts))
ours = [f"{w.filename}:{w.lineno}: {w.category.__name__}: {w.message}" for w in caught if w.filename.startswith(places)]
print("RESULT " + json.dumps({"connected": connected, "read": read, "warnings": ours}))
"""


def read_in_a_process(*paths: str) -> dict[str, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT), *paths],
        capture_output=True, text=True, check=False,
        env={"PATH": "", "CLICKSTREAM_STAGING_BUCKET": "b", "CLICKSTREAM_LAKE_BUCKET": "b"} | AIRFLOW,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    return json.loads(line.removeprefix("RESULT "))


@pytest.fixture(scope="module")
def seen() -> dict[str, list[str]]:
    paths = sorted(str(path) for path in (ROOT / "dags").glob("*.py"))
    assert paths
    return read_in_a_process(*paths)


def test_reading_the_dag_files_calls_nothing(seen: dict[str, list[str]]) -> None:
    assert seen["connected"] == []


def test_reading_the_dag_files_reads_no_setting(seen: dict[str, list[str]]) -> None:
    assert seen["read"] == []


def test_our_files_use_nothing_deprecated(seen: dict[str, list[str]]) -> None:
    assert seen["warnings"] == []
