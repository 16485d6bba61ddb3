"""The pages of docs/ as HTML, so that a runbook is one click from its alarm."""

import re
from collections.abc import Iterable
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from clickstream.engine.sql import SQL_DIR

DOCS_DIR = SQL_DIR.parent.with_name("docs")
"""Beside include/, wherever that is."""

MEDIA_TYPES = {".md": "text/html", ".png": "image/png", ".svg": "image/svg+xml"}

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_NO_ANCHOR = re.compile(r"[^\w\- ]")


def find(name: str) -> Path | None:
    """Return the file of this name in docs/, such as runbooks/redrive.md; None for anything not listed there."""
    files = {path.relative_to(DOCS_DIR).as_posix(): path for path in DOCS_DIR.rglob("*") if path.suffix in MEDIA_TYPES}
    return files.get(name)


def to_html(markdown: str) -> str:
    """Return a page's body. HTML in it is shown as text, but for comments, which are left out."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(_COMMENT.sub("", markdown))
    _set_anchors(tokens)
    return str(parser.renderer.render(tokens, parser.options, {}))


def _set_anchors(tokens: Iterable[Token]) -> None:
    """Give each heading the id that links to it have on GitHub."""
    heading = None
    for token in tokens:
        if token.type == "heading_open":
            heading = token
        elif heading is not None:
            heading.attrSet("id", _NO_ANCHOR.sub("", token.content.lower()).replace(" ", "-"))
            heading = None
