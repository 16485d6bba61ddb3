"""Every command of the docs is run by a test or a script, or listed with what it needs: docs_commands.yaml."""

import ast
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.docs_commands import ROOT, commands, commands_of_docs, groups, listed_under

HERE = "tests/local/test_docs_commands.py"
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
NEEDS = {"aws", "docker", "a person"}
MAKES = [command for command in commands_of_docs() if re.search(r"(^|[1&] )make ", command)]
PAGE = """
Run `make one`, read `two.py`, call `make`.

| do | with |
| --- | --- |
| a thing | `docker compose ps`, `FILE=x make three` |

1. In a list:

   ```sh needs-aws
   aws s3 ls   # all of them
   # nothing here
   A='b c'
   ```

```sql
make not
```
"""

# Airflow's command line, once for all commands: importing it takes longer than any of them.
AIRFLOW = """
import shlex, sys
from airflow.__main__ import main
for line in sys.argv[1:]:
    sys.argv = shlex.split(line)
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            sys.exit(f"{line}: {ended.code}")
"""


def plain_environment(**more: str) -> dict[str, str]:
    """This process's without what is set of the pipeline, Airflow and make."""
    private = ("CLICKSTREAM_", "AIRFLOW", "MAKE", "MFLAGS")
    return {name: value for name, value in os.environ.items() if not name.startswith(private)} | more


def named_tests(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {f"{path}::{node.name}" for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_commands_of_a_page() -> None:
    assert list(commands(PAGE)) == ["make one", "docker compose ps", "FILE=x make three", "aws s3 ls"]


def test_the_list_is_that_of_the_docs() -> None:
    listed = Counter(command for group in groups() for command in group["commands"])

    assert {command: page for command, page in commands_of_docs().items() if command not in listed} == {}, "not listed"
    assert listed.keys() - commands_of_docs().keys() == set(), "no longer in the docs"
    assert [command for command, times in listed.items() if times > 1] == [], "listed twice"


def test_what_is_said_to_run_them_is_there() -> None:
    for group in groups():
        [kind] = group.keys() & {"tests", "script", "needs"}
        if kind == "tests":
            assert [test for test in group["tests"] if test not in named_tests(test.partition("::")[0])] == []
        elif kind == "script":
            script = (ROOT / group["script"]).read_text(encoding="utf-8")
            named = (re.split(" (?:TESTS|LEVEL)=", command)[0] for command in group["commands"])
            assert [command for command in named if command not in script] == []
        else:
            assert group["needs"] in NEEDS
            assert group["because"]


@pytest.mark.parametrize("command", MAKES)
def test_targets_and_variables_are_in_the_makefile(command: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
    variables = set(re.findall(r"^export CLICKSTREAM_\w+ = \$\(value (\w+)\)$", MAKEFILE, re.MULTILINE))

    for _, _, arguments in (part.partition("make ") for part in re.split(r"&&|>>?", command)):
        words = [word for word in shlex.split(arguments) if word not in ("-s", "-C", "FOLDER")]
        assert {word for word in words if "=" not in word} <= targets
        assert {word.partition("=")[0] for word in words if "=" in word} <= variables


def run(command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a command in the checkout, or, if it names FOLDER, from another folder."""
    return subprocess.run(
        ["bash", "-c", command.replace("FOLDER", shlex.quote(str(ROOT)))],
        cwd=folder if "FOLDER" in command else ROOT,
        env=plain_environment(CLICKSTREAM_STATE=str(folder / "state")),
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("command", listed_under(f"{HERE}::test_commands_that_ask_for_more"))
def test_commands_that_ask_for_more(command: str, tmp_path: Path) -> None:
    done = run(command, tmp_path)

    assert done.returncode != 0
    assert re.match(r"clickstream: no(body| range): make (erase USER_ID|plan-rebuild FROM)=", done.stderr)


def test_the_old_name_of_a_command_gives_its_new_one(tmp_path: Path) -> None:
    done = run("make plan-rederive", tmp_path)

    assert done.returncode != 0
    assert done.stderr.startswith("clickstream: make plan-rederive is now make plan-rebuild\n")


@pytest.mark.parametrize("command", listed_under(f"{HERE}::test_commands_that_need_no_stack"))
def test_commands_that_need_no_stack(command: str, tmp_path: Path) -> None:
    done = run(command, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stdout + done.stderr).strip()


def test_commands_of_airflow(tmp_path: Path) -> None:
    """Each makes a run, or a backfill, of which Airflow has accepted the values. Nothing is there to run it."""
    wanted = listed_under(f"{HERE}::{test_commands_of_airflow.__name__}")
    environment = plain_environment(
        AIRFLOW_HOME=str(tmp_path),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "dags"),
        AIRFLOW__CORE__PLUGINS_FOLDER=str(ROOT / "plugins"),
    )

    done = subprocess.run(
        [sys.executable, "-c", AIRFLOW, "airflow db migrate", "airflow dags reserialize", *wanted],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    with sqlite3.connect(tmp_path / "airflow.db") as database:
        made = dict(database.execute("select run_type, count(*) from dag_run group by run_type"))
    triggers = [command for command in wanted if command.startswith("airflow dags trigger ")]
    assert made == {"manual": len(triggers), "backfill": 6}
    assert len(triggers) == len(wanted) - 1
