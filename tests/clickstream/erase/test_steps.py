"""The steps over an engine that answers by file: what is noted, and when, so that a retry goes on."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clickstream.aws.erase_objects import AwsEraseObjects
from clickstream.engine.query import Result
from clickstream.erase import steps
from clickstream.erase.job import Job, job_key
from clickstream.erase.person import Asked, digest
from clickstream.erase.steps import Erasure
from clickstream.settings import Settings
from clickstream.window import Window
from tests.clickstream.memory_aws import MemoryS3

SETTINGS = Settings(staging_bucket="staging", lake_bucket="lake", crawler="c")
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
KIM = Job(Asked("kim"), False, frozenset({"kim"}))
Rows = list[dict[str, Any]]


class KilledError(RuntimeError):
    """As if the worker died."""


class Engine:
    """Answers each file with rows, or by a function of its values; says of every change that it changed 0 rows."""

    def __init__(self, answers: Mapping[str, Rows | Callable[[dict[str, Any]], Rows]]) -> None:
        self.answers = dict(answers)
        self.ran: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, path: str, **values: Any) -> Result:
        self.ran.append((path, values))
        answer = self.answers.get(path, [])
        return Result(answer(values) if callable(answer) else answer, "query", 0, None, 0)

    def values(self, path: str) -> list[dict[str, Any]]:
        return [values for ran, values in self.ran if ran == path]


def column(schema: str, table: str, name: str) -> dict[str, Any]:
    return {
        "table_schema": schema, "table_name": table, "column_name": name, "data_type": "varchar", "column_comment": "",
    }  # fmt: skip


def erasure(engine: Engine, job: Job = KIM, s3: MemoryS3 | None = None) -> Erasure:
    objects = AwsEraseObjects(lambda _: (s3 or MemoryS3({"lake": {}, "staging": {}})).client, SETTINGS)
    return Erasure(engine, objects, SETTINGS, "run", NOON, job, lambda _: None)


def test_what_is_to_go_is_noted_before_it_goes_so_that_files_are_rewritten_after_a_kill() -> None:
    """Also with an engine that does not say how many rows it changed."""
    rows = {"events": 2}

    def delete(values: dict[str, Any]) -> Rows:
        if values["altered"][1] == "events":
            rows["events"] = 0
            if not engine.answers.get("killed"):
                engine.answers["killed"] = [{}]
                raise KilledError
        return []

    engine = Engine(
        {
            "evolution/columns.sql": [column(SETTINGS.lake_database, "events", "user_id")],
            "erase/count.sql": lambda values: [
                {"found": rows.get(values["altered"][1], 0), "days": f"[{NOON.timestamp() - 43_200}]"}
            ],
            "erase/delete.sql": delete,
            "erase/old_states.sql": [{"old_states": 3, "delete_files": 0}],
            "erase/search.sql": [{"own": 0, "mentions": 0}],
        }
    )
    s3 = MemoryS3({"lake": {}, "staging": {}})
    with pytest.raises(KilledError):
        steps.clean_tables(erasure(engine, Job(Asked("kim"), False, frozenset({"kim"})), s3))
    kept = steps.load_job(erasure(engine, s3=s3).objects, "run")
    assert kept is not None

    again = erasure(engine, kept, s3)
    assert steps.clean_tables(again) == {"events": 2}
    assert steps.rewrite_files(again) == ["events"]
    assert [values["span"] for values in engine.values("maintenance/rewrite.sql")] == [
        Window(NOON - timedelta(hours=12), NOON + timedelta(hours=12))
    ]
    steps.prove(again)
    [stored] = engine.values("lake/erasures/load.sql")
    [events] = [row for row in json.loads(stored["places_json"]) if row["place"] == "events"]
    assert (events["found"], events["removed"], events["old_states"]) == (2, 2, 3)


def test_an_excluded_id_does_not_come_back_from_an_earlier_run() -> None:
    digests = [digest("kim"), digest("pad"), digest("phone")]
    engine = Engine({"erase/earlier_ids.sql": [{"id_digest": one} for one in digests]})
    one = erasure(engine)

    steps.find(one, Asked("kim", exclude=("pad",)))

    assert one.job.earlier == {digest("phone")}


@pytest.mark.parametrize(
    "line", ['{"userId":42}x', '{"userId":4.2e1}', '{"anonymousId":"\\u0034\\u0032"}', '{"previousId": "42']
)
def test_rejected_lines_are_fetched_however_an_id_is_written(line: str) -> None:
    def rejected(values: dict[str, Any]) -> Rows:
        marks, is_cleaned = json.loads(values["quoted_json"]), engine.values("erase/clean_rejected.sql")
        is_marked = any(mark in line for mark in marks) and not is_cleaned
        return [{"reject_id": "A", "staged_at": NOON, "line": line}] if is_marked and not values["after_id"] else []

    engine = Engine({"erase/rejected.sql": rejected})
    one = erasure(engine, Job(Asked("42"), False, frozenset({"42"})))

    assert steps.clean_tables(one) == {"rejects": 1}
    assert engine.values("erase/clean_rejected.sql")[0] == {"lines_json": '[["A", null]]'}


def test_sessions_of_others_that_a_run_has_not_written_are_modelled_again() -> None:
    drafts = (SETTINGS.work_database, f"session_drafts_{'0' * 24}")
    sessions = [
        {"started_at": NOON, "ended_at": NOON, "is_own": True},
        {"started_at": NOON + timedelta(days=1), "ended_at": NOON + timedelta(days=1), "is_own": False},
    ]
    engine = Engine(
        {
            "evolution/columns.sql": [column(*drafts, name) for name in ("visitor_id", "first_user_id")],
            "erase/count.sql": [{"found": 1, "days": None}],
            "erase/sessions.sql": lambda values: sessions if values["altered"] == drafts else [],
        }
    )
    one = erasure(engine, Job(Asked("kim"), False, frozenset({"kim"})))

    steps.clean_tables(one)

    [noted, deleted] = [
        [number for number, (path, values) in enumerate(engine.ran) if (path, values.get("altered")) == (file, drafts)]
        for file in ("erase/sessions.sql", "erase/delete.sql")
    ]
    assert noted[0] < deleted[0]
    start = NOON + timedelta(days=1)
    assert one.job.session_windows == [Window(start, start + timedelta(microseconds=1))]


def test_nothing_that_quotes_messages_is_left_behind() -> None:
    s3 = MemoryS3({"lake": {"status/status.json": b"{}", "status/other": b"{}", job_key("run"): b"{}"}, "staging": {}})

    steps.forget(erasure(Engine({}), s3=s3))

    assert set(s3.buckets["lake"]) == {"status/other"}
