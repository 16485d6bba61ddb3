"""Backfills from the archive on real Trino: the rows are those of the live path, whatever else the archive holds."""

import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clickstream.load.archive import hour_folder, hours_wanted
from clickstream.load.manifest import Manifest
from clickstream.load.preview import Preview
from clickstream.load.report import RunReport
from clickstream.load.steps import values_of_run
from clickstream.reconcile.steps import compare as compare_with_archive
from clickstream.window import Window
from clickstream_stream.keys import archive_key
from local.lake.machine import Machine, scratch_lake
from local.lake.scratch import ScratchLake
from local.segment import archive
from local.segment.events import generate_day
from tests.model.compare import compare
from tests.model.expected import expected_tables, staged_file

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MIDNIGHT = NOON - 12 * HOUR
ORIGIN = ("source_path", "staged_at", "loaded_at", "load_run_id", "updated_at", "update_run_id")


def record(message_id: str, received_at: datetime, **more: Any) -> bytes:
    body = {"messageId": message_id, "type": "track", "event": "A", "receivedAt": received_at.isoformat(), **more}
    return json.dumps(body).encode()


def archive_records(lake: ScratchLake, *records: bytes, in_seconds: bool = False) -> None:
    archive.write(records, lake.settings.archive_bucket, lake.s3, in_seconds)


def archive_object(lake: ScratchLake, opened: datetime, name: str, *records: bytes) -> str:
    """Keep an object in its hour's folder, as stage_object copies it; return its path."""
    key = archive_key("", f"raw/{hour_folder(opened)}/{name}.gz")
    lake.s3.put_object(Bucket=lake.settings.archive_bucket, Key=key, Body=gzip.compress(b"\n".join(records) + b"\n"))
    return f"s3://{lake.settings.archive_bucket}/{key}"


def received_at(record: bytes) -> datetime | None:
    """Return when a message was received; None for what is none."""
    try:
        return datetime.fromisoformat(json.loads(record)["receivedAt"])
    except (ValueError, RecursionError, TypeError, KeyError):
        return None


def ids(lake: ScratchLake) -> list[str]:
    return sorted(row["message_id"] for row in lake.rows("events"))


def contents(lake: ScratchLake) -> list[dict[str, Any]]:
    """The rows of events, without where and when they were read."""
    rows = sorted(lake.rows("events"), key=lambda row: row["message_id"])
    return [{name: value for name, value in row.items() if name not in ORIGIN} for row in rows]


def staged_name(instant: datetime, name: str) -> str:
    return f"{instant:%Y%m%dT%H%M%S}000Z-{name}.gz"


@dataclass
class Backfilled:
    """A day that one lake loaded from staging, and another from its archive, which it had previewed."""

    live: ScratchLake
    backfilled: ScratchLake
    taken: Manifest
    preview: Preview
    report: RunReport


@pytest.fixture(scope="module")
def day(machine: Machine) -> Backfilled:
    """Of the generated records only those that are messages are in the archive, as on Segment's side."""
    records = list(generate_day(20261120, MIDNIGHT + DAY, users=25))
    live, backfilled = scratch_lake(machine), scratch_lake(machine)
    live.stage(staged_name(MIDNIGHT + DAY, "a"), gzip.compress(b"\n".join(records) + b"\n"))
    archive_records(backfilled, *records)

    live.load("live")
    taken = backfilled.take_range("backfill", Window(MIDNIGHT - DAY, MIDNIGHT + 2 * DAY))
    preview = backfilled.preview("preview", taken)
    return Backfilled(live, backfilled, taken, preview, backfilled.load("backfill", taken))


@pytest.mark.promise("P7")
@pytest.mark.scenario("X31")
def test_a_day_from_the_archive_is_the_day_of_the_live_path_row_for_row(day: Backfilled) -> None:
    live, backfilled, preview, report = day.live, day.backfilled, day.preview, day.report
    assert len(contents(live)) > 400
    assert contents(backfilled) == contents(live)
    assert report.adds_up
    assert (preview.rows_read, preview.rows_loaded, preview.rows_duplicate, preview.rows_updated) == (
        report.rows_read, report.rows_loaded, report.rows_duplicate, 0,
    )  # fmt: skip
    assert (preview.objects, preview.bytes) == (report.objects, report.bytes)
    assert (preview.first_received_at, preview.last_received_at) == (report.first_received_at, report.last_received_at)
    again = backfilled.load("again", day.taken)
    assert (again.rows_loaded, again.rows_duplicate) == (0, report.rows_read)
    assert contents(backfilled) == contents(live)


