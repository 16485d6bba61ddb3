"""Only `operators` imports Airflow, and only `aws` and `operators` import boto3."""

import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
MODULES = sorted(
    ".".join(path.relative_to(PLUGINS).with_suffix("").parts).removesuffix(".__init__")
    for path in (PLUGINS / "clickstream").rglob("*.py")
)
PURE = [module for module in MODULES if not module.startswith("clickstream.operators")]
WITHOUT_AWS = [module for module in PURE if not module.startswith("clickstream.aws")]

PROGRAM = """
import importlib, sys

class Blocked:
    def __init__(self, names): self.names = names
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ImportError(f"{name} is blocked")

plugins, names, *modules = sys.argv[1:]
sys.path.insert(0, plugins)
sys.meta_path.insert(0, Blocked(names.split(",")))
for module in modules:
    importlib.import_module(module)
print(len([name for name in sys.modules if name.partition(".")[0] == "clickstream"]))
"""


def import_all(blocked: str, modules: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, str(PLUGINS), blocked, *modules]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_there_are_modules_on_both_sides_of_the_line() -> None:
    assert {"clickstream.engine.sql", "clickstream.engine.query", "clickstream.aws.glue"} <= set(PURE)
    assert set(MODULES) - set(PURE) >= {"clickstream.operators.glue", "clickstream.operators.base"}


@pytest.mark.parametrize(("blocked", "modules"), [("airflow", PURE), ("airflow,boto3,botocore", WITHOUT_AWS)])
def test_modules_import_without(blocked: str, modules: list[str]) -> None:
    done = import_all(blocked, modules)

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= len(modules)


def test_an_operator_does_not_import_without_airflow() -> None:
    done = import_all("airflow", ["clickstream.operators.glue"])

    assert "airflow" in done.stderr
    assert "is blocked" in done.stderr


@pytest.mark.parametrize("path", sorted((PLUGINS / "clickstream").rglob("*.py")), ids=lambda path: path.name)
def test_imports_are_absolute(path: Path) -> None:
    """Airflow may execute a file below plugins as a module of its own, where a relative import fails."""
    assert "\nfrom ." not in path.read_text(encoding="utf-8")
