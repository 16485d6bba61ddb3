"""What Athena is sent: every shipped statement translated or refused by name, and read by an outside parser."""

import logging
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from clickstream.athena.sql import LONGEST_BYTES, AthenaSqlError, inlined, sql_literal, translate, without_zones
from clickstream.engine.sql import Statement, render
from clickstream.engine.table_shape import TableColumn
from clickstream.engine.tables import read_table
from clickstream.load.archive import ArchivedObject
from clickstream.load.manifest import Manifest
from clickstream.settings import ATHENA_MAX_OBJECTS
from clickstream.staging.keys import StagedObject
from tests.clickstream.engine.test_sql import HOSTILE, wanted, without_quoted
from tools.sample_values import FILES, NOON, SETTINGS, values

FOLDER = Path(__file__).parent / "statements"
CASES = sorted(path.name.removesuffix(".trino.sql") for path in FOLDER.glob("*.trino.sql"))
DESCRIBED = read_table(Path(__file__).parents[1] / "engine" / "tables" / "every_kind")
VALUES = {
    "create_table_as": (NOON, "s3://b/staging/it's", "s3://b/?"),
    "merge": ("'; drop table x; -- ? /*", None),
}
ON_ATHENA = replace(
    SETTINGS,
    engine="athena",
    athena_workgroup="clickstream",
    athena_result_location="s3://results/",
    staging_catalog="awsdatacatalog",
    lake_catalog="awsdatacatalog",
    load_max_objects=ATHENA_MAX_OBJECTS,
)
# clickstream.aws.athena does these otherwise, or nobody asks them on Athena; each says why it is no statement there.
REFUSED = {
    "evolution/columns.sql": "system tables",
    "evolution/comment_column.sql": "comment of a column",
    "evolution/comment_table.sql": "comment of an Iceberg table",
    "evolution/show_lines.sql": "Glue has",
    "runtime/altering.sql": "system tables",
    "runtime/catalogs.sql": "system tables",
    "runtime/comments.sql": "system tables",
    "runtime/kill.sql": "system tables",
    "runtime/leftovers.sql": "system tables",
    "runtime/ours.sql": "system tables",
    "runtime/properties.sql": "no session properties",
    "runtime/running.sql": "system tables",
    "runtime/schemas.sql": "system tables",
    "runtime/server.sql": "system tables",
    "staging/archive_lines/create.sql": "made through Glue",
    "staging/lines/create.sql": "made through Glue",
}
TRANSLATED = [file for file in FILES if file not in REFUSED]
NAME_BYTES = 170


def location(schema: str, table: str) -> str:
    return f"s3://lake-bucket/{schema}/{table}-new/"


def texts(statement: Statement) -> list[str]:
    return [step.text for step in translate(statement, location)]


def bare_texts(statement: Statement) -> list[str]:
    """The texts without what is quoted, the digests of run ids masked."""
    return [re.sub(r"_[0-9a-f]{24}\b", "", without_quoted(text)) for text in texts(statement)]


def rendered(file: str, **more: Any) -> Statement:
    return render(file, ON_ATHENA, values() | more)


@pytest.mark.parametrize("case", CASES)
def test_each_kind_of_statement_is_translated_as_written_down(case: str) -> None:
    given_text = (FOLDER / f"{case}.trino.sql").read_text(encoding="utf-8").strip()
    rendered_with = {"table": DESCRIBED} if case == "create_table" else {}

    found = texts(Statement(given_text, VALUES.get(case, ()), f"{case}.sql", rendered_with))

    expected = (FOLDER / f"{case}.athena.sql").read_text(encoding="utf-8")
    assert "".join(f"{text};\n" for text in found) == expected


def test_a_table_is_made_on_trino_as_written_down() -> None:
    made = rendered("evolution/create_table.sql", table=DESCRIBED)

    assert f"{made.text}\n" == (FOLDER / "create_table.trino.sql").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", REFUSED)
def test_what_is_no_statement_of_athena_s_is_refused_with_its_file_and_why(file: str) -> None:
    with pytest.raises(AthenaSqlError, match=rf"^{re.escape(file)} does not run on Athena: .*{REFUSED[file]}"):
        translate(rendered(file), location)


@pytest.mark.parametrize("file", TRANSLATED)
def test_every_other_statement_is_one_that_an_outside_parser_reads(file: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "sqlglot")

    for text in texts(rendered(file)):
        (tree,) = sqlglot.parse(text, read="athena")
        # sqlglot does not know these two statements of Athena's.
        assert tree is not None
        assert not list(tree.find_all(exp.Command)) or text.startswith(("optimize ", "vacuum "))
        # https://docs.aws.amazon.com/athena/latest/ug/engine-versions-reference-0003.html, "Function parameter limit"
        assert all(len(call.expressions) <= 127 for call in tree.find_all(exp.Func))


@pytest.mark.parametrize("file", TRANSLATED)
def test_no_zone_and_no_unbound_value_is_left(file: str) -> None:
    for text in texts(rendered(file)):
        bare = without_quoted(text.replace("\\'", "''"))
        assert "with time zone" not in bare
        assert "?" not in bare
        assert not re.search(r"timestamp '[^']*[A-Z]", text)


