"""What a run keeps between its steps."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from clickstream.athena.sql import inlined
from clickstream.engine.sql import SQL_DIR, lake_tables, render
from clickstream.erase.job import Job, from_json, job_key, request_key
from clickstream.erase.person import MOST_CHARACTERS, MOST_IDS, Asked, Undecided, digest
from clickstream.erase.places import Counts
from clickstream.erase.tables import MESSAGE_IDS, Rule, searched
from clickstream.window import Window
from local import pipeline
from local.pipeline import erasure_key
from local.places import LocalError
from tests.clickstream.memory_aws import MemoryS3
from tools.sample_values import SETTINGS, values

DAY = datetime(2026, 11, 21, tzinfo=UTC)


def full() -> Job:
    job = Job(Asked("kim", "phone", ("pad",), ("kiosk",)), False, frozenset({"kim", "phone"}), (Undecided("x", "y"),))
    job.of("events").cannot_read("key")
    job.after["archive/"] = "archive/é"
    job.add_days("events", "[1763683200.0, 1763769600.0]")
    job.add_windows([(DAY, DAY + timedelta(minutes=5))])
    return job


def test_a_job_is_read_as_it_was_written() -> None:
    assert from_json(full().to_json()) == full()


def test_days_and_sessions_that_touch_are_gone_through_as_one() -> None:
    job = full()
    job.add_days("events", "[1763683200.0, 1764028800.0]")
    job.add_days("events", None)
    job.add_windows([(DAY + timedelta(minutes=4), DAY + timedelta(minutes=9)), (DAY, DAY)])

    first = datetime(2025, 11, 21, tzinfo=UTC)
    assert job.spans("events") == (
        Window(first, first + timedelta(days=2)),
        Window(first + timedelta(days=4), first + timedelta(days=5)),
    )
    assert job.spans("rejects") == ()
    assert job.session_windows == [Window(DAY, DAY + timedelta(minutes=9, microseconds=1))]


def test_a_job_that_begins_again_keeps_what_was_done() -> None:
    begun = Job(Asked("kim"), True, frozenset({"kim", "new"}))

    again = begun.restarted(full())

    assert again.ids == {"kim", "new", "phone"}
    assert (again.asked, again.dry_run, again.undecided) == (Asked("kim"), True, ())
    assert again.counts == {"events": Counts(unreadable=1, unreadable_keys=["key"])}


def test_many_ids_are_searched_in_parts_that_a_statement_can_name() -> None:
    ids = [f"00000000-0000-4000-8000-{number:012}" for number in range(200)]
    job = Job(Asked(ids[0]), ids=frozenset(ids), earlier=frozenset(map(digest, map(str, range(250)))))
    columns = lake_tables()["events"].columns

    parts = job.slices()

    statements = [
        render(
            "erase/search.sql", SETTINGS, {"altered": ("clickstream", "events"), "searched": searched(columns), **part}
        )
        for part in parts
    ]
    assert max(len(inlined(one).encode()) for one in statements) < 200_000
    assert {one for part in parts for one in part["ids"]} == job.ids
    assert [one for part in parts for one in part["earlier"]] == sorted(job.earlier)
    assert {quoted for part in parts for quoted in json.loads(part["quoted_json"])} == {f'"{one}"' for one in ids}
    assert all(part["ids"] for part in parts)


@pytest.mark.parametrize("path", sorted(str(path.relative_to(SQL_DIR)) for path in (SQL_DIR / "erase").glob("*.sql")))
def test_a_statement_for_the_most_ids_is_short_enough_for_athena(path: str) -> None:
    """262,144 bytes: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html"""
    ids = [f"{number:077}" for number in range(MOST_IDS)]
    job = Job(Asked(ids[0]), ids=frozenset(ids))
    columns = lake_tables()["events"].columns
    own = job.slices()[0] if path == "erase/search.sql" else job.values
    given = {**values("a run"), "searched": searched(columns), "rule": Rule(MESSAGE_IDS, "line", by_message=True)}

    statement = render(path, SETTINGS, {**given, "limits": SETTINGS, **own, "earlier": []})

    assert sum(len(json.dumps(one)) for one in ids) <= MOST_CHARACTERS
    assert len(inlined(statement).encode()) < 262_144


def test_what_is_there_is_noted_once_however_often_it_is_tried() -> None:
    counts = Counts()
    for _ in range(2):
        counts.there_are(5)
    counts.removed = counts.found
    for _ in range(2):
        counts.there_are(1)

    assert (counts.found, counts.removed) == (6, 5)


def test_keys_are_plain_whatever_the_names_are() -> None:
    assert job_key("manual__2026-11-21T00:00:00+00:00/../x").startswith("erasures/")
    # printf %s ticket-4711 | sha256sum: the runbook makes it so.
    assert (
        request_key("ticket-4711")
        == "erasures/requests/d4f8096d8f887dd928bfff2b6d3e6a55fed8e1816fddc203e163502aa5b45cbf.json"
    )


@pytest.mark.parametrize("fails", ["trigger", "wait"])
def test_make_erase_leaves_no_request_when_it_fails(fails: str, monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = MemoryS3({"lake": {}})
    asked: list[str] = []

    class FailingAirflow:
        def __init__(self, _: object) -> None: ...

        def trigger(self, _: str, conf: dict[str, str]) -> str:
            asked.extend(s3.buckets["lake"])
            assert asked == [request_key(conf["request"])]
            if fails == "trigger":
                raise LocalError
            return "run"

        def wait(self, *_: object) -> None:
            raise LocalError

    monkeypatch.setattr(pipeline, "Airflow", FailingAirflow)
    monkeypatch.setattr(pipeline, "aws_client", lambda *_: s3.client)
    places: Any = SimpleNamespace(settings=lambda: {"CLICKSTREAM_LAKE_BUCKET": "lake"})

    with pytest.raises(LocalError):
        pipeline.erase(places, {"user_id": "kim"}, True, lambda _: None)

    assert len(asked) == 1
    assert s3.buckets["lake"] == {}


def test_make_erase_puts_and_reads_where_the_dag_does() -> None:
    assert erasure_key("a run") == job_key("a run")
    assert erasure_key("a name", "requests/") == request_key("a name")
