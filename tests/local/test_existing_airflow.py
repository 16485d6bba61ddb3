"""docs/existing-airflow.md: each block is run, read, or names the platform that it needs."""

import json
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import yaml

from clickstream.config_check.airflow import wanted_connections
from clickstream.engine.sql import include_folder
from clickstream.settings import Settings
from tools.mwaa_zip import write_zip

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "existing-airflow.md").read_text(encoding="utf-8")
BLOCKS = [(kind, text) for kind, text in re.findall(r"^```(\S+ \S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]
NEED_A_PLATFORM = {"sh needs-aws", "sh needs-astronomer", "sh needs-kubernetes"}

# Runs each DAG file as Airflow does, with the plugins folder on the path and nothing of the checkout.
LOAD = """
import pathlib, runpy, sys
dags, plugins = map(pathlib.Path, sys.argv[1:])
sys.path.insert(0, str(plugins))
files = sorted(dags.glob("*.py"))
for file in files:
    runpy.run_path(str(file))
from clickstream.engine.sql import SQL_DIR
from clickstream.plan.file import read_plan
print(len(files), len(read_plan().events) > 0, SQL_DIR.relative_to(plugins), len(list(SQL_DIR.rglob("*.sql"))))
"""


def block(kind: str) -> str:
    [text] = [text for name, text in BLOCKS if name == kind]
    return text


def variables(kind: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in shlex.split(block(kind)))


def test_every_block_is_of_a_kind_that_is_dealt_with() -> None:
    assert PAGE.count("```") == 2 * len(BLOCKS)
    assert {kind for kind, _ in BLOCKS} - NEED_A_PLATFORM == {
        "text requirements", "sh connections", "sh secrets", "sh plain", "sh run", "dockerfile astronomer", "yaml helm",
    }  # fmt: skip


def test_dags_load_from_the_zip_that_the_page_builds(tmp_path: Path) -> None:
    assert block("sh run").startswith("make mwaa-zip OUT=plugins.zip")
    first, second = tmp_path / "plugins.zip", tmp_path / "again.zip"
    assert write_zip(first) == write_zip(second)
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        archive.extractall(tmp_path / "plugins")

    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(ROOT / "dags"), str(tmp_path / "plugins")],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={"PATH": "", "AIRFLOW_HOME": str(tmp_path / "home")},
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-2000:]
    statements = len(list((ROOT / "include" / "sql").rglob("*.sql")))
    files = len(list((ROOT / "dags").glob("*.py")))
    assert done.stdout.splitlines()[-1] == f"{files} True include/sql {statements}"
    assert (tmp_path / "plugins" / ".airflowignore").read_text() == "clickstream/\n"


def test_include_is_found_beside_plugins_where_it_is_not_in_it(tmp_path: Path) -> None:
    assert include_folder(tmp_path / "plugins") == tmp_path / "include"


def test_the_packages_are_those_of_the_image() -> None:
    wanted = (ROOT / "requirements" / "airflow.in").read_text().splitlines()

    assert block("text requirements").split() == [line for line in wanted if re.fullmatch(r"[\w-]+", line)]


def test_connections_are_those_that_the_default_settings_want() -> None:
    wanted = wanted_connections(Settings(staging_bucket="a", lake_bucket="b", crawler="c"))
    given = {name: json.loads(value) for name, value in variables("sh connections").items()}

    assert {name: value["conn_type"] for name, value in given.items()} == {
        f"AIRFLOW_CONN_{name.upper()}": kind for name, kind in wanted.items()
    }
    assert given["AIRFLOW_CONN_CLICKSTREAM_TRINO"]["extra"]["timezone"] == "UTC"


def test_the_secrets_backend_is_there_and_takes_these_arguments(tmp_path: Path) -> None:
    given = variables("sh secrets")
    module, _, name = given["AIRFLOW__SECRETS__BACKEND"].rpartition(".")
    program = (
        f"import json, sys; from {module} import {name}; backend = {name}(**json.loads(sys.argv[1])); "
        "print(backend.build_path(backend.connections_prefix, 'clickstream_trino', '/'))"
    )

    # In a process of its own, for Airflow reads its environment when it is imported.
    done = subprocess.run(
        [sys.executable, "-c", program, given["AIRFLOW__SECRETS__BACKEND_KWARGS"]],
        capture_output=True, text=True, check=False, env={"PATH": "", "AIRFLOW_HOME": str(tmp_path)},
    )  # fmt: skip

    assert done.stdout.splitlines()[-1:] == ["airflow/connections/clickstream_trino"], done.stderr[-2000:]


def test_the_folders_stay_siblings_with_git_sync_and_by_hand() -> None:
    values = yaml.safe_load(block("yaml helm"))
    assert Path("/opt/airflow/dags/repo") / values["dags"]["gitSync"]["subPath"] == Path("/opt/airflow/dags/repo/dags")
    assert values["env"] == [
        {"name": "AIRFLOW__CORE__PLUGINS_FOLDER", "value": "/opt/airflow/dags/repo/plugins"},
    ]
    assert yaml.safe_load(values["extraEnvFrom"])
    folders = variables("sh plain").values()
    assert {Path(folder).parent for folder in folders} == {Path("/opt/clickstream")}
