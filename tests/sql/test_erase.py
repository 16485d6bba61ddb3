"""A person is erased from every place, stays away, and nobody else's rows change.

Expected: the rows of the others as they were before, and none of the person's wherever anybody looks.
"""

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clickstream.aws.erase_objects import AwsEraseObjects
from clickstream.engine.sql import quote
from clickstream.erase import steps
from clickstream.erase.job import Job
from clickstream.erase.person import MOST_IDS, Asked, digest
from clickstream.erase.places import places
from clickstream.erase.steps import Erasure
from clickstream.load.archive import hour_folder
from clickstream.plan.diff import differences, fitting
from clickstream.plan.file import TrackingPlan, read_plan
from clickstream.plan.seen import look
from clickstream.sessions.model import rules_of
from clickstream.window import Window
from local.lake.machine import Machine, scratch_lake
from local.lake.scratch import ScratchLake

PLAN = TrackingPlan(
    tuple(event for event in read_plan().events if event.table in ("order_completed", "product_viewed"))
)
DAY = datetime(2026, 11, 21, tzinfo=UTC)
# Every id of the person, who is asked for as "kim"; the kiosk and the pad are others' too.
KIM = ("kim", "kim-before", "phone")
# Sessions of these change: the person was in them.
SHARED = ("'visitor_id': 'pad'", "'visitor_id': 'kiosk'")
DEVICES = tuple(f"device-{number}" for number in range(20))
HUB = [f"guest-{number}" for number in range(6)]


def message(message_id: str, minute: int, user: str = "", device: str = "", **more: Any) -> bytes:
    at = (DAY + timedelta(minutes=minute)).isoformat()
    ids = {"userId": user or None, "anonymousId": device or None}
    body = {"messageId": message_id, "type": "page", "timestamp": at, "receivedAt": at, **ids, **more}
    return json.dumps(body, ensure_ascii=False).encode()


def order(message_id: str, minute: int, user: str, device: str) -> bytes:
    """An order that breaks rules of the plan, with a value that fits no column."""
    properties = {"order_id": 7, "revenue": f"{user}'s", "products": [], "note_of_buyer": f"for {user}"}
    context = {"screen": {"width": f"{user}@example.com"}, "page": {"path": "/paid"}}
    return message(
        message_id, minute, user, device, type="track", event="Order Completed", properties=properties, context=context
    )


LOADED = [
    message("k0", 0, "", "phone"),
    message("k1", 1, "kim", "phone", type="identify", traits={"email": "kim@example.com"}),
    order("k2", 2, "kim", "phone"),
    message("k3", 3, "kim", "", type="alias", previousId="kim-before"),
    message("k4", 4, "kim-before", "phone", secret_of_kim=True),
    # A shared pad: both in one session; a kiosk with many users.
    message("k5", 10, "kim", "pad"),
    message("l5", 11, "lee", "pad"),
    message("p5", 12, "", "pad"),
    *(message(f"g{number}", 20 + number, guest, "kiosk") for number, guest in enumerate(HUB)),
    message("k6", 30, "kim", "kiosk"),
    order("l2", 40, "lee", "box"),
    message("l3", 41, "lee", "box", properties={"seller": "kim", "userId": "kim"}),
    message("m1", 42, "kim2", "phone2"),
    # No messages, and rejected: two people's in one line, half a one, one of another.
    message("k7", 50, "kim", "phone") + message("l7", 51, "lee", "box"),
    b'{"userId": "kim", "traits": {"email": "kim@example.com"',
    b'{"userId": "lee", "traits": {"email": "lee@example.com"',
]
STAGED = [message("k8", 60, "kim", "phone"), message("l8", 61, "lee", "box")]
LATE = [message("k9", -9_000, "kim", "phone", timestamp="2026-11-21T00:05:00Z"), message("l9", -9_000, "lee", "box")]


