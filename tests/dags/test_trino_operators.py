"""Statements as tasks: what they send, what they need, and what a kill does."""

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, AirflowTaskTimeout
from tenacity import wait_none
from trino.exceptions import TrinoQueryError

from clickstream.engine.spent import Spent
from clickstream.load import manifest
from clickstream.load.archive import ArchivedObject
from clickstream.load.manifest import Manifest
from clickstream.load.unpack import TooManySetAsideError
from clickstream.operators.base import TrinoStatementOperator
from clickstream.staging.keys import StagedObject
from clickstream.window import Bounds
from tests.clickstream.fake_trino import FakeCursor, FakeTrino, Rows, cancelled, query_error
from tests.clickstream.memory_aws import MemoryGlue, MemoryS3
from tests.dags.conftest import HOUR, context

pytestmark = pytest.mark.usefixtures("aws")
ConnectTrino = Callable[..., FakeTrino]
RUN = "manual__'; drop table x; --"
EARLIEST, LATEST = HOUR - timedelta(days=30), HOUR + timedelta(days=30)
NO_LINES = {"the lines of some objects are": [[{"low": None, "high": None}]]}
PATHS = [
    "s3://staging-bucket/staging/20261124T110000000Z-a.gz",
    "s3://staging-bucket/staging/20261124T110000001Z-it's.gz",
]
COUNTS = {"objects_read": len(PATHS), "rejected": 1, "discarding": 1}
UNPACKED = {"as earliest": [[{"earliest": HOUR, "latest": HOUR, **COUNTS}]]}
DELAYS = {"rows_by_delay": '{"up to 1 hour": 7}'}
BROKEN = {"violations_by_event": '{"email_sent": {"messages": 3, "violating": 1}}'}
REPORTED = {"rows_by_delay\nfrom": [[DELAYS]], "as violations_by_event\nfrom": [[BROKEN]]}
# $1 a run and $0.1 a byte.
RATES = {"as average_bytes\nfrom": [[{"a_run": 1.0, "a_byte": 0.1, "average_dollars": 3.0, "average_bytes": 20.0}]]}
REPORTED |= RATES
REPORT: dict[str, Any] = {
    "objects": 2, "bytes": 30, "rows_read": 10, "rows_loaded": 7, "rows_duplicate": 2, "rows_rejected": 1,
    "rejected_by_reason": '{"blank": 1}', "first_received_at": HOUR, "last_received_at": HOUR,
}  # fmt: skip


def shown(location: str) -> dict[str, Any]:
    """Trino's answer to where the table over raw lines is."""
    text = (
        f"CREATE TABLE x (\n   line varchar\n)\nWITH (\n   external_location = '{location}',\n   format = 'TEXTFILE'\n)"
    )
    return {"show create table": [[{"Create Table": text}]]}


LINES = shown("s3://staging-bucket/staging/")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clickstream.engine.query.wait_random_exponential", lambda **_: wait_none())


def keep(s3: MemoryS3, taken: Manifest) -> None:
    s3.buckets["lake-bucket"][manifest.key(RUN)] = taken.to_json().encode()


def kept(s3: MemoryS3) -> Manifest:
    return manifest.from_json(s3.buckets["lake-bucket"][manifest.key(RUN)].decode())


@pytest.fixture
def listed(s3: MemoryS3) -> None:
    """The run has its list of objects, and their messages in its batch."""
    objects = tuple(StagedObject(path, 10 * number, HOUR) for number, path in enumerate(PATHS, start=1))
    keep(s3, Manifest(RUN, objects, batch=Bounds(HOUR, HOUR)))
    s3.buckets["staging-bucket"] = {path.removeprefix("s3://staging-bucket/"): b"x" for path in PATHS}


def execute(operator: TrinoStatementOperator, run_id: str = RUN, kind: str = "manual") -> Any:
    given = context(operator, kind, run_id)
    operator.render_template_fields(given)
    return operator.execute(given)


def run(task, task_id: str, dag_id: str = "load_events", run_id: str = RUN) -> Any:
    return execute(task(dag_id, task_id), run_id)


