"""Checks: what a file's head says, and what a finding does to the run."""

import pytest

from clickstream.engine.sql import SQL_DIR, TableNames
from clickstream.upkeep.checks import (
    LIMIT,
    SHOWN,
    CheckFinding,
    CheckHeaderError,
    Severity,
    check_paths,
    decide,
    parse_check,
    read_check,
)

PATHS = check_paths(TableNames.LAKE_TABLES)
PATH = "lake/events/checks/message_id_is_unique.sql"
FAIL = parse_check(PATH, "-- Check (fail): a message is there twice.\nselect 1")
WARN = parse_check("lake/rejects/checks/rate_is_low.sql", "-- Check (warn): too many rejects.")


def test_no_check_is_left_out_and_every_lake_table_has_some() -> None:
    assert sorted(PATHS) == sorted(path.relative_to(SQL_DIR).as_posix() for path in SQL_DIR.glob("*/*/checks/*"))
    assert {path.split("/")[1] for path in PATHS} == set(TableNames.LAKE_TABLES)


@pytest.mark.parametrize("path", PATHS)
def test_a_shipped_check_has_a_head_and_gives_a_limited_number_of_rows(path: str) -> None:
    check = read_check(path)

    assert len(check.meaning) > 20
    assert (SQL_DIR / path).read_text(encoding="utf-8").endswith(f"\nlimit {LIMIT}\n")


def test_names_of_checks_are_their_own() -> None:
    assert len({read_check(path).name for path in PATHS}) == len(PATHS)


def test_the_head_gives_name_severity_and_meaning() -> None:
    assert (FAIL.name, FAIL.severity, FAIL.meaning) == (
        "events.message_id_is_unique",
        Severity.FAIL,
        "a message is there twice.",
    )
    assert WARN.severity is Severity.WARN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "select 1",
        "-- Check: no severity",
        "-- Check (error): no such severity",
        "-- check (fail): lower case",
        "-- Check (fail):",
        "-- Check (fail): ",
        "-- A title first\n-- Check (fail): too late",
        " -- Check (fail): not at the start",
    ],
)
def test_another_head_is_an_error_that_names_the_file(text: str) -> None:
    with pytest.raises(CheckHeaderError, match=PATH):
        parse_check(PATH, text)


@pytest.mark.parametrize("end", ["\r\nselect 1", "  \nselect 1", ""])
def test_the_end_of_the_line_is_no_part_of_the_meaning(end: str) -> None:
    assert parse_check(PATH, f"-- Check (fail): twice{end}").meaning == "twice"


def test_a_check_without_rows_passes() -> None:
    outcome = decide([CheckFinding(FAIL, []), CheckFinding(WARN, [])])

    assert (outcome.failures, outcome.warnings, outcome.passed) == ((), (), 2)


def test_failures_and_warnings_are_kept_apart_and_all_of_them() -> None:
    findings = [
        CheckFinding(WARN, [{"n": 1}]),
        CheckFinding(FAIL, [{"n": 2}]),
        CheckFinding(FAIL, []),
        CheckFinding(FAIL, [{"n": 3}]),
    ]

    outcome = decide(findings)

    assert outcome.failures == (findings[1], findings[3])
    assert outcome.warnings == (findings[0],)
    assert outcome.to_dict() == {
        "passed": 1,
        "warnings": ["rejects.rate_is_low"],
        "failures": ["events.message_id_is_unique", "events.message_id_is_unique"],
    }


def test_decide_takes_findings_as_they_come() -> None:
    assert decide(CheckFinding(FAIL, rows) for rows in ([], [{"n": 1}])).passed == 1


def test_a_finding_names_check_severity_count_and_rows() -> None:
    text = CheckFinding(FAIL, [{"message_id": "m1", "copies": 2}, {"message_id": None, "copies": 3}]).text()

    assert text.splitlines() == [
        "events.message_id_is_unique (fail): rows found: 2. a message is there twice.",
        "  message_id=m1, copies=2",
        "  message_id=None, copies=3",
    ]


@pytest.mark.parametrize(("found", "count"), [(LIMIT - 1, str(LIMIT - 1)), (LIMIT, f"{LIMIT} or more")])
def test_a_long_finding_shows_the_first_rows(found: int, count: str) -> None:
    lines = CheckFinding(FAIL, [{"n": number} for number in range(found)]).text().splitlines()

    assert f"rows found: {count}." in lines[0]
    assert lines[1:] == [f"  n={number}" for number in range(SHOWN)]
