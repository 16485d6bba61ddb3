"""An event of the plan is found by its slug: Python makes it of the plan's name, SQL of the one that is sent."""

import json
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from clickstream.names import slug
from clickstream.sql import SQL_DIR, Statement
from tests.machine import Machine

CASE = Path(__file__).parents[1] / "model" / "cases" / "slugs" / "20261124T010203004Z-a.ndjson"
LETTERS = "aZ9 _-.$가ßẞΣςİıǅ٣Ⅳ①é\u0301\u093f\u20e3\ufe0f❤🎉\u2028"


def test_python_and_sql_make_the_same_slugs(machine: Machine) -> None:
    names = [str(json.loads(line)["event"]) for line in CASE.read_text(encoding="utf-8").splitlines()]
    names += [f"{one}{other}Ab" for one in LETTERS for other in LETTERS]
    macro = Environment(loader=FileSystemLoader(SQL_DIR)).get_template("macros/naming.sql").module.slug("name")

    rows = (
        machine.runner().run(Statement(f"select name, {macro} as slug from unnest(?) as given (name)", (names,))).rows
    )

    assert {row["name"]: row["slug"] or "" for row in rows} == {name: slug(name) for name in names}