@pytest.mark.parametrize("file", TRANSLATED)
def test_a_query_or_change_is_what_trino_runs_but_for_zones_and_values(file: str) -> None:
    statement = rendered(file)
    if not re.match(r"(select|with|merge|insert|update|delete)\b", without_quoted(statement.text).strip()):
        return

    (text,) = texts(statement)

    assert text == inlined(replace(statement, text=without_zones(statement.text)))
    assert without_quoted(text).split()[:3] == without_quoted(statement.text).split()[:3]


@pytest.mark.promise("P8")
@settings(max_examples=60)
@given(
    st.sampled_from([file for file in TRANSLATED if "create_table.sql" not in file]),
    HOSTILE,
    st.tuples(HOSTILE, HOSTILE),
)
def test_no_value_leaves_its_quotes(file: str, run_id: str, paths: tuple[str, str]) -> None:
    harmless, hostile = (bare_texts(render(file, ON_ATHENA, one)) for one in (values(), values(run_id, paths)))

    assert hostile == harmless


@pytest.mark.promise("P8")
@given(st.one_of(st.text(), HOSTILE))
def test_a_text_can_be_read_back(text: str) -> None:
    quoted = sql_literal(text)

    assert re.fullmatch(r"'(?:[^']|'')*'", quoted, re.DOTALL)
    assert quoted[1:-1].replace("''", "'") == text


@given(st.datetimes(timezones=st.timezones()).filter(lambda at: 2 < at.year < 9998))
def test_an_instant_is_its_time_in_utc(at: datetime) -> None:
    found = re.fullmatch(r"timestamp '(.*)'", sql_literal(at))

    assert found
    assert datetime.fromisoformat(found[1]).replace(tzinfo=UTC) == at.astimezone(UTC)


FINITE = {"allow_nan": False, "allow_infinity": False}


@given(st.floats(**FINITE), st.integers(), st.decimals(**FINITE))
def test_a_number_can_be_read_back(real: float, whole: int, exact: Decimal) -> None:
    assert float(sql_literal(real).removeprefix("double '").removesuffix("'")) == real
    assert int(sql_literal(whole)) == whole
    assert Decimal(sql_literal(exact).removeprefix("decimal '").removesuffix("'")) == exact


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "null"), (True, "true"), (False, "false"), (date(2026, 11, 24), "date '2026-11-24'"), ("", "''")],
)
def test_other_values(value: Any, expected: str) -> None:
    assert sql_literal(value) == expected


@pytest.mark.parametrize("value", [b"bytes", ["a"], datetime(2026, 11, 24), object()])  # noqa: DTZ001
def test_a_value_that_cannot_be_written_is_refused_with_the_file(value: Any) -> None:
    with pytest.raises(AthenaSqlError, match=r"^a/b\.sql does not run on Athena: .*(cannot be written|no time zone)"):
        translate(Statement("select ?", (value,), "a/b.sql"), location)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("truncate table x", "no translation"),
        ("explain select 1", "no translation"),
        ('create table if not exists "a"."b"."c" (d bigint)', "without a description"),
    ],
)
def test_anything_unknown_is_refused(text: str, reason: str) -> None:
    with pytest.raises(AthenaSqlError, match=reason):
        translate(Statement(text, (), "x.sql"), location)


def test_a_column_of_a_type_that_athena_s_tables_lack_is_refused() -> None:
    table = replace(DESCRIBED, columns=(TableColumn("d", "uuid", "e"),))

    with pytest.raises(AthenaSqlError, match=r"^evolution/create_table\.sql does not run on Athena: 'uuid'"):
        translate(rendered("evolution/create_table.sql", table=table), location)


def long_manifest(staged: int, archived: int) -> Manifest:
    folder = "source/1700000000000"
    addresses = [f"s3://{str(number).rjust(NAME_BYTES - 5, '0')}" for number in range(staged + archived)]
    objects = [StagedObject(address, 10**7, NOON) for address in addresses[:staged]]
    late = [ArchivedObject(address, 10**7, NOON, folder) for address in addresses[staged:]]
    return Manifest("run", (*objects, *late))


@pytest.mark.parametrize("file", [file for file in TRANSLATED if "manifest" in wanted(file)])
@pytest.mark.parametrize("archived", [0, ATHENA_MAX_OBJECTS])
def test_the_most_objects_that_settings_allow_fit_into_a_statement(file: str, archived: int) -> None:
    manifest = long_manifest(ATHENA_MAX_OBJECTS - archived, archived)

    assert max(len(text.encode()) for text in texts(rendered(file, manifest=manifest))) <= LONGEST_BYTES


def test_a_statement_that_is_too_long_is_refused_with_its_size_and_the_setting() -> None:
    told = r"^work/batch/load\.sql .*[23]\d\d,\d{3} bytes .*CLICKSTREAM_LOAD_MAX_OBJECTS"
    with pytest.raises(AthenaSqlError, match=told):
        translate(rendered("work/batch/load.sql", manifest=long_manifest(2 * ATHENA_MAX_OBJECTS, 0)), location)
