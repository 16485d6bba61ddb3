"""Backfills: three days, one of them staged and two only in the archive, loaded twice.

The tasks of a run with the values of the form are run in this process. What Airflow's API is asked for is what its UI
asks for: a backfill of hours.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local import pipeline
from local.airflow_api import Airflow
from local.lake.machine import Machine
from local.places import LocalError
from local.segment.events import generate_day
from tests.end_to_end.conftest import RunTasks
from tests.faults.airflow_tasks import Outcome, task_ids
from tests.model.compare import compare
from tests.model.expected import Row, expected_tables, staged_file

Quiet: Callable[[str], None] = lambda message: None  # noqa: E731
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ORIGIN = dict.fromkeys(("source_path", "staged_at"))
FORECAST = ("objects", "bytes", "rows_read", "rows_loaded", "rows_duplicate", "rows_rejected", "rows_updated")


@dataclass
class Days:
    """Two days written to the archive, and the last one sent, staged and not yet loaded."""

    machine: Machine
    run_tasks: RunTasks
    now: datetime
    model: list[Row]
    received: Counter[datetime]
    """Lines of the archive that are messages, those sent twice too, by the hour in which they were received."""

    def load(self, **form: Any) -> Outcome:
        """A manual run over the three days with these values of the form."""
        form = {"from": (self.now - 3 * DAY).isoformat(), "to": (self.now + HOUR).isoformat(), **form}
        return self.run_tasks("load_events", form)

    def rows(self) -> list[dict[str, Any]]:
        """The rows of these days' messages."""
        names, rows = pipeline.query(self.machine.places, "select * from lake.clickstream.events order by message_id")
        wanted = {row["message_id"] for row in self.model}
        return [row for values in rows if (row := dict(zip(names, values, strict=True)))["message_id"] in wanted]

    def unplaced(self) -> list[dict[str, Any]]:
        """Those rows without where they were read."""
        return [{**row, **ORIGIN} for row in self.rows()]


@pytest.fixture(scope="module")
def days(machine: Machine, run_tasks: RunTasks) -> Days:
    now = datetime.now(UTC)
    archived = [*generate_day(1, now - 2 * DAY, users=12), *generate_day(2, now - DAY, users=12)]
    sent = list(generate_day(3, now, users=12))
    pipeline.write_archive(archived, machine.places)
    pipeline.send(sent, machine.places, Quiet)
    pipeline.wait_until_staged(machine.places, Quiet)
    body = b"\n".join(record for record in [*archived, *sent] if is_message(record)) + b"\n"
    name = f"s3://b/staging/{now:%Y%m%dT%H%M%S}000Z-a"
    model = [{**row, **ORIGIN} for row in expected_tables([staged_file(name, body)]).events]
    ids = {row["message_id"] for row in model}
    messages = [json.loads(record) for record in archived if is_message(record)]
    received = Counter(hour_of(message["receivedAt"]) for message in messages if message["messageId"] in ids)
    return Days(machine, run_tasks, now, model, received)


@pytest.fixture
def airflow(machine: Machine) -> Airflow:
    machine.start_airflow()
    return Airflow(machine.places)


def hour_of(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def is_message(record: bytes) -> bool:
    try:
        return bool(json.loads(record)["messageId"])
    except (ValueError, KeyError, TypeError):
        return False


def test_the_preview_of_three_days_writes_nothing_and_is_what_then_happens(days: Days) -> None:
    dry = days.load(dry_run=True)

    preview = dry.returned["preview"]
    assert days.rows() == []
    assert dry.returned.keys() == {"create_tables", "take_manifest", "unpack", "preview", "drop_batch"}
    assert dry.returned.keys() | dry.skipped == set(task_ids("load_events"))
    assert preview["rows_loaded"] >= len(days.model)

    report = days.load().returned["report"]
    assert {name: report[name] for name in FORECAST} == {name: preview[name] for name in FORECAST}


@pytest.mark.promise("P2", "P7")
@pytest.mark.scenario("X31")
def test_the_tables_are_those_of_the_model_and_loading_again_changes_nothing(days: Days) -> None:
    first = days.rows()
    assert compare(days.model, days.unplaced()) == []

    report = days.load().returned["report"]

    assert days.rows() == first
    assert report["rows_loaded"] == 0
    assert report["rows_duplicate"] >= len(days.model)


@pytest.mark.slow
def test_rows_that_were_damaged_are_derived_again_from_both_places(days: Days) -> None:
    good = days.unplaced()
    ids = [days.model[0]["message_id"], days.model[-1]["message_id"]]
    pipeline.query(
        days.machine.places,
        f"update lake.clickstream.events set context = null, type = 'x' where message_id in ('{ids[0]}', '{ids[1]}')",
    )

    report = days.load(rebuild=True).returned["report"]

    updated = {"updated_at": None, "update_run_id": None}
    assert [{**row, **updated} for row in days.unplaced()] == [{**row, **updated} for row in good]
    assert report["rows_updated"] == 2


def test_airflow_s_own_backfill_reads_an_hour_from_the_archive(days: Days, airflow: Airflow) -> None:
    hour, count = next((hour, count) for hour, count in sorted(days.received.items()) if hour > days.now - 2 * DAY)
    before = days.rows()

    (run_id,) = airflow.backfill("load_events", hour, hour, Quiet)

    report = airflow.returned("load_events", run_id, "report")
    assert (report["rows_loaded"], report["rows_duplicate"]) == (0, count)
    assert days.rows() == before


def test_a_range_that_nobody_has_fails_and_says_so(days: Days, airflow: Airflow) -> None:
    conf = {"from": (days.now - 30 * DAY).isoformat(), "to": (days.now - 29 * DAY).isoformat()}
    run_id = airflow.trigger("load_events", conf)

    with pytest.raises(LocalError, match="load_events failed in take_manifest"):
        airflow.wait("load_events", run_id, Quiet)