@dataclass
class Site:
    """A lake with all buckets: the archive keeps versions."""

    lake: ScratchLake
    raw: str
    killed: Any = None

    def put(self, bucket: str, key: str, body: bytes) -> None:
        self.lake.s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="text/plain", Metadata={"kept": "yes"})

    def erasure(self, asked: Asked, run_id: str, dry_run: bool = False) -> Erasure:
        client = {"s3": self.lake.s3, "glue": self.lake.glue}.__getitem__
        settings = self.lake.settings
        return Erasure(
            self.lake.run, AwsEraseObjects(client, settings), settings, run_id, datetime.now(UTC), Job(asked, dry_run)
        )

    def lines(self) -> dict[str, set[bytes]]:
        """The lines of all versions of each readable object of the folders, and of the records in them."""
        found: dict[str, set[bytes]] = {}
        for key, body in self._objects():
            for line in body.splitlines():
                is_record = b'"rawData"' in line
                record = base64.b64decode(json.loads(line)["rawData"]) if is_record else line
                found.setdefault(key, set()).update(record.splitlines())
        return found

    def _objects(self) -> Iterator[tuple[str, bytes]]:
        for bucket in {place.bucket for place in places(self.lake.settings)}:
            found = self.lake.s3.list_object_versions(Bucket=bucket)
            for one in found.get("Versions", []):
                if bucket == self.lake.settings.lake_bucket and not one["Key"].startswith("quarantine/"):
                    continue
                body = self.lake.s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"].read()
                if not one["Key"].endswith("damaged.gz"):
                    yield f"{bucket}/{one['Key']}", gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


def failed(*records: bytes) -> bytes:
    lines = ({"attemptsMade": 1, "rawData": base64.b64encode(record).decode()} for record in records)
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@pytest.fixture(scope="module")
def site(machine: Machine) -> Site:
    lake = scratch_lake(machine)
    raw = lake.settings.staging_bucket.replace("-staging", "-raw")
    lake.s3.create_bucket(Bucket=raw)
    lake.settings = replace(lake.settings, raw_bucket=raw)
    for bucket in (raw, lake.settings.archive_bucket):
        lake.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return Site(lake, raw)


def fill(site: Site) -> None:
    lake, archive = site.lake, site.lake.settings.archive_bucket
    lake.stage("20261121T010203004Z-people.ndjson", b"\n".join(LOADED) + b"\n")
    lake.load("run-1", plan=PLAN)
    lake.stage("20261121T020203004Z-late.gz", gzip.compress(b"\n".join(LATE) + b"\n"))
    lake.load("run-2", plan=PLAN)
    lake.model("model-1")
    found, _ = fitting(differences(PLAN, look(lake.run, DAY - timedelta(days=30))))
    lake.run("lake/plan_diff/load.sql", differences_json=found, seen_since=DAY, now=DAY)
    everything = b"\n".join([*LOADED, *LATE, *STAGED]) + b"\n"
    day = int(DAY.timestamp() * 1000)
    site.put(archive, f"segment-logs/shop/{day}/a.gz", gzip.compress(everything))
    # What versioning has kept of it: all of it once more.
    site.put(archive, f"segment-logs/shop/{day}/a.gz", gzip.compress(everything + LOADED[0]))
    site.put(archive, f"archive/{hour_folder(DAY)}/b.gz", gzip.compress(everything))
    site.put(site.raw, "raw/2026/11/21/01/c.gz", gzip.compress(STAGED[0] + b"\n" + STAGED[1] + b"\n"))
    site.put(site.raw, "processing-failed/2026/11/21/01/d", failed(STAGED[0] + b"\n" + STAGED[1], b"bad"))
    site.put(site.raw, "processing-failed-redriven/2026/11/21/01/d", gzip.compress(failed(STAGED[0], STAGED[1])))
    site.put(site.raw, "refused/2026/11/21/01/e", failed(STAGED[0]))
    site.put(site.raw, "refused-redriven/2026/11/21/01/e", failed(STAGED[1], STAGED[0]))
    site.put(lake.settings.lake_bucket, "quarantine/b/f.gz", gzip.compress(everything))
    site.put(lake.settings.lake_bucket, "quarantine/b/damaged.gz", gzip.compress(everything)[:-20])
    # A run that read what is staged and was killed, and what is staged and no run has read.
    lake.stage("20261121T030203004Z-staged.gz", gzip.compress(b"\n".join(STAGED) + b"\n"))
    site.killed = lake.unpack("killed", lake.take("killed"))
    lake.stage("20261121T040203004Z-later.gz", gzip.compress(message("k10", 70, "kim", "phone") + b"\n"))