@pytest.mark.scenario("X56")
def test_a_day_of_all_kinds_of_messages_is_as_in_its_archive_and_no_id_is_read(day: Backfilled) -> None:
    """Its rows are those of the live path."""
    lake = day.backfilled
    values = values_of_run("reconcile", MIDNIGHT + 9 * DAY, lake.settings)

    found = compare_with_archive(
        lake.run, lake.objects, [Window(MIDNIGHT - DAY, MIDNIGHT + 2 * DAY)], values, lake.settings
    )

    counts = found.counts()
    assert counts["in_both"] == counts["messages_here"] == counts["messages_there"] == len(lake.rows("events"))
    assert (counts["missing_here"], counts["missing_there"], counts["late"]) == (0, 0, 0)
    assert "reconcile/there.sql" in lake.last
    assert "reconcile/ids.sql" not in lake.last


def test_the_model_agrees_with_rows_from_the_archive(day: Backfilled) -> None:
    lake = day.backfilled
    found = lake.s3.list_objects_v2(Bucket=lake.settings.archive_bucket)["Contents"]
    bodies = {
        f"s3://{lake.settings.archive_bucket}/{item['Key']}":
            lake.s3.get_object(Bucket=lake.settings.archive_bucket, Key=item["Key"])["Body"].read()
        for item in found
        if item["Key"].endswith(".gz")
    }  # fmt: skip
    # The model reads staged names only: it gets the bodies under such names, and where a row was read is not compared.
    files = [staged_file(f"s3://b/staging/{staged_name(MIDNIGHT, str(n))}", bodies[p]) for n, p in enumerate(bodies)]
    unplaced = dict.fromkeys(ORIGIN[:2])
    model = [{**row, **unplaced} for row in expected_tables(files).events]
    assert compare(model, [{**row, **unplaced} for row in lake.rows("events")]) == []


WANTED = {
    "all": {"All": True},
    "none said": {},
    "kinesis": {"All": False, "Amazon Kinesis": True},
    "kinesis with options": {"All": False, "Amazon Kinesis": {"region": "x"}},
    "other off": {"Salesforce": False},
    "no object": ["All"],
}
UNWANTED = {"all off": {"All": False}, "kinesis off": {"All": True, "Amazon Kinesis": False}}
DAY_IN_MS = int(MIDNIGHT.timestamp()) * 1000
STRAYS = (
    f"segment-logs/source/{DAY_IN_MS}/dummy-object.txt",
    f"segment-logs/source/{DAY_IN_MS}/deeper/b.gz",
    "segment-logs/source/not-a-day/c.gz",
    "segment-logs/d.gz",
    f"prod/segment-logs/source/{DAY_IN_MS}/e.gz",
)


@dataclass
class Hour:
    """One hour that was loaded from an archive with three objects of it, and what else may lie there."""

    ids: list[str]
    ledger: dict[str, dict[str, Any]]
    path_of: dict[str, str]
    report: RunReport


@pytest.fixture(scope="module")
def hour(machine: Machine) -> Hour:
    lake, microsecond = scratch_lake(machine), timedelta(microseconds=1)
    for in_seconds in (False, True):
        archive_records(
            lake,
            record(f"{in_seconds} before", NOON - microsecond),
            record(f"{in_seconds} first", NOON),
            record(f"{in_seconds} last", NOON + HOUR - microsecond),
            record(f"{in_seconds} end", NOON + HOUR),
            record(f"{in_seconds} same day, other hour", MIDNIGHT),
            record(f"{in_seconds} next day", MIDNIGHT + DAY),
            in_seconds=in_seconds,
        )
    sent = (record(f"sent {name}", NOON, integrations=value) for name, value in {**WANTED, **UNWANTED}.items())
    archive_records(lake, record("sent absent", NOON), *sent)
    for key in STRAYS:
        lake.s3.put_object(Bucket=lake.settings.archive_bucket, Key=key, Body=gzip.compress(record(key, NOON)))

    report = lake.load("run", lake.take_range("run", Window(NOON, NOON + HOUR)))

    ledger = {row["source_path"]: row for row in lake.rows("load_ledger")}
    return Hour(ids(lake), ledger, {row["message_id"]: row["source_path"] for row in lake.rows("events")}, report)


@pytest.mark.parametrize("in_seconds", [False, True])
def test_only_messages_received_in_the_range_are_loaded(hour: Hour, in_seconds: bool) -> None:
    assert [name for name in hour.ids if name.startswith(str(in_seconds))] == [
        f"{in_seconds} first", f"{in_seconds} last",
    ]  # fmt: skip
    row = hour.ledger[hour.path_of[f"{in_seconds} first"]]
    assert (row["rows_read"], row["rows_loaded"], row["staged_at"]) == (2, 2, MIDNIGHT)
    assert hour.report.adds_up


@pytest.mark.scenario("X31")
def test_messages_that_kinesis_never_got_are_left_out(hour: Hour) -> None:
    """Segment's S3 destination ignores `integrations`; its others do not (facts of the archive)."""
    assert [name for name in hour.ids if name.startswith("sent ")] == sorted(f"sent {n}" for n in [*WANTED, "absent"])
    assert hour.report.adds_up


