"""Calls to Athena and Glue, each checked by botocore against the services' own description."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from trino.exceptions import TrinoQueryError

from clickstream.athena.runner import (
    LONGEST_PAUSE,
    LONGEST_WAIT,
    AthenaQueryError,
    AthenaRunner,
)
from clickstream.athena.sql import AthenaSqlError, lines_table
from clickstream.athena.values import AthenaTypeError, read_value
from clickstream.engine.evolution import create_lines, present_shapes
from clickstream.engine.query import ATTEMPTS, CancelledError, Result
from clickstream.engine.sql import LINES, Statement, render
from clickstream.engine.table_shape import TableColumn
from tests.clickstream.athena.test_sql import ON_ATHENA

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEYS = {"region_name": "eu-central-1", "aws_access_key_id": "none", "aws_secret_access_key": "none"}


class Service:
    """A stubbed client; `sleeps` has every pause."""

    def __init__(self) -> None:
        self.athena, self.glue = boto3.client("athena", **KEYS), boto3.client("glue", **KEYS)
        self.calls, self.glue_calls = Stubber(self.athena), Stubber(self.glue)
        self.calls.activate()
        self.glue_calls.activate()
        self.sleeps: list[float] = []
        self.runner = AthenaRunner(self.athena, self.glue, ON_ATHENA, self.sleeps.append)

    def start(self, query_id: str = "q-1", text: Any = ANY) -> None:
        self.calls.add_response(
            "start_query_execution",
            {"QueryExecutionId": query_id},
            {
                "QueryString": text,
                "ClientRequestToken": ANY,
                "QueryExecutionContext": {"Catalog": "AwsDataCatalog"},
                "ResultConfiguration": {"OutputLocation": "s3://results/"},
                "WorkGroup": "clickstream",
            },
        )

    def state(self, state: str, reason: str = "", query_id: str = "q-1") -> None:
        status = {"State": state, **({"StateChangeReason": reason} if reason else {})}
        figures = {"TotalExecutionTimeInMillis": 1_500, "DataScannedInBytes": 2_048}
        self.calls.add_response(
            "get_query_execution",
            {"QueryExecution": {"QueryExecutionId": query_id, "Status": status, "Statistics": figures}},
            {"QueryExecutionId": query_id},
        )

    def results(self, columns: list[tuple[str, str]], *pages: list[list[str | None]]) -> None:
        info = [{"Name": name, "Type": kind} for name, kind in columns]
        for number, page in enumerate(pages):
            rows = [[name for name, _ in columns], *page] if number == 0 else page
            data = [{"Data": [{} if text is None else {"VarCharValue": text} for text in row]} for row in rows]
            answer: dict[str, Any] = {"ResultSet": {"Rows": data, "ResultSetMetadata": {"ColumnInfo": info}}}
            if number + 1 < len(pages):
                answer["NextToken"] = f"page-{number + 1}"
            token = {"NextToken": f"page-{number}"} if number else {}
            self.calls.add_response("get_query_results", answer, {"QueryExecutionId": "q-1", **token})


@pytest.fixture
def service() -> Iterator[Service]:
    one = Service()
    yield one
    one.calls.assert_no_pending_responses()
    one.glue_calls.assert_no_pending_responses()


def test_a_query_is_started_polled_with_growing_pauses_and_its_pages_are_read(service: Service) -> None:
    service.start(text="select 'it''s' as a, timestamp '2026-11-24 12:00:00.000000' as b")
    for state in ("QUEUED", "RUNNING", "RUNNING", "SUCCEEDED"):
        service.state(state)
    service.results([("a", "varchar"), ("b", "timestamp")], [["x", None]], [["", "2026-11-24 12:00:00.000001"]])

    result = service.runner.run(Statement("select ? as a, ? as b", ("it's", NOON)))

    assert result.rows == [{"a": "x", "b": None}, {"a": "", "b": NOON.replace(microsecond=1)}]
    assert result == Result(result.rows, "q-1", 1_500, None, 2_048)
    assert result.text() == "query q-1: 1.50 s, 2,048 bytes read"
    assert service.sleeps == sorted(set(service.sleeps))
    assert "eu-central-1" in service.runner.info_url
    assert service.runner.info_url.endswith("/history/q-1")


def test_a_change_has_no_rows_and_none_are_asked_for(service: Service) -> None:
    service.start()
    service.state("SUCCEEDED")

    assert service.runner.run(Statement("insert into a select 1")).rows == []


def test_the_steps_of_a_statement_run_in_order_and_their_cost_is_added(service: Service) -> None:
    service.start("q-1", "drop table if exists `clickstream_work`.`batch_1`")
    service.state("SUCCEEDED")
    service.start("q-2")
    service.state("SUCCEEDED", query_id="q-2")

    result = service.runner.run(Statement('create or replace table "a"."clickstream_work"."batch_1" as\nselect 1 as a'))

    assert result == Result([], "q-2", 3_000, None, 4_096)


def test_every_start_has_a_token_and_every_table_a_place_of_its_own(service: Service) -> None:
    sent = []
    service.athena.meta.events.register(
        "before-parameter-build.athena.StartQueryExecution", lambda params, **_: sent.append(dict(params))
    )
    for number in (1, 2):
        service.start(f"q-{number}")
        service.state("SUCCEEDED", query_id=f"q-{number}")
        service.runner.run(Statement('create table "a"."clickstream_work"."batch_1" as\nselect 1 as a'))

    assert len({call["ClientRequestToken"] for call in sent}) == 2
    assert len({call["QueryString"] for call in sent}) == 2
    assert all("s3://lake-bucket/clickstream_work/batch_1-" in call["QueryString"] for call in sent)


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.a.b' does not exist", "TABLE_NOT_FOUND"),
        ("[ErrorCategory:USER_ERROR] HIVE_BAD_DATA: Error reading s3://a/b", "HIVE_BAD_DATA"),
        ("Query exhausted resources at this scale factor", "ATHENA_ERROR"),
        ("", "ATHENA_ERROR"),
    ],
)
def test_a_failure_is_told_as_trino_s_client_tells_it(service: Service, reason: str, name: str) -> None:
    service.start()
    service.state("FAILED", reason)

    with pytest.raises(TrinoQueryError) as failure:
        service.runner.run(Statement("select 1"))

    assert failure.value.error_name == name
    assert (reason or "FAILED") in str(failure.value)
    assert failure.value.query_id == "q-1"


@pytest.mark.parametrize("name", ["ICEBERG_COMMIT_ERROR", "ICEBERG_VACUUM_MORE_RUNS_NEEDED"])
def test_a_commit_conflict_and_unfinished_upkeep_are_tried_again(service: Service, name: str) -> None:
    service.start()
    service.state("FAILED", f"{name}: Failed to commit")
    service.start("q-2")
    service.state("SUCCEEDED", query_id="q-2")

    assert service.runner.run(Statement("insert into a select 1")).query_id == "q-2"


def test_but_not_for_ever(service: Service) -> None:
    for number in range(ATTEMPTS):
        service.start(f"q-{number}")
        service.state("FAILED", "ICEBERG_COMMIT_ERROR: no", f"q-{number}")

    with pytest.raises(AthenaQueryError, match="ICEBERG_COMMIT_ERROR"):
        service.runner.run(Statement("insert into a select 1"))


def test_a_query_that_does_not_end_is_stopped(service: Service) -> None:
    service.start()
    pauses, total, pause = 0, 0.0, 0.2
    while total <= LONGEST_WAIT:
        pauses, total, pause = pauses + 1, total + pause, min(pause * 1.5, LONGEST_PAUSE)
    for _ in range(pauses + 1):
        service.state("RUNNING")
    service.calls.add_response("stop_query_execution", {}, {"QueryExecutionId": "q-1"})

    with pytest.raises(AthenaQueryError, match="not ended after 4 hours"):
        service.runner.run(Statement("select 1"))


def on_sleep(service: Service, act: Callable[[], None]) -> None:
    service.runner = AthenaRunner(service.athena, service.glue, ON_ATHENA, lambda _: act())


def test_a_kill_stops_the_running_query_and_what_would_follow(service: Service) -> None:
    on_sleep(service, lambda: service.runner.cancel())  # noqa: PLW0108 - another runner by then
    service.start()
    service.state("RUNNING")
    service.calls.add_response("stop_query_execution", {}, {"QueryExecutionId": "q-1"})
    service.state("CANCELLED", "Query cancelled by user")

    with pytest.raises(CancelledError):
        service.runner.run(Statement("select 1"))
    with pytest.raises(CancelledError):
        service.runner.run(Statement("select 1"))


def test_a_time_out_leaves_a_query_that_a_kill_finds(service: Service) -> None:
    def break_in() -> None:
        raise TimeoutError

    on_sleep(service, break_in)
    service.start()
    service.state("RUNNING")
    with pytest.raises(TimeoutError):
        service.runner.run(Statement("select 1"))

    service.calls.add_response("stop_query_execution", {}, {"QueryExecutionId": "q-1"})
    service.runner.cancel()


def test_a_query_that_somebody_else_cancelled_is_an_error(service: Service) -> None:
    service.start()
    service.state("CANCELLED")

    with pytest.raises(AthenaQueryError, match="CANCELLED"):
        service.runner.run(Statement("select 1"))


def test_what_athena_cannot_run_starts_nothing(service: Service) -> None:
    with pytest.raises(AthenaSqlError, match=r"runtime/server\.sql"):
        service.runner.run(render("runtime/server.sql", ON_ATHENA))


def test_the_tables_over_raw_lines_are_made_in_glue_where_they_are_missing(service: Service) -> None:
    statement = render("staging/archive_lines/create.sql", ON_ATHENA)
    database, table = lines_table(statement)
    assert (database, table["Name"]) == ("clickstream_lines", "archive_lines")
    assert [key["Name"] for key in table["PartitionKeys"]] == ["folder"]
    assert table["StorageDescriptor"]["Columns"] == [{"Name": "line", "Type": "string"}]
    assert table["StorageDescriptor"]["SerdeInfo"]["Parameters"]["field.delim"] == "\u00fe"
    expected = {"DatabaseName": database, "TableInput": table}
    service.glue_calls.add_response("create_table", {}, expected)
    service.glue_calls.add_client_error("create_table", "AlreadyExistsException", expected_params=expected)

    for _ in range(2):
        assert service.runner.run(statement).rows == []


@pytest.mark.parametrize("folder", ["staging", "staging-old"])
def test_a_table_over_another_folder_is_made_again(service: Service, folder: str) -> None:
    table = {"Name": "lines", "StorageDescriptor": {"Location": f"s3://staging-bucket/{folder}/"}}
    made = {"DatabaseName": "clickstream_lines", "TableInput": ANY}
    service.glue_calls.add_client_error("create_table", "AlreadyExistsException", expected_params=made)
    service.glue_calls.add_response(
        "get_table", {"Table": table}, {"DatabaseName": "clickstream_lines", "Name": "lines"}
    )
    if folder != "staging":
        service.start(text="drop table if exists `clickstream_lines`.`lines`")
        service.state("SUCCEEDED")
        service.glue_calls.add_response("create_table", {}, made)

    def run(path: str, **values: Any) -> Result:
        return service.runner.run(render(path, ON_ATHENA, values))

    assert create_lines(run, LINES, ON_ATHENA) == ([] if folder == "staging" else ["replace clickstream_lines.lines"])
    service.calls.assert_no_pending_responses()
    service.glue_calls.assert_no_pending_responses()


def test_columns_come_from_glue_without_those_that_were_dropped(service: Service) -> None:
    columns = [
        {"Name": "a", "Type": "string", "Comment": "One."},
        {"Name": "b", "Type": "array<struct<at:timestamp>>", "Parameters": {"iceberg.field.current": "true"}},
        {"Name": "gone", "Type": "bigint", "Parameters": {"iceberg.field.current": "false"}},
        {"Name": "foreign", "Type": "uniontype<int>"},
    ]
    table = {"Name": "events", "DatabaseName": "clickstream", "StorageDescriptor": {"Columns": columns}}
    service.glue_calls.add_response("get_tables", {"TableList": [table]}, {"DatabaseName": "clickstream"})

    def run(path: str, **values: Any) -> Result:
        return service.runner.run(render(path, ON_ATHENA, values))

    assert present_shapes(run, ON_ATHENA, ["clickstream"]) == {
        ("clickstream", "events"): [
            TableColumn("a", "varchar", has_fixed_comment=True),
            TableColumn("b", "array(row(at timestamp(6) with time zone))", has_fixed_comment=True),
            TableColumn("foreign", "uniontype<int>", has_fixed_comment=True),
        ]
    }


def test_names_and_comments_come_from_glue(service: Service) -> None:
    tables = [
        {"Name": "a", "DatabaseName": "x", "Parameters": {"comment": "An a."}},
        {"Name": "b", "DatabaseName": "x", "Description": "A b."},
        {"Name": "c", "DatabaseName": "x"},
    ]
    service.glue_calls.add_response("get_tables", {"TableList": tables}, {"DatabaseName": "x"})

    rows = service.runner.run(render("runtime/comments.sql", ON_ATHENA, {"catalog": "c", "schemas": ["x"]})).rows

    assert [tuple(row.values()) for row in rows] == [("x", "a", "An a."), ("x", "b", "A b."), ("x", "c", None)]


def test_what_an_earlier_try_left_running_is_found_by_its_tag_and_ended(service: Service) -> None:
    states = {"q-1": "RUNNING", "q-2": "SUCCEEDED", "q-3": "QUEUED", "q-4": "RUNNING"}
    service.calls.add_response(
        "list_query_executions",
        {"QueryExecutionIds": list(states)},
        {"WorkGroup": "clickstream", "MaxResults": 50},
    )
    service.calls.add_response(
        "batch_get_query_execution",
        {
            "QueryExecutions": [
                {
                    "QueryExecutionId": name,
                    "Status": {"State": state},
                    "Query": f"/* clickstream {'bb' if name == 'q-4' else 'aa'} */\nselect 1",
                }
                for name, state in states.items()
            ]
        },
        {"QueryExecutionIds": list(states)},
    )
    pattern = {"leftovers": "%/* clickstream aa */%"}

    left = service.runner.run(render("runtime/leftovers.sql", ON_ATHENA, pattern)).rows

    assert left == [{"query_id": "q-1"}, {"query_id": "q-3"}]
    service.calls.add_response("stop_query_execution", {}, {"QueryExecutionId": "q-1"})
    service.runner.run(render("runtime/kill.sql", ON_ATHENA, left[0]))


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("varchar", "NULL", "NULL"),
        ("varchar(5)", "", ""),
        ("bigint", "-9223372036854775808", -(2**63)),
        ("integer", "0", 0),
        ("double", "1.0E-5", 1e-5),
        ("double", "Infinity", float("inf")),
        ("decimal(18,2)", "1.10", Decimal("1.10")),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("date", "2026-11-24", date(2026, 11, 24)),
        ("timestamp", "2026-11-24 12:00:00", NOON),
        ("timestamp", "2026-11-24 12:00:00.000", NOON),
        ("timestamp with time zone", "2026-11-24 12:00:00.000000 UTC", NOON),
        ("array", None, None),
    ],
)
def test_a_value_of_a_result(kind: str, text: str | None, expected: Any) -> None:
    assert read_value("a", kind, text) == expected


@pytest.mark.parametrize("kind", ["array", "map", "row", "varbinary", "interval day to second"])
def test_a_column_whose_text_cannot_be_read_back_is_an_error(kind: str) -> None:
    with pytest.raises(AthenaTypeError, match=f"column a is of type {kind}"):
        read_value("a", kind, "[x, y]")