def tables(lake: ScratchLake) -> Iterator[str]:
    own = lake.settings
    for schema in (own.lake_database, own.events_database, own.work_database):
        rows = lake.query(
            f"select table_name from lake.information_schema.tables "
            f"where table_schema = '{schema}' and table_type = 'BASE TABLE' order by 1"
        )
        yield from (f"{quote('lake')}.{quote(schema)}.{quote(row['table_name'])}" for row in rows)


def contents(lake: ScratchLake) -> dict[str, list[str]]:
    return {table: sorted(map(str, lake.query(f"select * from {table}"))) for table in tables(lake)}


# The messages of the person, and whatever is quoted of them. What others say about "kim" is theirs: l3.
def of_kim(text: str) -> bool:
    ids = [f"'{name}': '{one}'" for name in ("user_id", "anonymous_id", "previous_id", "visitor_id") for one in KIM]
    words = ("kim@example.com", "kim's", "for kim", "secret_of_kim': True", '"userId": "kim", "traits"', '"k7"')
    messages = [f"'message_id': 'k{number}'" for number in range(11)]
    return any(one in text for one in (*ids, *words)) or any(one in text for one in messages)


def left_of_kim(lake: ScratchLake) -> list[str]:
    """Rows of the person. What is about a key or a difference stays, without its example."""
    return [
        f"{table}: {row}"
        for table, rows in contents(lake).items()
        for row in rows
        if of_kim(row) and "'example': None" not in row and "forgotten_" not in table
    ]


STEPS = (
    steps.suppress,
    steps.clean_objects,
    steps.clean_tables,
    lambda erasure: steps.model_sessions(erasure, rules_of(erasure.settings)),
    steps.rewrite_files,
    steps.prove,
)


def run_all(erasure: Erasure) -> dict[str, int]:
    """Every step; what was taken away, by place."""
    steps.find(erasure, erasure.job.asked)
    return [step(erasure) for step in STEPS][-1]


def let_old_states_go(lake: ScratchLake) -> None:
    """What maintain_tables does when their time has come."""
    for name in ("expire_snapshots_min_retention", "remove_orphan_files_min_retention"):
        lake.query(f"set session lake.{name} = '0s'")
    for table in tables(lake):
        lake.query(f"alter table {table} execute expire_snapshots(retention_threshold => '0s')")


def figures(lake: ScratchLake, run_id: str) -> dict[str, dict[str, Any]]:
    rows = [row for row in lake.rows("erasures") if row["run_id"] == run_id]
    return {row["place"]: row for row in rows}


