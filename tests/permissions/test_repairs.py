"""The DAGs that repair, run by a real Airflow on the deployed template with checked permissions.

Every message of the erased person has MARK in it, which nothing else has: what holds it was not erased. The others'
rows are those that were there before.
"""

import base64
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clickstream.engine.sql import quote
from clickstream.settings import Settings, load_settings
from local import pipeline
from local.airflow_api import Airflow
from local.lake.machine import Machine
from local.segment.events import generate_day
from local.services import connect_trino
from tests.local.aws.hurry import hurry
from tests.permissions import policies
from tests.permissions.path import collect, deployed_roles

MARK = "Kim-Mun-hui"
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
DEVICES = [f"kim-device-{number:02}" for number in range(20)]
ASKED = {"user_id": "kim", "anonymous_id": "", "include": []}
KIOSK = "kiosk"


def message(message_id: str, days_ago: float, user: str | None, device: str, **more: Any) -> bytes:
    """An order that breaks rules of the plan and has a value that fits no column; MARK if it is the person's."""
    at = (NOW - timedelta(days=days_ago)).isoformat()
    said = MARK if message_id.startswith("kim") else "somebody"
    body = {
        "messageId": message_id,
        "type": "track",
        "event": "Order Completed",
        "userId": user,
        "anonymousId": device,
        "timestamp": at,
        "receivedAt": at,
        "properties": {"order_id": 7, "revenue": said, "products": [], "note_of_buyer": said},
        "context": {"screen": {"width": said}, "page": {"path": "/paid"}},
        **more,
    }
    return json.dumps(body).encode()


def person(prefix: str, days_ago: float) -> Iterator[bytes]:
    """A visit on each device, before and after signing in; the device of each day is another one."""
    for number, device in enumerate(DEVICES):
        yield message(f"{prefix}-before-{number}", days_ago + number, None, device)
        yield message(f"{prefix}-{number}", days_ago + number, "kim", device, type="identify", traits={"name": MARK})


OTHERS = [
    *(message(f"lee-{day}", day, "lee", "lee-device") for day in range(30)),
    *(message(f"guest-{number}", 1, f"guest-{number}", KIOSK) for number in range(6)),
    message("speaks-of-her", 2, "lee", "lee-device", properties={"seller": "kim", "userId": "kim"}),
]
LOADED = [
    *person("kim", 1),
    message("kim-kiosk", 1, "kim", KIOSK),
    # Sent a week after it happened.
    message("kim-late", 3, "kim", DEVICES[3], timestamp=(NOW - timedelta(days=10)).isoformat()),
    # No message, and one without an id: rejected by the load.
    json.dumps({"type": "track", "userId": "kim", "note": MARK, "receivedAt": NOW.isoformat()}).encode(),
]
BROKEN = f'{{"messageId":"kim-broken","userId":"kim","note":"{MARK}"'.encode()


class Site:
    """The stack, with Airflow, and what is asked of it."""

    def __init__(self, machine: Machine) -> None:
        machine.start_airflow()
        # The template's archive is written by the second delivery stream.
        hurry(machine.client("firehose"), "clickstream-archive")
        self.machine, self.places = machine, machine.places
        self.settings: Settings = load_settings(machine.places.settings())
        self.s3 = machine.client("s3")
        self.airflow = Airflow(machine.places)

    def send(self, records: list[bytes]) -> None:
        """Put them on the stream; return when they are staged, and archived by the second delivery stream."""
        pipeline.send(records, self.places, print)
        pipeline.wait_until_staged(self.places, print)

    def run(self, dag_id: str, form: dict[str, Any] | None = None) -> str:
        """Run a DAG to its end; return the run's id."""
        run_id = self.airflow.trigger(dag_id, form)
        self.airflow.wait(dag_id, run_id, print)
        return run_id

    def denied(self) -> list[policies.Decision]:
        """What a role was refused that the template gives."""
        record = self.places.state / "aws" / "decisions.ndjson"
        return [one for one in policies.decisions(record, deployed_roles(self.machine)) if not one.allowed]

    def query(self, statement: str) -> list[list[Any]]:
        return pipeline.query(self.places, statement)[1]

    def tables(self) -> dict[str, list[str]]:
        """Every row of every table of the lake, as text."""
        own = self.settings
        schemas = ", ".join(f"'{name}'" for name in (own.lake_database, own.events_database, own.work_database))
        names = self.query(
            "select table_schema, table_name from lake.information_schema.tables "
            f"where table_schema in ({schemas}) and table_type = 'BASE TABLE'"
        )
        return {
            f"{schema}.{name}": sorted(
                str(row) for row in self.query(f"select * from lake.{quote(schema)}.{quote(name)}")
            )
            for schema, name in names
        }

    def objects(self) -> dict[str, list[bytes]]:
        """The lines of every version of every object of the path, with records in base64 decoded."""
        own, found = self.settings, dict[str, list[bytes]]()
        for bucket in (own.raw_bucket, own.staging_bucket, own.archive_bucket):
            for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
                for one in page.get("Versions", []):
                    of = {"Bucket": bucket, "Key": one["Key"], "VersionId": one["VersionId"]}
                    body = self.s3.get_object(**of)["Body"].read()
                    text = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
                    found.setdefault(f"{bucket}/{one['Key']}", []).extend(map(decoded, text.splitlines()))
        return found

    def let_old_states_go(self) -> None:
        """What maintain_tables does when their time has come."""
        with connect_trino(self.places) as connection:
            cursor = connection.cursor()
            cursor.execute("set session lake.expire_snapshots_min_retention = '0s'").fetchall()
            for table in self.tables():
                statement = f"alter table lake.{table} execute expire_snapshots(retention_threshold => '0s')"
                cursor.execute(statement).fetchall()

    def erase(self, dry_run: bool, exclude: tuple[str, ...] = ()) -> tuple[dict[str, int], list[dict[str, str]]]:
        """As `make erase`."""
        return pipeline.erase(self.places, {**ASKED, "exclude": list(exclude)}, dry_run, print)


