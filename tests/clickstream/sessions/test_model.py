"""What a run of model_sessions looks at and in which order, without Trino."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clickstream.engine.query import Result
from clickstream.sessions.model import (
    Changes,
    Load,
    SessionRules,
    model_pending,
    model_range,
    rules_of,
)
from clickstream.settings import Settings
from clickstream.window import Span, Window

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = SessionRules(idle_minutes=30, longest_hours=24, late_days=30)


def load(run_id: str, first: datetime | None = NOON, last: datetime | None = NOON + HOUR, updated: int = 0) -> Load:
    return Load(run_id, NOON + 2 * HOUR, first, last, updated)


class Answers:
    """Gives rows by the file that is run, in turn; keeps what was run, and with what."""

    def __init__(self, **answers: list[list[dict[str, Any]]]) -> None:
        self.answers = {"taken": [[{"reported_at": None}]]} | answers
        self.ran: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, path: str, **values: Any) -> Result:
        self.ran.append((path, values))
        given = self.answers.get(path.rsplit("/", 1)[-1].removesuffix(".sql"), [[]])
        return Result(given.pop(0) if len(given) > 1 else given[0], "q", 0, 0, 0)

    def paths(self) -> list[str]:
        return [path for path, _ in self.ran if not path.endswith("drop.sql")]


PENDING = {
    "run_id": "run-1",
    "reported_at": NOON,
    "first_received_at": NOON,
    "last_received_at": NOON + HOUR,
    "rows_updated": 0,
}
BOUNDS = {"earliest": NOON, "latest": NOON + HOUR, "regions": 1, "points": 3, "visitors": 1}
RECEIVED = {"starts_at": NOON, "ends_at": NOON + HOUR}
COUNTS = {"sessions_new": 1, "sessions_changed": 2, "sessions_aliased": 3, "sessions_capped": 4}


def test_the_rules_are_those_of_the_settings() -> None:
    settings = Settings(
        "a", "b", "c", session_idle_minutes=20, session_conversion_events=" order_completed, , signed_up "
    )

    assert rules_of(settings) == SessionRules(20, 24, 30, ("order_completed", "signed_up"))


def test_loads_are_read_from_the_first_to_the_last_received() -> None:
    changes = Changes((load("a"), load("none", None, None), load("b", NOON - HOUR, NOON)))

    assert changes.run_ids == ["a", "none", "b"]
    assert changes.received == Span(NOON - HOUR, NOON + HOUR)
    assert changes.rebuilt == ()
    assert Changes((load("a", updated=2),)).rebuilt == (Span(NOON, NOON + HOUR),)
    assert Changes((load("none", None, None),)).received is None
    hours = [load(f"run-{n}", NOON + n * HOUR, NOON + (n + 1) * HOUR, updated=1) for n in (5, 3, 4, 90)]
    assert Changes(tuple(hours)).rebuilt == (
        Span(NOON + 3 * HOUR, NOON + 6 * HOUR), Span(NOON + 90 * HOUR, NOON + 91 * HOUR)
    )  # fmt: skip


def test_a_range_is_read_as_far_as_clocks_are_believed() -> None:
    changes = Changes(window=Window(NOON, NOON + HOUR), late_days=30)

    assert changes.received == Span(NOON - timedelta(minutes=5), NOON + HOUR + timedelta(days=30))


def test_loads_are_modelled_until_none_is_left() -> None:
    run = Answers(
        pending=[[PENDING], [PENDING | {"run_id": "run-2"}], []],
        bounds=[[BOUNDS]],
        received=[[RECEIVED]],
        report=[[COUNTS]],
    )

    first, second = model_pending(run, RULES, "model-1", NOON)

    assert (first.changes.run_ids, second.changes.run_ids) == (["run-1"], ["run-2"])
    assert first.text() == "1 loads: 3 events of 1 visitors; sessions: 1 new, 2 changed, 3 aliased, 4 capped"
    one = [
        "lake/session_runs/pending.sql",
        "work/session_regions/load.sql",
        "work/session_regions/bounds.sql",
        "work/session_regions/received.sql",
        "work/session_steps/load.sql",
        "work/session_drafts/load.sql",
        "lake/sessions/load.sql",
        "lake/sessions/report.sql",
        "lake/session_runs/load.sql",
    ]
    assert run.paths() == ["lake/session_runs/taken.sql", *one, *one, "lake/session_runs/pending.sql"]
    assert (first.first_started_at, first.last_started_at) == (NOON, NOON + HOUR)


@pytest.mark.promise("P10")
def test_loads_from_well_before_one_that_was_taken_are_not_looked_for() -> None:
    asked = {
        taken_at: Answers(taken=[[{"reported_at": taken_at}]], pending=[[PENDING], []]) for taken_at in (NOON, None)
    }

    for run in asked.values():
        run.answers["bounds"] = [[BOUNDS | {"regions": 0}]]
        list(model_pending(run, RULES, "model-1", NOON))

    since = {
        taken_at: {values["reported_since"] for path, values in run.ran if path.endswith("pending.sql")}
        for taken_at, run in asked.items()
    }
    assert since == {NOON: {NOON - 48 * HOUR}, None: {datetime(1970, 1, 1, tzinfo=UTC)}}
    assert all(run.ran[0][1] == {"modelled_since": NOON - 7 * 24 * HOUR} for run in asked.values())


def test_a_load_without_an_event_is_taken_and_nothing_is_read() -> None:
    run = Answers(pending=[[PENDING | {"first_received_at": None, "last_received_at": None}], []])

    (report,) = model_pending(run, RULES, "model-1", NOON)

    assert (report.points, report.sessions_new) == (0, 0)
    assert run.paths()[1:3] == ["lake/session_runs/pending.sql", "lake/session_runs/load.sql"]
    assert len(run.paths()) == 4
    assert (report.first_started_at, report.last_started_at) == (None, None)


def test_events_of_nobody_change_nothing() -> None:
    run = Answers(
        pending=[[PENDING], []],
        bounds=[[{"earliest": None, "latest": None, "regions": 0, "points": 0, "visitors": 0}]],
    )

    (report,) = model_pending(run, RULES, "model-1", NOON)

    assert report.visitors == 0
    assert "lake/sessions/load.sql" not in run.paths()
    assert run.paths()[-2] == "lake/session_runs/load.sql"


def test_many_scattered_hours_are_read_as_one_span() -> None:
    spans = [{"starts_at": NOON + n * 48 * HOUR, "ends_at": NOON + (n * 48 + 1) * HOUR} for n in range(101)]
    run = Answers(pending=[[PENDING], []], bounds=[[BOUNDS]], received=[spans], report=[[COUNTS]])

    list(model_pending(run, RULES, "model-1", NOON))

    (steps,) = [values for path, values in run.ran if path == "work/session_steps/load.sql"]
    assert steps["received"].spans == (Span(NOON, NOON + 4801 * HOUR),)


def test_a_long_range_is_modelled_a_month_at_a_time() -> None:
    run = Answers(bounds=[[BOUNDS]], received=[[RECEIVED]], report=[[COUNTS]])

    reports = list(model_range(run, RULES, "model-1", NOON, Window(NOON, NOON + timedelta(days=40))))

    assert [(report.rebuilt_from, report.rebuilt_to) for report in reports] == [
        (NOON, NOON + timedelta(days=31)),
        (NOON + timedelta(days=31), NOON + timedelta(days=40)),
    ]
    assert [report.changes.loads for report in reports] == [(), ()]
