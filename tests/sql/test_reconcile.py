"""The live tables against the archive on real Trino: each state is found, and what misses is healed by a backfill.

Expected: which message was put on which side.
"""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clickstream.engine.sql import instant_literal, literal
from clickstream.erase.person import digest
from clickstream.load import steps as load_steps
from clickstream.load.archive import hour_folder
from clickstream.load.request import read_load_request
from clickstream.reconcile.request import Healing, ReconcileRequest, plan_healing
from clickstream.reconcile.steps import ArchiveUnreadableError, Outcome, compare, reconciled_hours
from clickstream.window import HOUR, Window
from clickstream_stream.keys import archive_key
from local.lake.scratch import ScratchLake
from local.segment import archive

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AFTERNOON = Window(NOON, NOON + 8 * HOUR)
PERSON = ReconcileRequest(AFTERNOON, dry_run=False, most_hours=24, large=True)


def message(message_id: str, received_at: datetime, source: str = "web", **more: Any) -> bytes:
    body = {
        "messageId": message_id, "type": "track", "event": "A", "receivedAt": received_at.isoformat(),
        "projectId": source, **more,
    }  # fmt: skip
    return json.dumps(body, ensure_ascii=False).encode()


def stage(lake: ScratchLake, at: datetime, *lines: bytes) -> None:
    lake.stage(f"{at:%Y%m%dT%H%M%S}000Z-a.gz", gzip.compress(b"\n".join(lines) + b"\n"))


def keep(lake: ScratchLake, at: datetime, *lines: bytes, body: bytes | None = None) -> str:
    """Keep lines as stage_object copies them, in the folder of an hour; return the path."""
    key = archive_key("", f"raw/{hour_folder(at)}/{at:%M}.gz")
    packed = gzip.compress(b"\n".join(lines) + b"\n") if body is None else body
    lake.s3.put_object(Bucket=lake.settings.archive_bucket, Key=key, Body=packed)
    return f"s3://{lake.settings.archive_bucket}/{key}"


def reconcile(lake: ScratchLake, run_id: str, window: Window) -> Outcome:
    values = load_steps.values_of_run(run_id, datetime.now(UTC), lake.settings)
    return compare(lake.run, lake.objects, [window], values, lake.settings)


def heal(lake: ScratchLake, run_id: str) -> Healing:
    """Do what reconcile_archive triggers: load_events with a form."""
    healing = plan_healing(reconciled_hours(lake.run, AFTERNOON), PERSON)
    request = read_load_request("manual", (None, None), healing.conf(dry_run=False))
    assert request.window
    taken = lake.take_range(run_id, request.window, request.source)
    assert lake.load(run_id, taken).adds_up
    return healing


