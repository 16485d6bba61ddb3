"""Every file of include/sql renders; values are bound and never part of the text."""

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import FileSystemLoader, meta

from clickstream.engine.columns import read_columns
from clickstream.engine.sql import (
    SQL_DIR,
    Statement,
    TableNames,
    duration_literal,
    environment,
    instant_literal,
    lake_tables,
    literal,
    quote,
    render,
)
from clickstream.engine.tables import read_table, read_tables
from clickstream.settings import Settings
from tools.sample_values import FILES, SETTINGS, values

CHECKS = [file for file in FILES if "/checks/" in file]
TABLES = sorted(
    {file.rpartition("/")[0] for file in FILES if not file.startswith(("maintenance/", "views/", "evolution/"))}
    - {check.rpartition("/")[0] for check in CHECKS}
)
WITHOUT_LOAD = {"staging/lines", "staging/archive_lines", "runtime", "erase", "reconcile"}
WITHOUT_GRAIN = {
    "work/batch/drop.sql", "work/typed/drop.sql", "work/rules/drop.sql", "work/findings/drop.sql",
    "work/session_regions/drop.sql", "work/session_steps/drop.sql", "work/session_drafts/drop.sql",
    "maintenance/drop_stray_batch.sql", "runtime/kill.sql", "views/publish.sql",
    "evolution/add_column.sql", "evolution/widen_column.sql", "evolution/comment_column.sql",
    "evolution/comment_table.sql", "evolution/create_table.sql", "evolution/drop_lines.sql",
}  # fmt: skip
GIVEN_BY_RENDER = {
    "t", "events", "tables", "quote", "literal", "bind", "bind_each", "instant_literal", "duration_literal", "keys",
}  # fmt: skip

# Text that would change a statement if it became part of one.
HOSTILE = st.lists(
    st.sampled_from([*"'\";-/*?{}%#\\\n\r\0 ab7é\uff8a😀", "{{ 7*7 }}", "{% raw %}", "--", "/*", "'; drop table x"]),
    max_size=12,
).map("".join)


def wanted(file: str) -> set[str]:
    environment = jinja2.Environment()
    tree = environment.parse((SQL_DIR / file).read_text(encoding="utf-8"))
    return meta.find_undeclared_variables(tree) - GIVEN_BY_RENDER


def without_quoted(text: str) -> str:
    """The text without comments, strings and quoted identifiers; fails when one of them has no end."""
    token = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/"
    bare = re.sub(token, " ", text, flags=re.DOTALL)
    assert not re.search(r"['\"]|/\*", bare), "a quote or comment without an end"
    return bare


def masked(statement: Statement) -> str:
    return re.sub(r'"(batch|typed|rules|findings|forgotten|session_\w+)_[0-9a-f]{24}"', r'"\1"', statement.text)


def test_there_is_sql() -> None:
    assert {"lake/events", "lake/rejects", "lake/load_ledger", "staging/lines", "work/batch"} <= set(TABLES)


@pytest.mark.parametrize("file", FILES)
def test_it_renders_with_a_parameter_for_every_question_mark(file: str) -> None:
    statement = render(file, SETTINGS, values())

    bare = without_quoted(statement.text)
    assert bare.count("?") == len(statement.parameters)
    assert not re.search(r"\{\{|\}\}|\{%|%\}|\{#|None|Undefined", bare)


