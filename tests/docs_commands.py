"""The commands that the docs tell a reader to run, and the list of what runs each of them: local/docs_commands.yaml."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
# adr/ says why, not what to do.
PAGES = [
    ROOT / "README.md", ROOT / "CONTRIBUTING.md",
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if page.parent.name != "adr"),
]  # fmt: skip
LIST = Path(__file__).parent / "local" / "docs_commands.yaml"
# Code in a sentence or in a table is a command when it begins with one of these and has an argument.
PROGRAMS = {
    "airflow", "apt", "astro", "aws", "brew", "cd", "docker", "git", "helm", "kubectl", "make", "pip", "python", "sam",
    "trino", "uv", ".venv/lint/bin/pre-commit",
}  # fmt: skip
ASSIGNMENT = re.compile(r"[A-Z][A-Z0-9_]*=.*", re.DOTALL)


def commands(markdown: str) -> Iterator[str]:
    """Each command of a page: lines of its `sh` blocks, and code in its sentences and tables."""
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        if token.type == "fence" and token.info.split()[:1] == ["sh"]:
            yield from filter(_says_to_run, map(_without_comment, re.sub(r" *\\\n *", " ", token.content).splitlines()))
        for code in _inline(token):
            if _program(code) in PROGRAMS and len(code.split()) > 1:
                yield code


def commands_of_docs() -> dict[str, str]:
    """Each command of all pages, and the first page that has it."""
    found: dict[str, str] = {}
    for page in PAGES:
        for command in commands(page.read_text(encoding="utf-8")):
            found.setdefault(command, page.relative_to(ROOT).as_posix())
    return found


def groups() -> list[dict[str, Any]]:
    """The list: commands, with the `tests` or the `script` that run them, or what they need (`needs`, `because`)."""
    read: list[dict[str, Any]] = yaml.safe_load(LIST.read_text(encoding="utf-8"))
    return read


def listed_under(test: str) -> list[str]:
    """The commands that a test has to run, in the list's order."""
    return [command for group in groups() if test in group.get("tests", []) for command in group["commands"]]


def _inline(token: Token) -> list[str]:
    return [child.content for child in token.children or [] if child.type == "code_inline"]


def _without_comment(line: str) -> str:
    return re.split(r"(?:^|\s+)#\s", line, maxsplit=1)[0].strip()


def _says_to_run(line: str) -> bool:
    """Whether a line does more than set variables, as a file of settings does."""
    return bool(_program(line))


def _program(command: str) -> str:
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    return next((word for word in words if not ASSIGNMENT.fullmatch(word)), "")
