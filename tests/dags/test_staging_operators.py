"""What a run takes and what expires, over an S3 in memory and a Trino that answers from a list."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from clickstream.load import manifest
from clickstream.settings import Settings, SettingsError
from clickstream.window import Window
from tests.clickstream.fake_trino import FakeCursor, FakeTrino, Rows, cancelled, query_error
from tests.clickstream.memory_aws import MemoryS3
from tests.clickstream.staged_objects import staged_object
from tests.dags.conftest import HOUR, context

pytestmark = pytest.mark.usefixtures("aws")
MINUTE = timedelta(minutes=1)
ConnectTrino = Callable[..., FakeTrino]


def stage(s3: MemoryS3, instant: datetime, name: str) -> str:
    """Puts an object into the staging folder; gives its path."""
    key = "staging/" + staged_object(name, instant).path.rpartition("/")[2]
    s3.buckets["staging-bucket"][key] = b"12345"
    return f"s3://staging-bucket/{key}"


def loaded(*paths: str) -> dict[str, list[list[dict[str, str]]]]:
    return {"load_ledger": [[{"source_path": path, "is_kept": True} for path in paths]]}


def kept(s3: MemoryS3, run_id: str) -> manifest.Manifest:
    return manifest.from_json(s3.buckets["lake-bucket"][manifest.key(run_id)].decode())


def take(task, kind: str, run_id: str = "run-1") -> str:
    operator = task("load_events", "take_manifest")
    return operator.execute(context(operator, kind, run_id))


@pytest.mark.parametrize("kind", ["scheduled", "manual"])
def test_a_run_takes_all_that_is_staged_and_not_loaded(
    task, s3: MemoryS3, connect_trino: ConnectTrino, kind: str
) -> None:
    old, done, new = (
        stage(s3, HOUR + hours * timedelta(hours=1), name) for hours, name in [(-50, "a"), (-2, "b"), (3, "c")]
    )
    trino = connect_trino(loaded(done))

    address = take(task, kind)

    assert kept(s3, "run-1").paths == [old, new]
    assert kept(s3, "run-1").bytes == [5, 5]
    assert address == f"s3://lake-bucket/{manifest.key('run-1')}"
    ((_, parameters),) = trino.executed
    assert parameters == [HOUR - timedelta(hours=50)]


def test_the_ledger_is_asked_from_the_oldest_staged_object_on(task, s3: MemoryS3, connect_trino: ConnectTrino) -> None:
    instant = datetime(2026, 11, 1, 2, 3, 4, 567_000, tzinfo=UTC)
    stage(s3, instant, "a")
    stage(s3, instant + MINUTE, "b")
    trino = connect_trino()

    take(task, "scheduled")

    assert trino.executed[0][1] == [instant]


def test_at_most_so_many_objects_are_taken(
    task, s3, connect_trino: ConnectTrino, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKSTREAM_LOAD_MAX_OBJECTS", "2")
    paths = [stage(s3, HOUR + number * MINUTE, "x") for number in range(5)]
    connect_trino()

    take(task, "scheduled")

    assert kept(s3, "run-1").paths == paths[:2]
    assert kept(s3, "run-1").left_behind == 3


def test_a_backfill_lists_its_hour_anew_whatever_the_scheduled_run_of_its_id_took(
    task, s3: MemoryS3, connect_trino: ConnectTrino
) -> None:
    """Airflow turns the hour's scheduled run into the backfill's run: same id, another window."""
    first = stage(s3, HOUR + MINUTE, "a")
    later = stage(s3, HOUR + 90 * MINUTE, "b")
    connect_trino()
    take(task, "scheduled")
    assert kept(s3, "run-1").paths == [first, later]
    missed = stage(s3, HOUR + 2 * MINUTE, "c")

    take(task, "backfill")

    assert kept(s3, "run-1").paths == [first, missed]


@pytest.mark.promise("P2")
@pytest.mark.parametrize("kind", ["scheduled", "manual"])
def test_a_retry_keeps_the_list_though_more_was_staged_and_some_was_loaded(
    task, s3: MemoryS3, connect_trino: ConnectTrino, kind: str
) -> None:
    first, second = stage(s3, HOUR + MINUTE, "a"), stage(s3, HOUR + 2 * MINUTE, "b")
    connect_trino()
    take(task, kind)
    stage(s3, HOUR + 3 * MINUTE, "c")
    trino = connect_trino(loaded(first))

    take(task, kind)

    assert kept(s3, "run-1").paths == [first, second]
    assert trino.executed == []


def test_a_retry_leaves_out_what_has_expired(task, s3: MemoryS3, connect_trino: ConnectTrino) -> None:
    first, second = stage(s3, HOUR, "a"), stage(s3, HOUR + MINUTE, "b")
    connect_trino()
    take(task, "scheduled")
    del s3.buckets["staging-bucket"][first.removeprefix("s3://staging-bucket/")]

    take(task, "scheduled")

    assert kept(s3, "run-1").paths == [second]


def test_a_cleared_run_whose_objects_have_all_expired_is_skipped_and_keeps_its_list(
    task, s3: MemoryS3, connect_trino: ConnectTrino
) -> None:
    path = stage(s3, HOUR, "a")
    connect_trino()
    take(task, "scheduled")
    s3.buckets["staging-bucket"].clear()

    with pytest.raises(AirflowSkipException):
        take(task, "scheduled")

    assert kept(s3, "run-1").paths == [path]


def test_another_run_has_a_list_of_its_own(task, s3: MemoryS3, connect_trino: ConnectTrino) -> None:
    path = stage(s3, HOUR, "a")
    connect_trino()

    take(task, "scheduled", "run-1")
    take(task, "manual", "run-2")

    assert kept(s3, "run-1").paths == kept(s3, "run-2").paths == [path]


def test_a_backfill_takes_its_hour_loaded_or_not(task, s3: MemoryS3, connect_trino: ConnectTrino) -> None:
    millisecond, end = timedelta(milliseconds=1), HOUR + timedelta(hours=1)
    stage(s3, HOUR - millisecond, "before")
    first, last = stage(s3, HOUR, "first"), stage(s3, end - millisecond, "last")
    stage(s3, end, "after")
    connect_trino(loaded(first))

    take(task, "backfill")

    assert kept(s3, "run-1").paths == [first, last]


@pytest.mark.parametrize("kind", ["scheduled", "manual", "backfill"])
def test_with_nothing_staged_the_run_is_skipped_and_nothing_is_asked(
    task, s3: MemoryS3, connect_trino: ConnectTrino, kind: str
) -> None:
    trino = connect_trino()

    with pytest.raises(AirflowSkipException, match=r"nothing is staged|staging is empty"):
        take(task, kind)

    assert trino.executed == []
    assert s3.buckets["lake-bucket"] == {}


def test_with_everything_loaded_the_run_is_skipped(task, s3: MemoryS3, connect_trino: ConnectTrino) -> None:
    connect_trino(loaded(stage(s3, HOUR, "a")))

    with pytest.raises(AirflowSkipException):
        take(task, "scheduled")

    assert s3.buckets["lake-bucket"] == {}


def test_a_backfill_without_an_interval_fails(task, s3: MemoryS3, connect_trino: ConnectTrino) -> None:
    stage(s3, HOUR, "a")
    connect_trino()
    operator = task("load_events", "take_manifest")
    given = context(operator, "backfill", "run-1")

    for start, end in [(HOUR, HOUR), (None, None), (HOUR, None)]:
        with pytest.raises(AirflowFailException, match="has no data interval"):
            operator.execute({**given, "data_interval_start": start, "data_interval_end": end})


# The day of HOUR as Segment names its folder: `date -u -d 2026-11-24 +%s`, in milliseconds.
DAY = "1795478400000"


def archive(s3: MemoryS3, name: str, day: str = DAY, source: str = "web") -> str:
    key = f"segment-logs/{source}/{day}/{name}"
    s3.buckets["archive-bucket"][key] = b"123"
    return f"s3://archive-bucket/{key}"


def take_range(task, source: str = "auto", run_id: str = "run-1", hours: int = 1, **conf: object) -> str:
    operator = task("load_events", "take_manifest")
    end = HOUR + timedelta(hours=hours)
    given = {"from": HOUR.isoformat(), "to": end.isoformat(), "source": source, **conf}
    return operator.execute(context(operator, "manual", run_id, given))


@pytest.fixture
def has_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKSTREAM_ARCHIVE_BUCKET", "archive-bucket")


@pytest.mark.usefixtures("has_archive")
def test_a_range_that_is_no_longer_staged_is_read_from_the_archive_of_all_sources(task, s3: MemoryS3) -> None:
    paths = [archive(s3, "a.gz"), archive(s3, "b.gz", "1795478400", "ios")]
    for name in ("dummy-object.txt", "notes.txt", "deeper/c.gz"):
        archive(s3, name)
    archive(s3, "other-day.gz", "1795564800000")

    take_range(task, rebuild=True)

    taken = kept(s3, "run-1")
    assert sorted(taken.paths) == sorted(paths)
    assert taken.folders == ["ios/1795478400", f"web/{DAY}"]
    assert taken.received == (Window(HOUR, HOUR + timedelta(hours=1)),)
    assert (taken.rebuild, taken.dry_run) == (True, False)


@pytest.mark.usefixtures("has_archive")
@pytest.mark.parametrize("source", ["staging", "archive"])
def test_the_source_of_the_form_is_the_one_that_is_read(task, s3: MemoryS3, source: str) -> None:
    path = {"staging": stage(s3, HOUR + MINUTE, "a"), "archive": archive(s3, "a.gz")}[source]

    take_range(task, source)

    assert kept(s3, "run-1").paths == [path]


@pytest.mark.usefixtures("has_archive")
def test_a_cleared_run_with_a_range_keeps_its_archived_objects(task, s3: MemoryS3) -> None:
    path = archive(s3, "a.gz")
    take_range(task)
    archive(s3, "b.gz")

    take_range(task)

    assert kept(s3, "run-1").paths == [path]


def test_a_range_without_any_data_fails_and_says_where_it_looked(task, s3: MemoryS3) -> None:
    with pytest.raises(AirflowFailException, match=r"no data from 2026-11-24T11.*_ARCHIVE_BUCKET is not set"):
        take_range(task)


@pytest.mark.usefixtures("has_archive")
def test_a_range_that_neither_has_names_both(task, s3: MemoryS3) -> None:
    archive(s3, "a.gz", "1795564800000")

    with pytest.raises(AirflowFailException, match=r"staging is empty; nothing of that time in s3://archive-bucket/"):
        take_range(task)


def test_without_an_archive_its_source_is_refused(task, s3: MemoryS3) -> None:
    with pytest.raises(AirflowFailException, match="CLICKSTREAM_ARCHIVE_BUCKET is not set"):
        take_range(task, "archive")


@pytest.mark.usefixtures("has_archive")
def test_more_objects_than_one_run_may_read_are_refused(task, s3: MemoryS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKSTREAM_LOAD_MAX_OBJECTS", "1")
    for name in ("a.gz", "b.gz", "c.gz"):
        archive(s3, name)

    with pytest.raises(AirflowFailException, match=r"3 objects, at most 2 .*shorter range"):
        take_range(task)

    assert s3.buckets["lake-bucket"] == {}


def test_a_form_that_cannot_be_used_fails_for_good(task, s3: MemoryS3) -> None:
    operator = task("load_events", "take_manifest")

    with pytest.raises(AirflowFailException, match="to is empty"):
        operator.execute(context(operator, "manual", "run-1", {"from": HOUR.isoformat()}))


def test_a_dry_run_of_all_that_is_not_loaded_is_noted(task, s3: MemoryS3, connect_trino: ConnectTrino) -> None:
    stage(s3, HOUR, "a")
    connect_trino()
    operator = task("load_events", "take_manifest")

    operator.execute(context(operator, "manual", "run-1", {"dry_run": True}))

    assert kept(s3, "run-1").dry_run


def test_a_ledger_that_cannot_be_read_fails_the_task_and_writes_no_list(
    task, s3: MemoryS3, connect_trino: ConnectTrino
) -> None:
    stage(s3, HOUR, "a")
    connect_trino({"load_ledger": [query_error("ICEBERG_INVALID_METADATA")]})

    with pytest.raises(Exception, match="ICEBERG_INVALID_METADATA"):
        take(task, "scheduled")

    assert s3.buckets["lake-bucket"] == {}


# What is staged long ago, by age; with the default retention of 24 hours and grace of 2.
AGES = {
    "hour": timedelta(hours=1),
    "day": timedelta(hours=24, minutes=1),
    "just_kept": timedelta(hours=26) - 5 * MINUTE,
    "just_gone": timedelta(hours=26) + 5 * MINUTE,
    "week": timedelta(days=7),
}


@pytest.fixture
def aged(s3: MemoryS3) -> dict[str, str]:
    return {name: stage(s3, datetime.now(UTC) - age, name) for name, age in AGES.items()}


def left(s3: MemoryS3) -> set[str]:
    return {key.rpartition("-")[2] for key in s3.buckets["staging-bucket"]}


def expire(task, dry_run: bool | str = False) -> dict[str, int]:
    operator = task("expire_staging", "expire")
    given = context(operator, "scheduled")
    operator.render_template_fields(given)
    operator.dry_run = dry_run
    return operator.execute(given)


def test_what_is_loaded_and_past_its_time_and_grace_goes(task, s3, aged, connect_trino: ConnectTrino) -> None:
    connect_trino(loaded(*aged.values()))

    counts = expire(task)

    assert left(s3) == {"hour", "day", "just_kept"}
    assert counts == {"expired": 2, "overdue": 0, "kept": 3}


@pytest.mark.scenario("X15")
@pytest.mark.promise("P4")
def test_what_is_not_loaded_stays_whatever_its_age_and_is_counted(task, s3, aged, connect_trino: ConnectTrino) -> None:
    connect_trino(loaded(aged["just_gone"]))

    counts = expire(task)

    assert left(s3) == {"hour", "day", "just_kept", "week"}
    assert counts == {"expired": 1, "overdue": 1, "kept": 4}


def test_an_empty_ledger_expires_nothing(task, s3, aged, connect_trino: ConnectTrino) -> None:
    connect_trino()

    assert expire(task) == {"expired": 0, "overdue": 2, "kept": 5}
    assert s3.called("DeleteObjects") == []
    assert s3.buckets["lake-bucket"] == {}


@pytest.mark.promise("P4")
def test_a_ledger_that_cannot_be_read_expires_nothing(task, s3, aged, connect_trino: ConnectTrino) -> None:
    connect_trino({"load_ledger": [query_error("ICEBERG_INVALID_METADATA")]})

    with pytest.raises(Exception, match="ICEBERG_INVALID_METADATA"):
        expire(task)

    assert s3.called("DeleteObjects") == []


@pytest.mark.parametrize("dry_run", [True, "True", "true", "1", "yes", "", "None", "{{ params.dry_run }}"])
def test_a_dry_run_and_anything_unclear_deletes_and_writes_nothing(
    task, s3, aged, connect_trino: ConnectTrino, dry_run: bool | str
) -> None:
    connect_trino(loaded(*aged.values()))

    counts = expire(task, dry_run)

    assert counts == {"expired": 2, "overdue": 0, "kept": 3}
    assert left(s3) == set(AGES)
    assert s3.buckets["lake-bucket"] == {}


def test_the_list_is_kept_before_anything_is_deleted(task, s3, aged, connect_trino: ConnectTrino) -> None:
    connect_trino(loaded(*aged.values()))

    expire(task)

    ((key, listing),) = s3.buckets["lake-bucket"].items()
    assert key.startswith("manifests/expire_staging/")
    assert listing.decode().splitlines() == [aged["week"], aged["just_gone"]]
    writes = [name for name, _ in s3.calls if name in ("PutObject", "DeleteObjects")]
    assert writes == ["PutObject", "DeleteObjects"]


def test_at_most_so_many_go_at_once_the_oldest_first(
    task, s3, aged, connect_trino: ConnectTrino, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "expiry_max_objects", 1)
    connect_trino(loaded(*aged.values()))

    assert expire(task)["expired"] == 1
    assert left(s3) == set(AGES) - {"week"}


@pytest.mark.parametrize(("hours", "goes"), [("1", {"just_kept", "just_gone", "week"}), ("100", {"week"})])
def test_the_grace_is_added_to_the_retention(
    task, s3, aged, connect_trino: ConnectTrino, monkeypatch: pytest.MonkeyPatch, hours: str, goes: set[str]
) -> None:
    monkeypatch.setenv("CLICKSTREAM_EXPIRY_GRACE_HOURS", hours)
    connect_trino(loaded(*aged.values()))

    expire(task)

    assert set(AGES) - left(s3) == goes


@pytest.mark.scenario("X16")
@pytest.mark.promise("P8")
@pytest.mark.parametrize("prefix", ["/", "//", "raw", "../", "a/b/", " "])
def test_a_prefix_that_is_no_folder_is_refused_before_anything_is_listed(
    task, s3, aged, connect_trino: ConnectTrino, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    monkeypatch.setenv("CLICKSTREAM_STAGING_PREFIX", prefix)
    connect_trino(loaded(*aged.values()))

    with pytest.raises(SettingsError, match="CLICKSTREAM_STAGING_PREFIX"):
        expire(task)

    assert s3.calls == []


@pytest.mark.scenario("X16")
def test_an_empty_prefix_is_the_default_folder_and_never_the_bucket(
    task, s3, aged, connect_trino: ConnectTrino, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKSTREAM_STAGING_PREFIX", "")
    s3.buckets["staging-bucket"]["20200101T000000000Z-other"] = b""
    connect_trino(loaded(*aged.values(), "s3://staging-bucket/20200101T000000000Z-other"))

    expire(task)

    assert {call["Prefix"] for call in s3.called("ListObjectsV2")} == {"staging/"}
    assert "20200101T000000000Z-other" in s3.buckets["staging-bucket"]


def test_strays_never_expire(task, s3, aged, connect_trino: ConnectTrino) -> None:
    s3.buckets["staging-bucket"]["staging/notes.txt"] = b""
    connect_trino(loaded(*aged.values(), "s3://staging-bucket/staging/notes.txt"))

    expire(task)

    assert "staging/notes.txt" in s3.buckets["staging-bucket"]


@pytest.mark.parametrize(("dag_id", "task_id"), [("load_events", "take_manifest"), ("expire_staging", "expire")])
def test_a_kill_cancels_the_question_to_the_ledger(
    task, s3, connect_trino: ConnectTrino, dag_id: str, task_id: str
) -> None:
    stage(s3, HOUR, "a")
    operator = task(dag_id, task_id)
    operator.dry_run = False

    def killed(_: FakeCursor) -> Rows:
        operator.on_kill()
        raise cancelled()

    trino = connect_trino({"load_ledger": [killed]})

    with pytest.raises(Exception, match="USER_CANCELED"):
        operator.execute(context(operator, "scheduled", "run-1"))
    assert [cursor.is_cancelled for cursor in trino.cursors] == [True]
