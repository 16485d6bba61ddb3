"""`make docs`: writes docs/settings.md from plugins/clickstream/settings.py."""

import ast
import inspect
import itertools
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plugins"))

from clickstream.settings import ATHENA_DEFAULTS, RETIRED, Settings, variable

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"

HEAD = """\
# Settings

Written by `make docs` from `plugins/clickstream/settings.py`, and checked by a test.

Settings are environment variables, read where Airflow's tasks run ([existing-airflow.md](existing-airflow.md)). An
empty variable counts as not set. `make env-from-stack STACK=clickstream` prints those that a deployed stack knows
([deploy.md](deploy.md)), and `make check-config` checks all of them. Airflow also needs two connections,
`clickstream_aws` (on AWS the role is enough) and `clickstream_trino` (not with `athena`), and `clickstream_smtp` for
e-mail.
"""
OLD = """
## No longer settings

Settings of earlier versions. One that is still set stops every DAG with an error that names it:
"""


def meanings() -> dict[str, tuple[str, str]]:
    """Meaning and users of each field of Settings, from the text below it. Raises ValueError for one without."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(Settings))).body
    assert isinstance(body, ast.ClassDef)
    texts = {
        before.target.id: after.value.value
        for before, after in itertools.pairwise(body.body)
        if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name)
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
    }
    return {field.name: _parts(field.name, str(texts.get(field.name, ""))) for field in fields(Settings)}


def page() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, *_settings(), OLD, *_retired()]) + "\n"


def _parts(name: str, text: str) -> tuple[str, str]:
    meaning, separator, users = " ".join(text.split()).rpartition(" Used by: ")
    if not separator:
        raise ValueError(f"{name}: no text below it that ends in 'Used by: ...'")
    return meaning.rstrip("."), users.rstrip(".")


def _settings() -> Iterator[str]:
    yield "| setting | default | meaning | used by |\n| --- | --- | --- | --- |"
    texts = meanings()
    for field in fields(Settings):
        meaning, users = texts[field.name]
        yield f"| `{variable(field.name)}` | {_default(field)} | {meaning} | {users} |"


def _default(field: Field[str | int]) -> str:
    if field.default is MISSING:
        return "none, required"
    text = f"`{field.default}`" if field.default else "none"
    return f"{text} (`athena`: `{ATHENA_DEFAULTS[field.name]}`)" if field.name in ATHENA_DEFAULTS else text


def _retired() -> Iterator[str]:
    yield "| setting | what to do |\n| --- | --- |"
    yield from (f"| `{name}` | {advice} |" for name, advice in RETIRED.items())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
