"""The hooks of pre-commit run what `make lint` runs."""

import re
from pathlib import Path

import yaml

from local.bootstrap import PROGRAMS, ROOT

CONFIG = Path(ROOT) / ".pre-commit-config.yaml"
# What differs on purpose: hooks get the changed files, may fix them, and run in one process.
OF_LINT_ONLY = {"--check", "--processes", "2"}


def words(command: list[str]) -> frozenset[str]:
    """A command without the folder of its program and what it reads."""
    names = [word.rsplit("/bin/", 1)[-1] for word in command if word not in OF_LINT_ONLY]
    return frozenset(name for name in names if not re.search(r"[./]", name) or name.startswith(("vendor.", ".ci/")))


def test_every_program_of_lint_has_a_hook_and_every_hook_is_one_of_them() -> None:
    hooks = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["repos"][0]["hooks"]

    lint = {words(list(arguments)) for _, *arguments in PROGRAMS["lint"]}
    assert {words(hook["entry"].split()) - {"--fix"} for hook in hooks} == lint