def test_tables_are_created_one_statement_each(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino(LINES)

    run(task, "create_tables")

    first, shown_lines, *created, columns, comments = trino.executed
    heads = [text.partition("create table if not exists ")[2].partition(" (")[0] for text, _ in (first, *created)]
    assert heads == [
        '"staging"."clickstream_lines"."lines"',
        '"lake"."clickstream"."alarms"',
        '"lake"."clickstream"."discards"',
        '"lake"."clickstream"."erasures"',
        '"lake"."clickstream"."events"',
        '"lake"."clickstream"."load_ledger"',
        '"lake"."clickstream"."load_runs"',
        '"lake"."clickstream"."quarantine"',
        '"lake"."clickstream"."rejects"',
        '"lake"."clickstream"."schema_changes"',
        '"lake"."clickstream"."suppressions"',
        '"lake"."clickstream"."violations"',
    ]
    assert [parameters for _, parameters in (first, *created)] == [None] * 12
    assert 'show create table "staging"."clickstream_lines"."lines"' in shown_lines[0]
    assert "from system.jdbc.columns" in columns[0]
    assert "from system.metadata.table_comments" in comments[0]
    assert columns[1] == comments[1] == ["lake", "clickstream"]


def test_a_table_over_another_folder_than_the_settings_say_is_made_anew(
    task, connect_trino: ConnectTrino, caplog: pytest.LogCaptureFixture
) -> None:
    trino = connect_trino(shown("s3://staging-bucket/before/"))

    assert run(task, "create_tables") == ["replace clickstream_lines.lines"]

    drop, create = [text for text, _ in trino.executed if '"lines"' in text][2:]
    assert 'drop table if exists "staging"."clickstream_lines"."lines"' in drop
    assert "external_location = 's3://staging-bucket/staging/'" in create
    assert "over another folder than s3://staging-bucket/staging/" in caplog.text


def test_a_table_that_another_dag_alters_is_made_and_left_as_it_is(task, connect_trino: ConnectTrino) -> None:
    column = {"column_name": "of_old", "data_type": "varchar", "column_comment": ""}
    there = [{"table_schema": "clickstream", "table_name": name, **column} for name in ("events", "plan_diff")]
    trino = connect_trino({"from system.jdbc.columns": [there]})

    with pytest.raises(AirflowFailException) as refused:
        run(task, "create_tables", dag_id="compare_plan")

    assert '"lake"."clickstream"."events"' in trino.executed[0][0]
    assert "plan_diff: column of_old" in str(refused.value)
    assert "clickstream.events" not in str(refused.value)


@pytest.mark.usefixtures("listed")
def test_unpack_reads_the_run_s_objects_and_no_other(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino(UNPACKED)

    run(task, "unpack")

    (text, parameters), _ = trino.executed
    assert parameters == PATHS
    assert '"$path" in (?, ?)' in text
    assert "it's" not in text


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize("at", [HOUR, None])
def test_unpack_keeps_when_the_messages_of_its_batch_were_received(
    task, s3: MemoryS3, connect_trino: ConnectTrino, at: datetime | None
) -> None:
    keep(s3, replace(kept(s3), batch=None))
    connect_trino({"as earliest": [[{"earliest": at, "latest": at, **COUNTS}]]})

    run(task, "unpack")

    assert kept(s3).batch == Bounds(at, at)
    assert kept(s3).paths == PATHS


@pytest.mark.scenario("X14")
@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize("error", [None, "HIVE_CANNOT_OPEN_SPLIT"])
def test_what_expires_while_it_is_read_is_read_anew_without_it(
    task, s3: MemoryS3, connect_trino: ConnectTrino, error: str | None
) -> None:
    def expires(_: FakeCursor) -> Rows:
        s3.buckets["staging-bucket"].pop(PATHS[0].removeprefix("s3://staging-bucket/"), None)
        if error:
            raise query_error(error)
        return []

    answers = {"create or replace table": [expires, []], "load_ledger": [[{"source_path": PATHS[0], "is_kept": True}]]}
    trino = connect_trino(UNPACKED | answers)

    assert run(task, "unpack") == []

    (_, first), _, (_, second), _ = trino.executed
    assert (first, second) == (PATHS, PATHS[1:])
    assert kept(s3).paths == PATHS[1:]


@pytest.mark.scenario("X14")
@pytest.mark.promise("P1")
@pytest.mark.usefixtures("listed")
def test_what_is_gone_and_was_never_loaded_stays_on_the_list(task, s3: MemoryS3, connect_trino: ConnectTrino) -> None:
    """Its lines are nowhere: the report must not add up."""
    s3.buckets["staging-bucket"].clear()
    trino = connect_trino(UNPACKED)

    run(task, "unpack")

    assert len(trino.executed) == 3
    assert kept(s3).paths == PATHS


@pytest.mark.usefixtures("listed")
def test_load_binds_what_its_batch_can_touch(task, connect_trino: ConnectTrino) -> None:
    before = datetime.now(UTC)
    trino = connect_trino()

    run(task, "load_events")

    ((text, parameters),) = trino.executed
    assert "merge into" in text
    assert parameters[:4] == [HOUR, HOUR, EARLIEST, LATEST]
    assert before <= parameters[4] <= datetime.now(UTC)
    assert parameters[5:] == [RUN]


@pytest.mark.usefixtures("listed")
def test_the_look_back_is_a_setting(task, connect_trino: ConnectTrino, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKSTREAM_DEDUPE_LOOKBACK_DAYS", "7")
    trino = connect_trino()

    run(task, "load_events")

    assert trino.executed[0][1][2:4] == [HOUR - timedelta(days=7), HOUR + timedelta(days=7)]


@pytest.mark.usefixtures("listed")
def test_a_batch_without_events_has_no_bounds_and_loads(task, s3: MemoryS3, connect_trino: ConnectTrino) -> None:
    keep(s3, replace(kept(s3), batch=Bounds(None, None)))
    trino = connect_trino()

    run(task, "load_events")

    assert trino.executed[0][1][:4] == [None] * 4


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize("task_id", ["load_events", "load_discards", "write_ledger", "load_typed_events", "report"])
def test_before_its_batch_is_there_a_task_fails_for_good_and_sends_nothing(
    task, s3: MemoryS3, connect_trino: ConnectTrino, task_id: str
) -> None:
    keep(s3, replace(kept(s3), batch=None))
    trino = connect_trino()

    with pytest.raises(AirflowFailException, match="has no batch: clear it from unpack on"):
        run(task, task_id)

    assert trino.executed == []


@pytest.fixture
def dry(s3: MemoryS3) -> None:
    """The run is a dry run of one object of the archive."""
    item = ArchivedObject("s3://archive-bucket/segment-logs/web/1795478400000/a.gz", 7, HOUR, "web/1795478400000")
    keep(s3, Manifest(RUN, (item,), dry_run=True, batch=Bounds(HOUR, HOUR)))


@pytest.mark.usefixtures("dry")
@pytest.mark.parametrize("task_id", ["load_events", "write_ledger"])
def test_a_dry_run_writes_nothing(task, connect_trino: ConnectTrino, task_id: str) -> None:
    trino = connect_trino()

    with pytest.raises(AirflowSkipException, match="dry run"):
        run(task, task_id)

    assert trino.executed == []


@pytest.mark.usefixtures("dry")
def test_a_dry_run_tells_what_the_load_would_do(task, connect_trino: ConnectTrino) -> None:
    counts = {"rows_read": 10, "rows_rejected": 1, "rows_new": 6, "rows_changed": 2, "people": 4, "partition_hours": 1}
    row = {
        **counts,
        "first_received_at": HOUR,
        "last_received_at": None,
        "tracked": '["order_completed", "undeclared"]',
    }
    connect_trino({"as rows_new": [[row]], "as sessions": [[{"sessions": 3}]], **RATES})

    preview = run(task, "preview")

    assert {name: preview[name] for name in ("objects", "bytes", "rows_read", "rows_loaded", "rows_duplicate")} == {
        "objects": 1, "bytes": 7, "rows_read": 10, "rows_loaded": 6, "rows_duplicate": 3,
    }  # fmt: skip
    assert (preview["rows_rejected"], preview["rows_updated"]) == (1, 2)
    assert preview["first_received_at"] == "2026-11-24T11:00:00+00:00"
    assert (preview["tables"], preview["sessions_touched"]) == (["order_completed"], 3)
    assert preview["forecast_dollars"] == pytest.approx(1 + 0.1 * 7)


@pytest.mark.usefixtures("dry")
def test_where_there_are_no_sessions_yet_none_are_touched(task, connect_trino: ConnectTrino) -> None:
    row = dict.fromkeys(("rows_read", "rows_rejected", "rows_new", "rows_changed", "people", "partition_hours"), 0)
    row |= {"first_received_at": None, "last_received_at": None, "tracked": "[]"}
    missing = [query_error("TABLE_NOT_FOUND")]
    connect_trino({"as rows_new": [[row]], "as sessions": missing, "as average_bytes": missing})

    preview = run(task, "preview")

    assert (preview["sessions_touched"], preview["forecast_dollars"]) == (0, None)


@pytest.mark.usefixtures("listed")
def test_any_other_run_has_no_preview(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino()

    with pytest.raises(AirflowSkipException, match="no dry run"):
        run(task, "preview")

    assert trino.executed == []


@pytest.mark.usefixtures("dry")
def test_folders_of_the_archive_are_partitions_before_they_are_read(
    task, glue: MemoryGlue, connect_trino: ConnectTrino, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKSTREAM_ARCHIVE_BUCKET", "archive-bucket")
    glue.tables["archive_lines"] = {"Name": "archive_lines", "StorageDescriptor": {"Location": "s3://x/"}}
    trino = connect_trino(UNPACKED | shown("s3://archive-bucket/segment-logs"))

    run(task, "unpack")

    (create, _), _, (unpack, parameters), _ = trino.executed
    assert "create table if not exists" in create
    assert '"archive_lines"' in unpack
    assert '"lines"' not in unpack
    assert parameters[:2] == ["web/1795478400000", "s3://archive-bucket/segment-logs/web/1795478400000/a.gz"]
    assert glue.partitions["archive_lines"] == {
        "web/1795478400000": "s3://archive-bucket/segment-logs/web/1795478400000/"
    }


@pytest.mark.usefixtures("listed")
def test_the_ledger_is_written_for_each_object_with_its_size(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino()

    run(task, "write_ledger")

    listed = json.loads(trino.executed[0][1][0])
    assert [(path, size) for path, size, _ in listed] == list(zip(PATHS, (10, 20), strict=True))


@pytest.mark.parametrize("task_id", ["unpack", "load_events", "load_rejects", "write_ledger", "drop_batch"])
@pytest.mark.usefixtures("listed")
def test_every_task_of_a_run_uses_the_one_batch_table(task, connect_trino: ConnectTrino, task_id: str) -> None:
    trino = connect_trino(UNPACKED)
    run(task, task_id)
    run(task, "drop_batch")
    table = trino.executed[-1][0].split()[-1]

    assert '"clickstream_work"."batch_' in table
    assert [text for text, _ in trino.executed if table not in text] == []
    assert [text for text, _ in trino.executed if "drop table x" in text] == []


@pytest.mark.parametrize("task_id", ["unpack", "write_ledger"])
def test_without_its_list_a_task_fails_for_good_and_sends_nothing(
    task, connect_trino: ConnectTrino, task_id: str
) -> None:
    trino = connect_trino()

    with pytest.raises(AirflowFailException, match="has no manifest: clear the whole run"):
        run(task, task_id)

    assert trino.executed == []


def test_a_failed_statement_fails_the_task_and_ends_it(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino(LINES | {'"events" (': [query_error("ICEBERG_FILESYSTEM_ERROR")]})

    with pytest.raises(Exception, match="ICEBERG_FILESYSTEM_ERROR"):
        run(task, "create_tables")

    assert ['"events" (' in text for text, _ in trino.executed] == [*[False] * 5, True]


@pytest.mark.usefixtures("listed")
def test_a_commit_conflict_is_tried_again_with_the_same_values(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino({"merge into": [query_error("ICEBERG_COMMIT_ERROR"), []]})

    run(task, "load_rejects")

    first, second = trino.executed
    assert first == second


@pytest.mark.usefixtures("listed")
def test_results_are_not_kept_as_values(task, connect_trino: ConnectTrino) -> None:
    connect_trino({"merge into": [[{"rows": 3}]]})

    assert run(task, "load_rejects") is None


@pytest.mark.usefixtures("listed")
def test_a_kill_before_anything_runs_does_nothing(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino()
    operator = task("load_events", "load_rejects")

    operator.on_kill()
    execute(operator)
    operator.on_kill()

    assert [cursor.is_cancelled for cursor in trino.cursors] == [False]


@pytest.mark.scenario("X2")
@pytest.mark.promise("P6")
def test_a_kill_cancels_the_running_query_and_no_other_follows(task, connect_trino: ConnectTrino) -> None:
    """The task runner's signal handler calls on_kill in the midst of the statement, which then ends as cancelled."""
    operator = task("load_events", "create_tables")

    def killed(cursor: FakeCursor) -> Rows:
        operator.on_kill()
        assert cursor.is_cancelled
        raise cancelled()

    trino = connect_trino(LINES | {'"alarms" (': [killed]})

    with pytest.raises(Exception, match="USER_CANCELED"):
        execute(operator)
    assert len(trino.executed) == 3


def test_a_kill_that_comes_too_late_for_one_statement_lets_no_other_follow(task, connect_trino: ConnectTrino) -> None:
    """on_kill alone does not end a task: what it does not stop runs on until SIGKILL, a minute later."""
    operator = task("load_events", "create_tables")

    def killed_at_its_end(_: FakeCursor) -> Rows:
        operator.on_kill()
        return []

    trino = connect_trino({"events": [killed_at_its_end]})

    with pytest.raises(Exception, match=r"."):
        execute(operator)
    assert len(trino.executed) == 2


@pytest.mark.scenario("X2")
@pytest.mark.usefixtures("listed")
def test_a_time_out_cancels_the_running_query(task, connect_trino: ConnectTrino) -> None:
    """As the task runner does it: the time-out is raised inside the statement, on_kill is called after it."""
    from airflow.sdk.execution_time.timeout import timeout

    def runs_on(_: FakeCursor) -> Rows:
        signal.raise_signal(signal.SIGALRM)  # the time is over, here and now
        pytest.fail("never timed out")

    trino = connect_trino({"merge into": [runs_on]})
    operator = task("load_events", "load_rejects")

    try:
        with timeout(600):
            execute(operator)
    except AirflowTaskTimeout:
        operator.on_kill()

    assert [cursor.is_cancelled for cursor in trino.cursors] == [True]


@pytest.mark.usefixtures("listed")
def test_a_run_that_adds_up_gives_its_report_and_stores_it(
    task, connect_trino: ConnectTrino, xcoms: dict[str, Any]
) -> None:
    trino = connect_trino({**REPORTED, "objects_unread,": [[REPORT]]})
    xcoms["unpack spent"] = Spent(20, 3600.0, tries=2).to_dict()
    xcoms["load_typed_events spent"] = Spent(3, 1.0, tries=1).to_dict()
    xcoms["check spent"] = Spent(queries=99).to_dict()  # after the report

    report = run(task, "report")

    assert json.loads(json.dumps(report)) == report
    assert report["rows_loaded"] == 7
    assert report["run_id"] == RUN
    assert report["rows_by_delay"] == {"up to 1 hour": 7}
    text, parameters = trino.executed[-1]
    assert 'merge into "lake"."clickstream"."load_runs"' in text
    assert parameters[0] == RUN
    assert '{"up to 1 hour": 7}' in parameters
    assert report["violations_by_event"] == {"email_sent": {"messages": 3, "violating": 1}}
    assert BROKEN["violations_by_event"] in parameters
    assert report["spent"] == Spent(23, 3601.0, tries=3).to_dict()
    # A core of an m7g.4xlarge, one of 16, for an hour: include/prices.yaml.
    assert report["dollars"] == pytest.approx(0.6528 / 16, rel=1e-3)
    assert report["dollars"] in parameters
    assert report["forecast_dollars"] == pytest.approx(1 + 0.1 * 30)  # a manual run


@pytest.mark.usefixtures("listed")
def test_a_scheduled_run_forecasts_nothing_afterwards(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino({**REPORTED, "objects_unread,": [[REPORT]]})

    report = execute(task("load_events", "report"), kind="scheduled")

    assert report["forecast_dollars"] is None
    assert not any("regr_slope" in text for text, _ in trino.executed)


@pytest.mark.scenario("X1")
@pytest.mark.promise("P6")
@pytest.mark.usefixtures("listed")
def test_a_retry_ends_what_the_try_before_it_left_running(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino({"runtime.queries": [[{"query_id": "20261124_000000_00009_left"}]]})
    operator = task("load_events", "load_rejects")
    given = context(operator, "manual", RUN)
    given["ti"].try_number = 2

    operator.execute(given)

    (asked, (pattern,)), (kill, (query_id,)), (merge, _) = trino.executed
    assert "system.runtime.queries" in asked
    assert "system.runtime.kill_query" in kill
    assert query_id == "20261124_000000_00009_left"
    assert pattern.strip("%") in merge
    assert "drop table x" not in merge


@pytest.mark.usefixtures("listed")
@pytest.mark.promise("P1")
@pytest.mark.parametrize(
    ("column", "value"), [("rows_read", 11), ("rows_read", 9), ("rows_loaded", 6), ("rows_rejected", 0)]
)
def test_a_run_that_does_not_add_up_fails_for_good_with_its_report(
    task, connect_trino: ConnectTrino, column: str, value: int
) -> None:
    connect_trino({**REPORTED, "objects_unread,": [[{**REPORT, column: value}]]})

    with pytest.raises(AirflowFailException, match="DOES NOT ADD UP") as failure:
        run(task, "report")

    assert f"rows read   {(REPORT | {column: value})['rows_read']}" in str(failure.value)


def test_expiry_makes_the_tables_it_reads(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino()

    run(task, "create_ledger", "expire_staging")

    heads = [text.partition("create table if not exists ")[2].partition(" (")[0] for text, _ in trino.executed]
    assert heads == ['"lake"."clickstream"."load_ledger"', '"lake"."clickstream"."quarantine"']


class Engine:
    """A Trino whose batch statement fails for what it reads: `fails` says whether it does, of the paths it names."""

    def __init__(self, fails: Callable[[list[str]], bool], error: str, kind: str) -> None:
        self.fails, self.error, self.kind = fails, error, kind
        self.parameters: list[Any] = []

    def __call__(self, _: FakeCursor) -> Rows:
        paths = [value for value in self.parameters if isinstance(value, str) and value.startswith("s3://")]
        if self.fails(paths):
            message = {"errorName": self.error, "errorType": self.kind, "message": f"{self.error}: a value"}
            raise TrinoQueryError(message, "20261124_000000_00000_test")
        return []


@pytest.fixture
def many(s3: MemoryS3) -> list[str]:
    """The run has a thousand objects."""
    paths = [f"s3://staging-bucket/staging/20261124T110000{number:03}Z-a.json" for number in range(1000)]
    keep(s3, Manifest(RUN, tuple(StagedObject(path, 10, HOUR) for path in paths)))
    s3.buckets["staging-bucket"] = {path.removeprefix("s3://staging-bucket/"): b"{}" for path in paths}
    return paths


def fail_with(
    connect_trino: ConnectTrino, fails: Callable[[list[str]], bool], error: str, kind: str = "USER_ERROR"
) -> FakeTrino:
    engine = Engine(fails, error, kind)
    trino = connect_trino(UNPACKED | NO_LINES | {"create or replace table": [engine], "as characters": [engine]})
    answer_to = trino.answer_to

    def keeping_parameters(operation: str) -> Any:
        engine.parameters = trino.executed[-1][1] or []
        return answer_to(operation)

    trino.answer_to = keeping_parameters  # type: ignore[method-assign]
    return trino


@pytest.mark.scenario("X38")
@pytest.mark.promise("P9")
@pytest.mark.parametrize("bad", [{0}, {999}, {500}, {0, 999}, {3, 4, 700}])
def test_an_object_with_which_the_batch_fails_is_set_aside_and_the_others_load(
    task, s3: MemoryS3, connect_trino: ConnectTrino, many: list[str], bad: set[int]
) -> None:
    wrong = {many[number] for number in bad}
    trino = fail_with(connect_trino, lambda paths: bool(wrong & set(paths)), "INVALID_FUNCTION_ARGUMENT")

    assert set(run(task, "unpack")) == wrong

    assert set(kept(s3).paths) == set(many) - wrong
    reasons = [parameters for text, parameters in trino.executed if "quarantine" in text]
    assert len(reasons) == len(wrong)
    assert all("INVALID_FUNCTION_ARGUMENT (query " in str(parameters) for parameters in reasons)
    assert "a value" not in str(reasons)
    assert len(trino.executed) < 20 * (len(wrong) + 1)


@pytest.mark.scenario("X38")
@pytest.mark.promise("P4")
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("SYNTAX_ERROR", "USER_ERROR"),
        ("GENERIC_INTERNAL_ERROR", "INTERNAL_ERROR"),
        ("PERMISSION_DENIED", "USER_ERROR"),
        ("HIVE_FILESYSTEM_ERROR", "EXTERNAL"),
        ("HIVE_CANNOT_OPEN_SPLIT", "EXTERNAL"),
        ("EXCEEDED_LOCAL_MEMORY_LIMIT", "INSUFFICIENT_RESOURCES"),
    ],
)
@pytest.mark.parametrize("count", [1, 2, 1000])
def test_an_outage_sets_nothing_aside(
    task, s3: MemoryS3, connect_trino: ConnectTrino, many: list[str], error: str, kind: str, count: int
) -> None:
    """The statement fails whatever it reads, or Trino may not read at all."""
    keep(s3, kept(s3).only(lambda item: item.path in many[:count]))
    fail_with(connect_trino, lambda _: True, error, kind)

    with pytest.raises(TrinoQueryError, match="a value"):
        run(task, "unpack")

    assert kept(s3).paths == many[:count]
    assert not [key for key in s3.buckets["lake-bucket"] if key.startswith("quarantine/")]


@pytest.mark.scenario("X38")
@pytest.mark.promise("P4")
def test_after_a_few_objects_somebody_has_to_look(
    task, s3: MemoryS3, connect_trino: ConnectTrino, many: list[str]
) -> None:
    wrong = set(many[:25])
    fail_with(connect_trino, lambda paths: bool(wrong & set(paths)), "INVALID_FUNCTION_ARGUMENT")

    left = []
    for _ in range(2):
        with pytest.raises(TooManySetAsideError, match="10 objects were set aside"):
            run(task, "unpack")
        left.append(len(kept(s3).paths))
    run(task, "unpack")

    assert [*left, len(kept(s3).paths)] == [990, 980, 975]


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize("table", ["rejects", "discards"])
def test_nothing_is_sent_for_a_table_for_which_the_batch_has_nothing(
    task, s3: MemoryS3, connect_trino: ConnectTrino, table: str
) -> None:
    trino = connect_trino({})
    keep(s3, replace(kept(s3), idle=(table,)))

    run(task, f"load_{table}")

    assert trino.executed == []


@pytest.mark.parametrize(
    ("rejected", "discarding", "idle"), [(0, 0, ("rejects", "discards")), (1, 0, ("discards",)), (0, 2, ("rejects",))]
)
@pytest.mark.usefixtures("listed")
def test_unpack_keeps_for_which_tables_the_batch_has_nothing(
    task, s3: MemoryS3, connect_trino: ConnectTrino, rejected: int, discarding: int, idle: tuple[str, ...]
) -> None:
    (row,) = UNPACKED["as earliest"][0]
    connect_trino({"as earliest": [[{**row, "rejected": rejected, "discarding": discarding}]]})

    run(task, "unpack")

    assert kept(s3).idle == idle
