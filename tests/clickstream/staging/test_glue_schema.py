"""Glue table in, TableInput with string columns out.

Each folder of glue_tables is a case: the table as GetTable gives it, and the patch that it needs.
"""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.staging.glue_schema import MAX_NAME_LENGTH, SEGMENT_FIELDS, Patch, is_crawl_due, with_string_columns

CASES = sorted(path for path in (Path(__file__).parent / "glue_tables").iterdir())
GLUE = botocore.session.get_session().get_service_model("glue")
ALLOWED = frozenset(GLUE.shape_for("TableInput").members)

# What GetTable tells and UpdateTable does not take. A member that is neither here nor in TableInput is one that a patch
# would drop without a word: look at what it means before adding it.
READ_ONLY = {
    "CatalogId", "CreateTime", "CreatedBy", "DatabaseName", "IcebergTableMetadata", "IsMaterializedView",
    "IsMultiDialectView", "IsRegisteredWithLakeFormation", "RLSProperties", "Status", "UpdateTime", "VersionId",
}  # fmt: skip

TYPES = st.recursive(
    st.sampled_from(
        ["string", "STRING", "int", "bigint", "double", "boolean", "timestamp", "decimal(38,6)", "char(3)"]
    ),
    lambda inner: st.one_of(
        inner.map(lambda one: f"array<{one}>"),
        inner.map(lambda one: f"map<string,{one}>"),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda many: f"struct<{','.join(f'f{number}:{one}' for number, one in enumerate(many))}>"
        ),
        st.lists(inner, min_size=1, max_size=3).map(lambda many: f"uniontype<{','.join(many)}>"),
    ),
    max_leaves=6,
)
NAMES = st.one_of(
    st.sampled_from([*SEGMENT_FIELDS, *(field.lower() for field in SEGMENT_FIELDS), "MESSAGEID", "a", "A", "b"]),
    st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1, max_size=8),
    st.integers(MAX_NAME_LENGTH - 1, MAX_NAME_LENGTH + 2).map(lambda length: "x" * length),
)
COLUMNS = st.lists(
    st.fixed_dictionaries(
        {"Name": NAMES, "Type": TYPES}, optional={"Comment": st.text(max_size=5), "Parameters": st.just({"k": "v"})}
    ),
    max_size=12,
)


def table(columns: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Name": "events_staging", "VersionId": "7", "StorageDescriptor": {"Columns": columns}}


def columns_of(patch: Patch) -> list[dict[str, Any]]:
    return patch.table_input["StorageDescriptor"]["Columns"]


@pytest.mark.scenario("X21", "X24")
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_case(case: Path) -> None:
    given_table = json.loads((case / "table.json").read_text(encoding="utf-8"))["table"]
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))

    patch = with_string_columns(given_table, ALLOWED)

    assert {
        "is_needed": patch.is_needed,
        "columns": [column["Name"] for column in columns_of(patch)],
        "structs": list(patch.structs),
        "retyped": list(patch.retyped),
        "added": list(patch.added),
        "folded": list(patch.folded),
    } == {name: expected[name] for name in ("is_needed", "columns", "structs", "retyped", "added", "folded")}
    assert {column["Type"] for column in columns_of(patch)} == {"string"}
    assert patch.text() == expected.get("text", patch.text())
    assert columns_of(patch)[: len(expected.get("kept", []))] == expected.get("kept", [])


@pytest.mark.parametrize(
    ("keys", "added"),
    [
        (["newKey", "NEWKEY", "n", "messageId"], ["newkey"]),
        (["x" * (MAX_NAME_LENGTH + 1), "y" * MAX_NAME_LENGTH], ["y" * MAX_NAME_LENGTH]),
    ],
)
def test_keys_that_loads_have_met_become_columns_once(keys: list[str], added: list[str]) -> None:
    columns = [{"Name": name.lower(), "Type": "string"} for name in (*SEGMENT_FIELDS, "N")]

    patch = with_string_columns(table(columns), ALLOWED, keys)

    assert list(patch.added) == added
    assert [column["Name"] for column in columns_of(patch)] == [column["Name"] for column in columns] + added


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("last", "newest", "is_manual", "expected"),
    [
        (None, None, True, False),
        (None, NOON, False, True),
        # Nothing landed since.
        (NOON - timedelta(days=2), NOON - timedelta(days=3), True, False),
        # Yesterday, of UTC whatever the zone.
        (datetime(2026, 11, 24, 8, 30, tzinfo=timezone(timedelta(hours=9))), NOON, False, True),
        (datetime(2026, 11, 24, 0, 0, tzinfo=UTC), NOON, False, False),
        (datetime(2026, 11, 24, 0, 0, tzinfo=UTC), NOON, True, True),
    ],
)
def test_a_crawl_is_due_once_a_day_of_utc(
    last: datetime | None, newest: datetime | None, is_manual: bool, expected: bool
) -> None:
    assert is_crawl_due(last, newest, NOON, is_manual) is expected


def test_text_tells_structs_and_other_changes_apart() -> None:
    patch = with_string_columns(
        table(
            [
                {"Name": "context", "Type": "struct<ip:string>"},
                {"Name": "n", "Type": "int"},
                {"Name": "N", "Type": "int"},
            ]
        ),
        ALLOWED,
    )

    text = patch.text()

    assert "1 were structs: context" in text
    assert "2 became string: context, n" in text
    assert "folded into it: N" in text
    assert f"{len(SEGMENT_FIELDS) - 1} were added: _metadata, anonymousid" in text