@pytest.mark.promise("P1", "P6")
@pytest.mark.scenario("X33", "X52", "X53", "X54")
def test_a_person_is_erased_everywhere_and_stays_away(site: Site) -> None:  # noqa: PLR0915 - one long story
    lake = site.lake
    fill(site)
    # With devices of which nothing is known: more ids than one statement of the search names.
    asked = Asked("kim", include=DEVICES, exclude=("pad", "kiosk"))
    before = contents(lake)
    sent = site.lines()
    assert {table for table, rows in before.items() if any(map(of_kim, rows))} >= {
        lake.t.events, lake.t.discards, lake.t.violations, lake.t.rejects, lake.t.schema_changes, lake.t.plan_diff,
        lake.t.sessions, lake.t.typed("order_completed"), lake.t.batch_table("killed"),
    }  # fmt: skip

    # Shared devices are for a person to decide, and a dry run changes nothing.
    undecided = site.erasure(Asked("kim"), "undecided")
    with pytest.raises(steps.UndecidedError, match="2 ids may be others' too") as error:
        steps.find(undecided, undecided.job.asked)
    assert "kiosk" not in str(error.value)
    assert [one.id for one in undecided.job.undecided] == ["kiosk", "pad"]
    dry = site.erasure(asked, "dry", dry_run=True)
    steps.find(dry, asked)
    preview = steps.preview(dry)
    many = replace(asked, include=tuple(f"00000000-0000-4000-8000-{number:012}" for number in range(MOST_IDS - 3)))
    most = site.erasure(many, "most", dry_run=True)
    steps.find(most, many)
    assert steps.preview(most) == preview
    assert contents(lake) == before
    assert site.lines() == sent

    erasure = site.erasure(asked, "erase")
    assert run_all(erasure) == {
        place: row["removed"] for place, row in figures(lake, "erase").items() if row["removed"]
    }

    # Nothing of the person is anywhere, and everything of the others is as it was.
    assert set(erasure.job.ids) == {*KIM, *DEVICES}
    after = contents(lake)
    assert left_of_kim(lake) == []
    for table, rows in before.items():
        others = [row for row in rows if not of_kim(row) and not any(one in row for one in SHARED)]
        assert [row for row in others if row not in after[table]] == [], table
    kept = {
        row["visitor_id"]: row["event_count"] for row in lake.rows("sessions") if row["visitor_id"] in ("pad", "kiosk")
    }
    assert kept == {"pad": 2, "kiosk": 6}
    [joined] = [row["line"] for row in lake.rows("rejects") if row["reason"] == "missing_newline"]
    assert joined.encode() == LOADED[-3][LOADED[-3].index(b'{"messageId": "l7"') :]
    others = {key: {line for line in lines if not of_kim_line(line)} for key, lines in sent.items()}
    cut = {LOADED[-3], joined.encode()}  # the line of two people: what is left of it
    assert {key: lines - cut for key, lines in site.lines().items() if lines - cut} == {
        key: lines - cut for key, lines in others.items() if lines - cut
    }

    # It is written down without an id, and where something may be left.
    done = figures(lake, "erase")
    assert not any(one in str(done) for one in ("kim", "phone"))
    assert done["events"]["id_digests"] == sorted(map(digest, (*KIM, *DEVICES)))
    for place in ("events", "rejects", "sessions", "segment-logs/", "archive/", "staging/", "raw/", "refused/"):
        assert done[place]["found"] == done[place]["removed"] == preview[place], place
    assert done["segment-logs/"]["versions_deleted"] == 1
    assert done["quarantine/"]["unreadable"] == 1
    assert done["events"]["mentions"] == 1
    assert done["events"]["old_states"] > 0
    assert done["events"]["gone_by"] > datetime.now(UTC) + timedelta(days=7)

    # The run that was killed goes on; what is staged is loaded; what still arrives is counted, and not taken.
    for table in ("events", "rejects", "discards", "load_ledger"):
        lake.load_table(table, site.killed)
    lake.stage(
        "20261121T050203004Z-arrives.ndjson", message("k8", 60, "kim", "phone") + b"\n" + message("l11", 80, "lee")
    )
    report = lake.load("run-3", plan=PLAN)
    assert (report.adds_up, report.rows_rejected, dict(report.rejected_by_reason)) == (True, 1, {"suppressed": 1})
    assert lake.check("run-3").failures == ()
    assert {row["line"] for row in lake.rows("rejects") if row["reason"] == "suppressed"} == {None}

    # Objects that an erasure did not reach are put back: neither a backfill nor a cleared run brings anybody back.
    for key in [key for key in sent if "/archive/" in key or "/segment-logs/" in key]:
        bucket, _, name = key.partition("/")
        site.put(bucket, name, gzip.compress(b"\n".join(sorted(sent[key])) + b"\n"))
    backfill = lake.take_range("backfill", Window(DAY - timedelta(days=10), DAY + timedelta(days=1)), "archive")
    assert len(backfill.objects) == 2
    report = lake.load("backfill", backfill, plan=PLAN)
    assert report.adds_up
    assert report.rejected_by_reason["suppressed"] > 5
    lake.stage("20261121T010203004Z-people.ndjson", b"\n".join(LOADED) + b"\n")
    assert lake.load("run-1", lake.take_all("run-1"), plan=PLAN).adds_up
    lake.model("model-2")
    rows = contents(lake)
    assert [
        row for table in (lake.t.events, lake.t.sessions, lake.t.violations) for row in rows[table] if of_kim(row)
    ] == []
    ids = {row["message_id"] for row in lake.rows("events")}
    assert {one for one in ids if one.startswith("k")} == set()
    assert ids >= {"l2", "l3", "l5", "l8", "l9", "l11", "m1"}

    # Once the old states have gone, the same erasure takes away what was put back, and finds no state from before.
    let_old_states_go(lake)
    again = site.erasure(asked, "again")
    assert run_all(again)["segment-logs/"] > 0
    let_old_states_go(lake)
    last = site.erasure(asked, "last")
    assert run_all(last) == {}
    assert left_of_kim(lake) == []
    found = figures(lake, "last")
    assert {place for place, row in found.items() if row["found"] or row["removed"] or row["old_states"]} == set()

    for one in (erasure, again, last):
        steps.forget(one)
        assert steps.load_job(one.objects, one.run_id) is None
    assert not any("forgotten" in table for table in tables(lake))