@pytest.fixture(scope="module")
def site(checked: Machine) -> Site:
    return Site(checked)


def decoded(line: bytes) -> bytes:
    return base64.b64decode(json.loads(line)["rawData"]) if b'"rawData"' in line else line


def marked(found: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """What has MARK in it, by place."""
    mark = MARK.encode()
    kept = {
        place: [line for line in lines if (mark in line if isinstance(line, bytes) else MARK in line)]
        for place, lines in found.items()
    }
    return {place: lines for place, lines in kept.items() if lines}


@pytest.mark.slow
@pytest.mark.promise("P1", "P6")
@pytest.mark.scenario("X59")
def test_a_person_with_twenty_devices_is_erased_on_the_whole_path(site: Site) -> None:
    day = generate_day(7, datetime.now(UTC), users=12)
    site.send([*day, *OTHERS, *LOADED, BROKEN])
    collect(site.machine, [{"type": "track", "event": "A", "userId": "of another"}, {"userId": "kim", "name": MARK}])
    pipeline.write_archive([*OTHERS, *LOADED[:-1]], site.places)
    pipeline.wait_until_staged(site.places, print)
    for dag in ("crawl_staging", "load_events", "model_sessions"):
        site.run(dag)
    site.send([message("kim-staged", 0, "kim", DEVICES[5]), message("lee-staged", 0, "lee", "lee-device")])
    before, sent = site.tables(), site.objects()
    places = {place.rpartition("/")[0] for place in marked(sent)}
    assert {
        folder for folder in ("staging/", "processing-failed/", "refused/", "segment-logs/", "/archive/")
        if any(folder in f"{place}/" for place in places)
    } == {"staging/", "processing-failed/", "refused/", "segment-logs/", "/archive/"}  # fmt: skip

    preview, undecided = site.erase(dry_run=True)
    assert [one["id"] for one in undecided] == [KIOSK]
    assert preview["events"] == 42
    after = site.tables()
    assert {table: after[table] for table in before} == before
    assert site.objects() == sent

    erased, _ = site.erase(dry_run=False, exclude=(KIOSK,))

    assert erased["events"] == preview["events"]
    after = site.tables()
    assert (marked(after), marked(site.objects())) == ({}, {})
    others = {place: [line for line in lines if MARK.encode() not in line] for place, lines in sent.items()}
    left = site.objects()
    assert {place: lines for place, lines in others.items() if lines} == {
        place: lines for place, lines in left.items() if lines
    }
    for table, rows in before.items():
        of_others = [row for row in rows if MARK not in row and "'kim" not in row and f"'{KIOSK}'" not in row]
        assert [row for row in of_others if row not in after[table]] == [], table
    assert [row for row in after["clickstream.events"] if "speaks-of-her" in row] != []
    assert not any("kim" in row for row in after["clickstream.erasures"])
    assert len(site.query("select message_id from events where message_id like 'guest-%'")) == 6

    # Nothing brings the person back: what is staged, a backfill from the archive, what is sent again, a cleared run.
    site.send([message("kim-again", 0, "kim", DEVICES[7])])
    span = {"from": (NOW - timedelta(days=32)).isoformat(), "to": (NOW + timedelta(hours=2)).isoformat()}
    loaded = site.run("load_events")
    site.run("load_events", {**span, "source": "archive"})
    for source in ("processing-failed", "refused", "rejects"):
        site.run("redrive_failed", {**span, "source": source, "dry_run": False})
    pipeline.wait_until_staged(site.places, print)
    site.run("load_events")
    site.airflow.clear("load_events", loaded)
    site.airflow.wait("load_events", loaded, print)
    site.run("model_sessions", span)
    assert marked(site.tables()) == {}
    assert site.query("select message_id from events where message_id like '%-staged'") == [["lee-staged"]]

    # What arrived since is taken too; then nothing is left to be found, in old states of tables neither.
    site.erase(dry_run=False, exclude=(KIOSK,))
    site.let_old_states_go()
    last, _ = site.erase(dry_run=False, exclude=(KIOSK,))
    assert last == {}
    assert (marked(site.tables()), marked(site.objects())) == ({}, {})
    assert site.query("select max_by(found, erased_at), max_by(old_states, erased_at) from erasures") == [[0, 0]]
    assert site.denied() == []


@pytest.mark.slow
@pytest.mark.scenario("X57")
def test_an_hour_that_misses_a_message_is_healed_by_one_load_however_often_it_is_tried(site: Site) -> None:
    hour = NOW - timedelta(hours=30)
    pipeline.write_archive([message("only-archived", 30 / 24, "lee", "lee-device")], site.places)
    form = {"from": hour.isoformat(), "to": (hour + timedelta(hours=1)).isoformat(), "dry_run": False, "large": True}

    run_id = site.run("reconcile_archive", form)

    began = datetime.now(UTC) - timedelta(hours=1)
    loads = site.airflow.runs("load_events", began)
    found = "select count(*) from events where message_id = 'only-archived'"
    compared = "select missing_here from archive_reconciliations order by compared_at desc"
    assert (site.query(found), site.query(compared)) == ([[1]], [[0]])
    assert any(load.startswith(run_id) for load in loads)
    site.airflow.clear("reconcile_archive", run_id, ["heal", "compare_again"])
    site.airflow.wait("reconcile_archive", run_id, print)
    assert (site.query(found), site.airflow.runs("load_events", began)) == ([[1]], loads)
    assert site.denied() == []
