"""Every table with personal data is gone through, and every column of text is searched."""

import re

import pytest

from clickstream.engine.sql import lake_tables
from clickstream.engine.table_shape import TableColumn
from clickstream.erase.tables import (
    NOT_PERSONAL,
    OTHERWISE,
    RULES,
    Rule,
    rule_of,
    searched,
    typed_targets,
    work_targets,
)
from clickstream.plan.event import event_table

PERSONAL = {
    name for name, table in lake_tables().items() if any(column.comment.endswith("PII.") for column in table.columns)
}


def columns(*names: str, kind: str = "varchar") -> list[TableColumn]:
    return [TableColumn(name, kind) for name in names]


def test_a_table_is_personal_by_its_description_and_is_gone_through_or_has_a_reason() -> None:
    assert RULES.keys() | OTHERWISE.keys() == PERSONAL
    assert lake_tables().keys() - PERSONAL == NOT_PERSONAL.keys()
    assert [name for name, reason in NOT_PERSONAL.items() if len(reason) < 7] == []


@pytest.mark.parametrize("name", RULES)
def test_a_rule_names_columns_that_the_table_has(name: str) -> None:
    has = {column.name: column for column in lake_tables()[name].columns}
    rule = RULES[name]

    assert {*rule.id_columns, *filter(None, [rule.line_column, rule.blank])} <= has.keys()
    assert not rule.by_message or "message_id" in has
    # Where the row stays, every personal value of it goes.
    assert not rule.blank or {rule.blank} == {one.name for one in has.values() if one.comment.endswith("PII.")}


def test_of_events_rows_are_told_by_every_id_that_a_line_is() -> None:
    assert RULES["events"].id_columns == ("user_id", "anonymous_id", "previous_id")


def test_tables_of_events_are_those_that_are_there_whatever_the_plan_says() -> None:
    shapes = {
        ("e", "old_event"): columns("message_id", "user_id", "anonymous_id"),
        ("e", "an_event"): columns("message_id", "user_id"),
        ("other", "x"): columns("message_id"),
    }
    by = event_table().partitioned_by

    found = typed_targets("e", shapes, by.column if by else None)

    assert [(one.name, one.rule) for one in found] == [
        ("e.an_event", Rule(("user_id",), by_message=True)),
        ("e.old_event", Rule(("user_id", "anonymous_id"), by_message=True)),
    ]


def test_batches_of_other_runs_are_told_by_their_columns() -> None:
    shapes = {
        ("w", f"batch_{'0' * 24}"): columns("message_id", "user_id", "anonymous_id", "previous_id", "rejected_line"),
        ("w", f"session_drafts_{'0' * 24}"): columns("visitor_id", "first_user_id", "last_user_id"),
        ("w", f"rules_{'0' * 24}"): columns("rule"),
        ("w", f"forgotten_{'0' * 24}"): columns("message_id"),
        ("w", "notes_of_somebody"): columns("message_id"),
    }

    assert [(one.name.partition(".")[2][:5], one.rule) for one in work_targets("w", shapes)] == [
        ("batch", Rule(("user_id", "anonymous_id", "previous_id"), "rejected_line", by_message=True)),
        ("sessi", Rule(("visitor_id", "first_user_id", "last_user_id"))),
    ]


@pytest.mark.parametrize("name", lake_tables())
def test_every_column_of_text_is_searched(name: str) -> None:
    table = lake_tables()[name]
    where = searched(table.columns)
    texts = {column.name for column in table.columns if re.fullmatch(r"varchar(\(\d+\))?", column.type)}

    assert {*where.id_columns, *where.text_columns} == texts
    assert set(where.id_fields) == ({("identified", "id"), ("identified", "user_id")} if name == "sessions" else set())


def test_a_column_of_rows_is_read_as_trino_writes_it() -> None:
    rows = columns("identified", kind='array(row("id" varchar, "user_id" varchar, "at" timestamp(6) with time zone))')

    assert searched(rows).id_fields == (("identified", "id"), ("identified", "user_id"))
    assert rule_of(rows) == Rule()
