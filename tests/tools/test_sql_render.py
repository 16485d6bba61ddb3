"""`make sql-render`: the statement, its parameters, and what is said of a file that is not there."""

import pytest

from clickstream.engine.sql import render
from tools.sample_values import FILES, SETTINGS, values
from tools.sql_render import main


@pytest.mark.parametrize("named", ["lake/events/load.sql", "include/sql/lake/events/load.sql"])
def test_it_prints_the_statement_and_a_comment_for_each_parameter(
    named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    statement = render("lake/events/load.sql", SETTINGS, values())

    assert main(named) == 0

    text, _, listed = capsys.readouterr().out.partition("\n\n-- Parameters, by their number:\n")
    assert text == statement.text
    assert listed.splitlines() == [f"-- {number}: {value!r}" for number, value in enumerate(statement.parameters, 1)]
    assert listed.startswith("-- 1: ")


@pytest.mark.parametrize("file", FILES)
def test_a_parameter_is_one_line_whatever_it_holds(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    statement = render(file, SETTINGS, values())

    assert main(file) == 0

    lines = capsys.readouterr().out.splitlines()[len(statement.text.splitlines()) :]
    assert [line for line in lines if line and not line.startswith("-- ")] == []
    assert len(lines) == (len(statement.parameters) + 2 if statement.parameters else 0)


def test_without_a_file_it_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("") == 0

    assert capsys.readouterr().out.splitlines() == FILES


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("lake/event/load.sql", "lake/events/load.sql"),
        ("session_points", "make sql-render lists the files"),
        ("newest", "lake/events/newest.sql"),
        ("macros/json.sql", "no file 'macros/json.sql' in include/sql that renders to a statement"),
    ],
)
def test_a_file_that_is_not_there_is_told_with_those_named_nearly_so(
    named: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(named) == 1

    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith("clickstream: no file ")
    assert said in error