def rows(lake: ScratchLake) -> dict[tuple[int, str], dict[str, Any]]:
    """The rows of the table, by hour after NOON and source."""
    return {((row["received_hour"] - NOON) // HOUR, row["source"]): row for row in lake.rows("archive_reconciliations")}


def counts(row: dict[str, Any]) -> dict[str, int]:
    """What is not nothing."""
    return {name: count for name, count in row.items() if isinstance(count, int) and count}


@pytest.mark.scenario("X56", "X57")
def test_each_state_is_found_and_what_misses_is_healed_by_a_backfill(lake: ScratchLake) -> None:
    at, later, last = (NOON + number * HOUR + 5 * MINUTE for number in (0, 1, 7))
    equal = [message(f"equal-{number}", at) for number in range(100)]
    failed = message("failed", at, name="it's")
    of_kim = message("of kim", at, userId="kim")
    stage(
        lake, at, *equal, message("only here", at), b"{broken", of_kim, message("at the edge", NOON - MINUTE),
        message("equal", later, "app"), message("of another", at, source="app"),
    )  # fmt: skip
    # It came again long after: its copy is in the folder of that hour.
    stage(lake, NOON + 3 * HOUR, message("sent again", at))
    keep(
        lake, NOON, *equal[:60], b"{broken", failed, message("lost 1", at), message("lost 2", at),
        message("at the edge", NOON + MINUTE), message("later kim's", at, anonymousId="kim"),
    )  # fmt: skip
    keep(lake, NOON + MINUTE, *equal[50:])
    keep(lake, last, message("late", last))
    keep(lake, NOON + 2 * HOUR, message("lost 3", NOON + 2 * HOUR))
    # Segment's, with what does not go to the stream.
    of_segment = [
        message("equal", later, "app"), message("of another", at, source="app"),
        message("not for Kinesis", at, source="app", integrations={"Amazon Kinesis": False}),
    ]  # fmt: skip
    archive.write(of_segment, lake.settings.archive_bucket, lake.s3)
    lake.load("live")
    stage(lake, last, message("late", last))
    lake.run(
        "lake/suppressions/load.sql", digests_json=json.dumps([digest("kim")]), erasure_id="0A", now=datetime.now(UTC)
    )
    lake.query(
        f"insert into {lake.t.rejects} (reject_id, reason, line, staged_at) "
        f"values ('1', 'load_failed', {literal(failed.decode())}, {instant_literal(at)})"
    )
    # Of an earlier comparison: neither side has a message of it any more.
    lake.query(
        f"insert into {lake.t.archive_reconciliations} (received_hour, source, state) "
        f"values ({instant_literal(NOON)}, 'gone', 'missing_here'), ({instant_literal(NOON - HOUR)}, 'web', 'equal')"
    )

    found = reconcile(lake, "run-1", AFTERNOON)

    kept = rows(lake)
    assert {place: row["state"] for place, row in kept.items()} == {
        (-1, "web"): "equal", (0, "web"): "missing_here", (0, ""): "refused_here", (0, "app"): "equal",
        (1, "app"): "equal", (2, "web"): "missing_here", (7, "web"): "late",
    }  # fmt: skip
    assert counts(kept[0, "web"]) == {
        # Ten are in both objects; `at the edge` is in both sides, in hours beside each other.
        "messages_here": 102, "messages_there": 104, "in_both": 100, "missing_here": 2, "missing_there": 1, "late": 1,
        "refused_here": 1, "duplicates": 11,
    }  # fmt: skip
    assert counts(kept[0, ""]) == {"refused_here": 1}
    assert counts(kept[0, "app"]) == {"messages_here": 1, "messages_there": 1, "in_both": 1}
    assert counts(kept[7, "web"]) == {"messages_there": 1, "late": 1}
    assert counts(kept[2, "web"]) == {"messages_there": 1, "missing_here": 1}
    assert {row["archive_from"] for row in kept.values() if row["run_id"]} == {"copy,segment"}
    assert found.counts()["missing_here"] == 3
    assert "prove staging and the load only" in found.text()

    healing = heal(lake, "heal")

    assert healing.hours == (NOON, NOON + 2 * HOUR)
    lake.load("live-2")
    # What a load had failed with is in the range too, and this one takes it.
    again = reconcile(lake, "run-2", AFTERNOON)
    assert again.counts() | {"missing_here": 0, "missing_there": 1, "refused_here": 1, "late": 1} == again.counts()
    kept = rows(lake)
    assert {place: kept[place]["state"] for place in ((0, "web"), (2, "web"), (7, "web"))} == {
        (0, "web"): "missing_there", (2, "web"): "equal", (7, "web"): "equal",
    }  # fmt: skip
    assert (kept[0, "web"]["in_both"], kept[0, "web"]["missing_there"], kept[0, "web"]["late"]) == (103, 1, 1)
    assert {row["message_id"] for row in lake.rows("events")}.isdisjoint({"not for Kinesis", "later kim's"})


@pytest.mark.scenario("X17", "X56")
def test_an_object_that_cannot_be_read_stops_the_comparison_until_a_load_has_set_it_aside(lake: ScratchLake) -> None:
    keep(lake, NOON, message("kept", NOON))
    damaged = keep(lake, NOON + MINUTE, body=gzip.compress(message("in the damaged one", NOON) * 99)[:-20])

    with pytest.raises(ArchiveUnreadableError, match="it sets the object aside"):
        reconcile(lake, "run-1", AFTERNOON)
    lake.load("set aside", lake.take_range("set aside", Window(NOON, NOON + HOUR), "archive"))
    found = reconcile(lake, "run-2", AFTERNOON)

    assert [row["source_path"] for row in lake.rows("quarantine")] == [damaged]
    assert ([row.state for row in found.rows], found.unreadable) == (["equal"], 1)
    assert "1 objects" in found.text()