@pytest.mark.scenario("X31")
def test_strays_are_left_out_and_a_custom_prefix_is_kept_apart(hour: Hour) -> None:
    assert set(hour.ids).isdisjoint(STRAYS)
    assert hour.report.objects == len(hour.ledger) == 3
    assert (hour.report.rows_read, hour.report.rows_loaded) == (len(hour.ids), 4 + len(WANTED) + 1)


@pytest.mark.scenario("X31")
def test_a_range_over_both_takes_each_message_once(lake: ScratchLake) -> None:
    """Two days back from the archive, the last hours from staging, one message in both."""
    now = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
    old, recent = now - 2 * DAY, now - 2 * HOUR
    archive_records(lake, record("old", old), record("both", recent), record("old too", old + HOUR))
    body = gzip.compress(record("both", recent) + b"\n" + record("staged", recent) + b"\n")
    path = lake.stage(staged_name(recent + timedelta(minutes=5), "a"), body)
    window = Window(now - 3 * DAY, now)

    taken = lake.take_range("run", window)
    preview = lake.preview("preview", taken)
    report = lake.load("run", taken)

    assert path in taken.paths
    assert hours_wanted("auto", window, taken.staged, now - DAY, True)[0].start == window.start
    assert ids(lake) == ["both", "old", "old too", "staged"]
    assert report.adds_up
    assert (preview.rows_loaded, preview.rows_duplicate) == (report.rows_loaded, report.rows_duplicate) == (4, 0)


def test_derived_again_a_row_that_differs_is_updated_and_no_other_is_touched(lake: ScratchLake) -> None:
    """As after a column was added: the row was loaded when its value had no place yet."""
    archive_records(lake, record("old", NOON, name="Home"), record("same", NOON, name="Cart"), record("new", NOON))
    lake.stage(
        staged_name(NOON, "live"),
        gzip.compress(record("old", NOON) + b"\n" + record("same", NOON, name="Cart") + b"\n" + record("x", NOON)),
    )
    lake.load("live")
    before = {row["message_id"]: row for row in lake.rows("events")}
    taken = lake.take_range("again", Window(NOON, NOON + HOUR), "archive", rebuild=True)

    preview = lake.preview("preview", taken)
    report = lake.load("again", taken)

    after = {row["message_id"]: row for row in lake.rows("events")}
    assert (preview.rows_loaded, preview.rows_duplicate, preview.rows_updated) == (1, 2, 1)
    assert (report.rows_loaded, report.rows_duplicate, report.rows_updated) == (1, 2, 1)
    assert (before["old"]["name"], after["old"]["name"]) == (None, "Home")
    assert (after["old"]["load_run_id"], after["old"]["update_run_id"]) == ("live", "again")
    assert after["old"]["source_path"] == before["old"]["source_path"]
    assert {name: after[name] for name in ("same", "x")} == {name: before[name] for name in ("same", "x")}
    assert sorted(after) == ["new", "old", "same", "x"]
    once_more = lake.load("once more", lake.take_range("once more", Window(NOON, NOON + HOUR), "archive", rebuild=True))
    assert once_more.rows_updated == 0


def test_without_deriving_again_nothing_changes_and_what_cannot_be_read_is_rejected_once(lake: ScratchLake) -> None:
    archive_records(lake, record("old", NOON, name="Home"))
    day = int(MIDNIGHT.timestamp()) * 1000
    lake.s3.put_object(
        Bucket=lake.settings.archive_bucket,
        Key=f"segment-logs/source/{day}/a.gz",
        Body=gzip.compress(record("new", NOON) + b"\n{broken\n"),
    )
    lake.stage(staged_name(NOON, "live"), gzip.compress(record("old", NOON)))
    lake.load("live")
    before = lake.rows("events")

    window = Window(NOON, NOON + HOUR)
    reports = [lake.load(run, lake.take_range(run, window, "archive")) for run in ("one", "two")]

    assert [row for row in lake.rows("events") if row["message_id"] != "new"] == before
    assert [(report.rows_loaded, report.rows_duplicate, report.rows_updated) for report in reports] == [
        (1, 1, 0), (0, 2, 0),
    ]  # fmt: skip
    assert [report.rows_rejected for report in reports] == [1, 1]
    assert [row["line"] for row in lake.rows("rejects")] == ["{broken"]


LEFT = MIDNIGHT + timedelta(hours=13, minutes=20)
"""When the last sender left Segment."""
BOTH = timedelta(hours=3)
"""How long the stack had archived by then."""
BUFFER = timedelta(minutes=25)
"""Between the oldest and the newest event of an object: some are begun in one hour and end in the next."""