def test_the_longest_type_that_glue_allows_becomes_string() -> None:
    fields = ",".join(f"f{number:06}:string" for number in range(8_190))
    longest = f"struct<{fields}>".ljust(131_072)

    patch = with_string_columns(table([{"Name": "context", "Type": longest}]), ALLOWED)

    assert len(longest) == 131_072
    assert patch.structs == ("context",)
    assert columns_of(patch)[0] == {"Name": "context", "Type": "string"}


def test_deeply_nested_struct_is_found() -> None:
    nested = "array<" * 500 + "struct<a:int>" + ">" * 500

    patch = with_string_columns(table([{"Name": "deep", "Type": nested}]), ALLOWED)

    assert patch.structs == ("deep",)


@pytest.mark.parametrize(("length", "is_kept"), [(MAX_NAME_LENGTH, True), (MAX_NAME_LENGTH + 1, False)])
def test_a_name_over_the_limit_is_left_out_and_reported(length: int, is_kept: bool) -> None:
    name = "n" * length

    patch = with_string_columns(table([{"Name": name, "Type": "string"}]), ALLOWED)

    assert (name in [column["Name"] for column in columns_of(patch)]) is is_kept
    assert (name in patch.too_long) is not is_kept


def test_a_name_over_the_limit_is_not_said_to_repeat_another() -> None:
    name = "n" * (MAX_NAME_LENGTH + 1)

    patch = with_string_columns(table([{"Name": name, "Type": "string"}]), ALLOWED)

    assert name in patch.text()
    assert f"repeated another column's name and were folded into it: {name}" not in patch.text()


def test_a_change_of_a_name_s_case_alone_is_not_called_a_change_of_the_serde() -> None:
    columns = [{"Name": field, "Type": "string"} for field in SEGMENT_FIELDS]
    crawled = table(columns)
    crawled["StorageDescriptor"]["SerdeInfo"] = {"Parameters": {"ignore.malformed.json": "true"}}

    patch = with_string_columns(crawled, ALLOWED)

    assert patch.is_needed
    assert patch.text() != "SerDe settings"


def test_read_only_members_of_a_whole_table_are_not_sent_back() -> None:
    whole = dict.fromkeys(GLUE.shape_for("Table").members, "x") | table([])

    patch = with_string_columns(whole, ALLOWED)

    assert patch.table_input.keys() == GLUE.shape_for("Table").members.keys() - READ_ONLY


def test_botocore_s_table_has_no_member_that_a_patch_would_drop_silently() -> None:
    assert GLUE.shape_for("Table").members.keys() - ALLOWED == READ_ONLY


def test_the_given_table_is_left_as_it_is() -> None:
    given_table = table([{"Name": "A", "Type": "int"}])
    before = json.dumps(given_table)

    with_string_columns(given_table, ALLOWED)

    assert json.dumps(given_table) == before


@given(COLUMNS)
def test_patching_the_patched_table_needs_nothing(columns: list[dict[str, Any]]) -> None:
    once = with_string_columns(table(columns), ALLOWED)
    twice = with_string_columns({**once.table_input, "VersionId": "8"}, ALLOWED)

    assert not twice.is_needed
    assert twice.table_input == once.table_input
    assert (twice.structs, twice.retyped, twice.added, twice.folded) == ((), (), (), ())


@pytest.mark.scenario("X24")
@given(COLUMNS)
def test_every_column_is_a_string_and_no_two_names_are_equal_ignoring_case(columns: list[dict[str, Any]]) -> None:
    patched = columns_of(with_string_columns(table(columns), ALLOWED))

    names = [column["Name"].lower() for column in patched]
    assert {column["Type"] for column in patched} == {"string"}
    assert len(set(names)) == len(names)
    assert {field.lower() for field in SEGMENT_FIELDS} <= set(names)
    assert all(len(name) <= MAX_NAME_LENGTH for name in names)


@given(COLUMNS)
def test_kept_columns_keep_their_order_and_every_name_is_kept_or_reported(columns: list[dict[str, Any]]) -> None:
    patch = with_string_columns(table(columns), ALLOWED)

    wanted = list(dict.fromkeys(c["Name"].lower() for c in columns if len(c["Name"].lower()) <= MAX_NAME_LENGTH))
    assert [column["Name"] for column in columns_of(patch)] == wanted + list(patch.added)
    assert len(wanted) + len(patch.folded) + len(patch.too_long) == len(columns)


@given(COLUMNS, st.dictionaries(st.sampled_from(sorted(ALLOWED | READ_ONLY)), st.text(max_size=3)))
def test_only_allowed_members_are_sent_and_none_of_them_is_lost(
    columns: list[dict[str, Any]], members: dict[str, str]
) -> None:
    whole = {**members, **table(columns)}

    sent = with_string_columns(whole, ALLOWED).table_input

    assert sent.keys() == whole.keys() & ALLOWED
    assert {key: value for key, value in sent.items() if key != "StorageDescriptor"} == {
        key: value for key, value in whole.items() if key in ALLOWED and key != "StorageDescriptor"
    }