def test_a_process_reads_each_file_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A load renders more than a hundred statements: reading and compiling again cost it 7 s of CPU."""
    read, opened = Path.read_text, list[str]()
    monkeypatch.setattr(Path, "read_text", lambda path, **options: opened.append(path.name) or read(path, **options))
    loaded, loads = FileSystemLoader.get_source, list[str]()
    monkeypatch.setattr(
        FileSystemLoader, "get_source", lambda self, *which: loads.append(which[1]) or loaded(self, *which)
    )
    for cached in (environment, read_columns, read_table, read_tables):
        cached.cache_clear()

    for _ in range(3):
        render("work/batch/load.sql", SETTINGS, values())

    assert sorted(opened) == ["columns.yaml", *["table.yaml"] * len(TableNames.LAKE_TABLES)]
    assert sorted(loads) == sorted(set(loads))
    assert "work/batch/load.sql" in loads


@pytest.mark.parametrize("file", FILES)
def test_it_is_one_statement(file: str) -> None:
    assert ";" not in without_quoted(render(file, SETTINGS, values()).text)


@pytest.mark.parametrize("file", FILES)
def test_its_head_says_what_it_is_its_grain_and_its_parameters(file: str) -> None:
    head = re.match(r"(?:-- [^\n]*\n)+", render(file, SETTINGS, values()).text)

    assert head is not None
    assert len(head[0].splitlines()[0]) > 20
    assert "Grain: " in head[0] or file in WITHOUT_GRAIN
    named = head[0].partition("Parameters: ")[2]
    assert [name for name in wanted(file) if not re.search(rf"\b{name}\b", named)] == []


@pytest.mark.parametrize("file", sorted((SQL_DIR / "macros").glob("*.sql")), ids=lambda file: file.name)
def test_a_file_of_macros_has_a_head_and_each_macro_says_what_it_gives(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    first, *others = re.split(r"^{%- macro ", text, flags=re.MULTILINE)

    assert len(re.findall(r"^{#- .*?-#}$", first, re.MULTILINE | re.DOTALL)) >= 2
    before = [first, *others][: len(others)]
    names = [other.partition("(")[0] for other in others]
    assert [name for name, above in zip(names, before, strict=True) if not above.endswith("-#}\n")] == []


@pytest.mark.parametrize("file", sorted((SQL_DIR / "macros").glob("*.sql")), ids=lambda file: file.name)
def test_macros_are_indented_by_four_and_no_wider_than_a_page(file: Path) -> None:
    """sqlfluff holds statements to it, and cannot render a macro by itself."""
    lines = file.read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if (len(line) - len(line.lstrip(" "))) % 4] == []
    # A regular expression cannot be broken.
    assert [line for line in lines if len(line) > 120 and not re.fullmatch(r" *'[^']*'", line)] == []


@pytest.mark.parametrize("file", FILES)
def test_a_comment_holds_nothing_that_looks_like_a_parameter(file: str) -> None:
    comments = re.findall(r"^ *--[^\n]*$", render(file, SETTINGS, values()).text, re.MULTILINE)

    assert [comment for comment in comments if "?" in comment] == []


@pytest.mark.parametrize("file", FILES)
def test_a_value_that_is_not_given_is_an_error(file: str) -> None:
    for name in sorted(wanted(file)):
        given_values = {key: value for key, value in values().items() if key != name}
        with pytest.raises(jinja2.UndefinedError, match=name):
            render(file, SETTINGS, given_values)


def test_values_that_files_want_are_those_that_operators_give() -> None:
    assert {name for file in FILES for name in wanted(file)} == values().keys()


def test_a_missing_file_is_an_error() -> None:
    with pytest.raises(jinja2.TemplateNotFound, match="lake/none/load"):
        render("lake/none/load.sql", SETTINGS)


@pytest.mark.parametrize("table", TABLES)
def test_a_table_s_folder_has_the_files_that_every_table_has(table: str) -> None:
    layer = table.partition("/")[0]
    assert (SQL_DIR / table / "table.yaml").is_file() == (layer in ("lake", "events"))
    assert (f"{table}/create.sql" in FILES) == (layer == "staging")
    assert f"{table}/load.sql" in FILES or table in WITHOUT_LOAD


@pytest.mark.parametrize("file", [file for file in FILES if file.endswith(("create.sql", "create_table.sql"))])
def test_a_table_is_made_only_where_it_is_missing(file: str) -> None:
    assert re.search(r"^create table if not exists ", render(file, SETTINGS, values()).text, re.MULTILINE)


@pytest.mark.promise("P8")
@settings(max_examples=60)  # each renders twice, some 30 ms
@given(st.sampled_from(FILES), HOSTILE, st.tuples(HOSTILE, HOSTILE))
def test_no_run_id_and_no_path_changes_the_text(file: str, run_id: str, paths: tuple[str, str]) -> None:
    harmless = render(file, SETTINGS, values())
    hostile = render(file, SETTINGS, values(run_id, paths))

    assert masked(hostile) == masked(harmless)
    assert len(hostile.parameters) == len(harmless.parameters)
    renamed = {"manual__1": run_id, "s3://b/staging/1": paths[0], "s3://b/staging/2": paths[1]}
    renamed |= {f"s3://b/staging/{number}a": path + "a" for number, path in enumerate(paths, start=1)}
    assert list(hostile.parameters) == [rename(parameter, renamed) for parameter in harmless.parameters]


def rename(value: Any, renamed: dict[str, str]) -> Any:
    """The value with other ids and paths, in a list and in the JSON text of one too."""
    if isinstance(value, list):
        return [rename(item, renamed) for item in value]
    if isinstance(value, str) and value.startswith('[["s3:'):
        return json.dumps(rename(json.loads(value), renamed), ensure_ascii=False)
    return renamed.get(value, value) if isinstance(value, str) else value


@pytest.mark.promise("P8")
@settings(max_examples=60)
@given(st.sampled_from(FILES), HOSTILE.map(lambda text: "<<" + text + ">>"))
def test_no_value_is_in_the_text(file: str, value: str) -> None:
    given_values = values(value, (value, value)) | {
        "now": value,
        "staged_since": value,
        "bounds": SimpleNamespace(earliest=value, latest=value, spans=[SimpleNamespace(start=value, end=value)]),
    }

    assert value not in render(file, SETTINGS, given_values).text


@given(st.text(), st.text())
def test_a_batch_table_has_a_plain_name_of_its_own(one: str, other: str) -> None:
    t = TableNames(SETTINGS)

    assert re.fullmatch(r'"lake"\."clickstream_work"\."batch_[0-9a-f]{24}"', t.batch(one))
    assert (t.batch(one) == t.batch(other)) == (one == other)


def test_names_of_tables_come_from_the_settings_and_are_quoted() -> None:
    t = TableNames(
        Settings(
            staging_bucket="a", lake_bucket="b", crawler="c", staging_catalog="hive", lake_catalog="ice",
            database_prefix="d",
        )
    )  # fmt: skip

    assert (t.staging, t.lines) == ('"hive"."d_staging"."events_staging"', '"hive"."d_lines"."lines"')
    assert (t.events, t.rejects, t.load_ledger) == (
        '"ice"."d"."events"',
        '"ice"."d"."rejects"',
        '"ice"."d"."load_ledger"',
    )
    assert t.batch("r").startswith('"ice"."d_work"."batch_')


# The query of views/publish.sql is another file's.
@pytest.mark.parametrize("file", [file for file in FILES if file != "views/publish.sql"])
def test_every_table_that_a_file_names_is_one_of_ours(file: str) -> None:
    if file == "runtime/properties.sql":
        assert without_quoted(render(file, SETTINGS, values()).text).strip() == "show session"
        return
    if file.startswith("runtime/"):
        assert re.search(r"\bsystem\.(runtime|metadata|jdbc)\.", render(file, SETTINGS, values()).text)
        return
    if file == "evolution/columns.sql":
        assert "from system.jdbc.columns" in render(file, SETTINGS, values()).text
        return
    moved = Settings(
        staging_bucket="a", lake_bucket="b", crawler="c", staging_catalog="hive9", lake_catalog="ice9",
        database_prefix="d9",
    )  # fmt: skip

    own = {"altered": ("d9", "events"), "snapshots": [TableNames(moved).metadata(("d9", "events"), "snapshots")]}
    text = render(file, moved, values() | own).text

    assert re.search(r'"(hive9|ice9)"\."d9(_staging|_lines|_work|_segment|_events)?"\."', text)
    assert not re.search(r"\b(staging|lake|clickstream|clickstream_\w+)\"?\.\"?\w", text)


@pytest.mark.promise("P8")
@given(st.text())
def test_quote_and_literal_can_be_read_back(text: str) -> None:
    for quoted, mark in ((quote(text), '"'), (literal(text), "'")):
        assert quoted[0] == quoted[-1] == mark
        assert quoted[1:-1].replace(mark * 2, "").count(mark) == 0
        assert quoted[1:-1].replace(mark * 2, mark) == text


def test_what_takes_no_parameter_is_written_from_an_instant_and_a_duration_alone() -> None:
    seoul = datetime(2026, 11, 24, 21, 0, 5, 999_999, tzinfo=timezone(timedelta(hours=9)))

    assert instant_literal(seoul) == "timestamp '2026-11-24 12:00:05 UTC'"
    assert duration_literal(timedelta(days=7)) == "'604800s'"
    with pytest.raises(ValueError, match="no time zone"):
        instant_literal(datetime(2026, 11, 24))  # noqa: DTZ001


@pytest.mark.promise("P8")
@given(st.one_of(HOSTILE, st.text()).filter(lambda name: name not in TableNames.LAKE_TABLES))
def test_no_table_but_ours_is_maintained_or_dropped(name: str) -> None:
    t = TableNames(SETTINGS)

    for named in (
        t.stray_batch,
        t.lake,
        lambda table: t.metadata(("x", table), "files"),
        lambda table: t.evolving(("x", table)),
    ):
        with pytest.raises(ValueError, match="is no"):
            named(name)


@pytest.mark.parametrize(
    "name", ["batch_", "batch_0123456789abcdef01234567\n", "xbatch_0123456789abcdef01234567", "lines"]
)
def test_only_a_batch_s_whole_name_is_dropped(name: str) -> None:
    with pytest.raises(ValueError, match="is no batch table"):
        TableNames(SETTINGS).stray_batch(name)


def test_lake_tables_are_those_with_a_folder_and_have_a_name_each() -> None:
    t = TableNames(SETTINGS)

    assert {f"lake/{table}" for table in t.LAKE_TABLES} == {table for table in TABLES if table.startswith("lake/")}
    assert [t.lake(table) for table in t.LAKE_TABLES] == [getattr(t, table) for table in t.LAKE_TABLES]
    assert t.metadata(("clickstream", "events"), "files") == '"lake"."clickstream"."events$files"'


def test_every_column_of_events_is_created_unpacked_and_merged_by_its_quoted_name() -> None:
    names = [quote(column.name) for column in read_columns(SQL_DIR / "lake/events/columns.yaml").columns]

    created, unpacked, merged = (
        " ".join(render(file, SETTINGS, values() | {"table": lake_tables()["events"]}).text.split())
        for file in ("evolution/create_table.sql", "work/batch/load.sql", "lake/events/load.sql")
    )

    assert [name for name in names if f" {name} " not in created] == []
    left_out = "cast(null as map (varchar, varchar)) as left_out"
    assert f"rejected_line, discarded, {left_out}, {', '.join(names)} from unpacked_lines" in unpacked
    assert f"insert ( {', '.join(names)}, loaded_at, load_run_id )" in merged
    assert f"values ( {', '.join(f'source.{name}' for name in names)}, ?, ? )" in merged


@pytest.mark.parametrize("prefix", ["prod/", "it's/", "a''b/", "x!*()-/"])
def test_no_permitted_prefix_leaves_its_quotes(prefix: str) -> None:
    settings = Settings(
        staging_bucket="a", lake_bucket="b", crawler="c", archive_bucket="archive-bucket", archive_prefix=prefix
    )

    text = render("staging/archive_lines/create.sql", settings).text

    assert literal(f"s3://archive-bucket/{prefix}segment-logs/") in text
    assert without_quoted(text)
