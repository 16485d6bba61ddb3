"""Which test proves what: docs/promises.md, from the markers in the tests and the texts of promises.yaml.

`python -m tests.promises` writes the page.
"""

import ast
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "promises.md"
TEXTS = TESTS / "promises.yaml"
MARKERS = ("pytest.mark.promise", "pytest.mark.scenario")
SLOW = "pytest.mark.slow"

HEAD = """\
# What is promised, and which tests hold it

Written by `make docs` from the tests' own markers, and checked by a test. Tests marked *slow* run with
`make test-faults` and `make check-all`, all others with `make test`.
"""


@dataclass(frozen=True, order=True)
class Proof:
    """A test that carries a marker, with its file's path below the checkout."""

    file: str
    test: str
    is_slow: bool = False

    def text(self) -> str:
        """As the page shows it."""
        return f"`{self.file}::{self.test}`" + (" (slow)" if self.is_slow else "")


def proofs_of(folder: Path) -> dict[str, list[Proof]]:
    """The tests below a folder, by the id of each promise and scenario that they are marked with."""
    found: dict[str, list[Proof]] = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        for test, marks in _marked(ast.parse(path.read_text(encoding="utf-8"))):
            for number in _ids(marks):
                is_slow = any(ast.unparse(mark) == SLOW for mark in marks)
                found[number].append(Proof(path.relative_to(folder.parent).as_posix(), test, is_slow))
    return dict(found)


def page(texts: Mapping[str, Mapping[str, str]], proofs: Mapping[str, Sequence[Proof]]) -> str:
    """The whole page. Raises ValueError for an id without a text, and for a row without either a test or a reason."""
    rows = texts["promises"] | texts["scenarios"]
    if unknown := sorted(proofs.keys() - rows.keys()):
        raise ValueError(f"no text in {TEXTS.name} for {', '.join(unknown)}")
    parts = [HEAD]
    for title, kind in (("Promises", "promises"), ("Fault scenarios", "scenarios")):
        parts.append(f"\n## {title}\n\n")
        parts += [
            _wrapped(f"- **{number}** {text}") + _below(number, texts, proofs) for number, text in texts[kind].items()
        ]
    return "".join(parts)


def read_texts() -> dict[str, dict[str, str]]:
    """The texts: by section, by id."""
    texts: dict[str, dict[str, str]] = yaml.safe_load(TEXTS.read_text(encoding="utf-8"))
    return texts


def _below(number: str, texts: Mapping[str, Mapping[str, str]], proofs: Mapping[str, Sequence[Proof]]) -> str:
    tests, reason = sorted(set(proofs.get(number, ()))), texts["untested"].get(number)
    if bool(tests) == bool(reason):
        raise ValueError(f"{number}: " + ("has a test, so take its reason out" if tests else "no test, and no reason"))
    return "".join(f"  - {proof.text()}\n" for proof in tests) or _wrapped(f"  - none: {reason}")


def _wrapped(item: str) -> str:
    """An item of a list in lines of the docs' width."""
    indent = " " * (item.index("- ") + 2)
    return textwrap.fill(item, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) + "\n"


def _marked(module: ast.Module) -> Iterator[tuple[str, list[ast.expr]]]:
    """Each test with its decorators and those of its module."""
    shared: list[ast.expr] = [
        statement.value
        for statement in module.body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "pytestmark"
    ]
    for statement in module.body:
        if isinstance(statement, ast.FunctionDef) and statement.name.startswith("test_"):
            yield statement.name, [*shared, *statement.decorator_list]


def _ids(marks: Sequence[ast.expr]) -> Iterator[Any]:
    for mark in marks:
        for node in ast.walk(mark):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in MARKERS:
                yield from (ast.literal_eval(argument) for argument in node.args)


if __name__ == "__main__":
    PAGE.write_text(page(read_texts(), proofs_of(TESTS)), encoding="utf-8")