@pytest.mark.promise("P7")
@pytest.mark.scenario("X50")
def test_a_range_over_the_day_of_leaving_segment_is_that_of_the_live_path_row_for_row(machine: Machine) -> None:
    """P7. Two days: up to LEFT in Segment's layout, since BOTH before it in hour folders."""
    records = [*generate_day(20261120, MIDNIGHT + DAY, users=15), *generate_day(20261121, MIDNIGHT + 2 * DAY, users=15)]
    dated = sorted((at, record) for record in records if (at := received_at(record)))
    live, backfilled = scratch_lake(machine), scratch_lake(machine)
    live.stage(staged_name(MIDNIGHT + 2 * DAY, "a"), gzip.compress(b"\n".join(record for _, record in dated) + b"\n"))
    archive_records(backfilled, *(record for at, record in dated if at < LEFT))
    objects: dict[datetime, list[bytes]] = {}
    opened = LEFT - BOTH
    for at, record in dated:
        if at >= LEFT - BOTH:
            opened = opened if at < opened + BUFFER and objects else at
            objects.setdefault(opened, []).append(record)
    for number, (oldest, held) in enumerate(objects.items()):
        archive_object(backfilled, oldest, f"events-{number}", *held)

    live.load("live")
    taken = backfilled.take_range("backfill", Window(MIDNIGHT - DAY, MIDNIGHT + 3 * DAY), "archive")
    report = backfilled.load("backfill", taken)

    by_hour = {item.path for item in taken.archived if item.path.startswith(backfilled.settings.archive_hours_location)}
    assert len(by_hour) == len(objects) > 20
    assert len(taken.archived) > len(by_hour)
    assert len(contents(live)) > 400
    assert contents(backfilled) == contents(live)
    assert report.adds_up
    assert report.rows_duplicate > 0  # of the hours that both archives have
    assert backfilled.check("backfill").failures == ()


@pytest.fixture(scope="module")
def own_hour(machine: Machine) -> tuple[Hour, dict[str, str]]:
    """An hour loaded from its folder and those beside it; the path of each object by name."""
    lake = scratch_lake(machine)
    minute, microsecond = timedelta(minutes=1), timedelta(microseconds=1)
    kept = {
        "two before": archive_object(lake, NOON - 2 * HOUR, "a", record("two before", NOON)),
        "before": archive_object(
            lake, NOON - minute, "b", record("before", NOON - microsecond), record("first", NOON)
        ),
        "own": archive_object(
            lake, NOON, "c", record("own", NOON + minute), record("end", NOON + HOUR), b"{broken",
            b'{"messageId":"undated","type":"track"}',
            record("not for Kinesis", NOON, integrations={"All": False}),
        ),
        "after": archive_object(lake, NOON + HOUR, "d", record("late", NOON + HOUR - microsecond)),
        "two after": archive_object(lake, NOON + 2 * HOUR, "e", record("two after", NOON)),
    }  # fmt: skip

    report = lake.load("run", lake.take_range("run", Window(NOON, NOON + HOUR), "archive"))

    ledger = {row["source_path"]: row for row in lake.rows("load_ledger")}
    return Hour(ids(lake), ledger, {}, report), kept


@pytest.mark.scenario("X50")
def test_an_hour_reads_its_folder_and_those_beside_it_and_no_other(own_hour: tuple[Hour, dict[str, str]]) -> None:
    hour, kept = own_hour

    assert {name for name, path in kept.items() if path in hour.ledger} == {"before", "own", "after"}
    assert {name: hour.ledger[kept[name]]["staged_at"] for name in ("before", "own", "after")} == {
        "before": NOON - HOUR, "own": NOON, "after": NOON + HOUR,
    }  # fmt: skip
    assert hour.report.adds_up
    assert hour.report.rows_rejected == 1


@pytest.mark.scenario("X50")
def test_what_was_received_in_the_hour_is_loaded_whatever_its_integrations_say(
    own_hour: tuple[Hour, dict[str, str]],
) -> None:
    """The stack archives what came to the stream; Segment's archive has more. Without a time, the folder's counts."""
    hour, _ = own_hour

    assert hour.ids == ["first", "late", "not for Kinesis", "own", "undated"]


@pytest.mark.scenario("X50")
def test_a_quiet_hour_between_others_is_previewed_and_loaded_as_nothing(lake: ScratchLake) -> None:
    archive_object(lake, NOON - HOUR, "a", record("before", NOON - HOUR))
    taken = lake.take_range("run", Window(NOON, NOON + HOUR), "archive")

    preview = lake.preview("preview", taken)
    report = lake.load("run", taken)

    assert (preview.rows_read, preview.sessions_touched) == (0, 0)
    assert (report.objects, report.rows_read, report.adds_up) == (1, 0, True)
    assert ids(lake) == []