def of_kim_line(line: bytes) -> bool:
    """A message of the person, or part of one: l3 only mentions her."""
    return any(f'"{key}": "{one}"'.encode() in line for key in ("anonymousId", "previousId") for one in KIM) or (
        b'"userId": "kim' in line and b'"messageId": "l3"' not in line and b'"kim2"' not in line
    )


class Crashing:
    """Runs each statement, and dies after each file that writes, the first time."""

    writes = frozenset(
        {
            "lake/suppressions/load.sql", "work/forgotten/load.sql", "work/forgotten/add.sql", "erase/delete.sql",
            "erase/blank.sql", "erase/clean_rejected.sql", "lake/sessions/load.sql", "maintenance/rewrite.sql",
            "lake/erasures/load.sql", "work/forgotten/drop.sql",
        }
    )  # fmt: skip

    def __init__(self, run: Any) -> None:
        self._run = run
        self.died: set[str] = set()

    def __call__(self, path: str, **values: Any) -> Any:
        result = self._run(path, **values)
        if path in self.writes - self.died:
            self.died.add(path)
            raise KilledError
        return result


class KilledError(RuntimeError):
    """As if the worker died."""


@pytest.mark.promise("P6")
@pytest.mark.scenario("X55")
@pytest.mark.slow
def test_an_erasure_that_is_killed_after_any_statement_goes_on(machine: Machine) -> None:
    lake = scratch_lake(machine)
    site = Site(lake, "")
    lines = [
        order("k2", 2, "kim", "phone"), message("k5", 10, "kim", "pad"), message("l5", 11, "lee", "pad"),
        b'{"userId": "kim", "traits": {"email": "kim@example.com"',
    ]  # fmt: skip
    lake.stage("20261121T010203004Z-people.ndjson", b"\n".join(lines) + b"\n")
    lake.load("run-1", plan=PLAN)
    lake.model("model-1")
    asked, crashing = Asked("kim", exclude=("pad",)), Crashing(lake.run)
    for step in (lambda erasure: steps.find(erasure, asked), *STEPS, steps.forget):
        for _ in range(60):
            erasure = site.erasure(asked, "erase")
            erasure.run = crashing
            erasure.job = steps.load_job(erasure.objects, "erase") or erasure.job
            try:
                step(erasure)
                break
            except KilledError:
                continue
        else:
            pytest.fail("it never ends")

    assert crashing.died == crashing.writes
    assert left_of_kim(lake) == []
    assert [row["message_id"] for row in lake.rows("events")] == ["l5"]
    done = figures(lake, "erase")
    assert (done["events"]["found"], done["events"]["removed"], done["events"]["left_over"]) == (2, 2, 0)
    assert (done["rejects"]["found"], done["rejects"]["removed"]) == (1, 1)
    assert done["events"]["old_states"] > 0
    assert lake.query(f'select count(*) as n from {lake.t.events[:-1]}$files" where content <> 0') == [{"n": 0}]
