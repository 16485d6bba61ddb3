"""A day of events through a stack that may hold anything already, as often as one likes.

`docker compose run --rm test` runs it on the containers, where Airflow loads. `make test` runs it on the stack of the
other end-to-end tests, where the tasks of the load run in this process.
What the tables must hold of these events is worked out by the independent model.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from local import pipeline
from local.airflow_api import Airflow
from local.lake.machine import Machine
from local.segment.events import generate_day
from tests.model.compare import compare
from tests.model.expected import Row, expected_tables, staged_file

Quiet: Callable[[str], None] = lambda message: None  # noqa: E731
ORIGIN = dict.fromkeys(("source_path", "staged_at"))


@dataclass
class Sent:
    """What was sent, and what the model makes of it."""

    machine: Machine
    crawl_and_load: Callable[[], object]
    records: list[bytes]
    model: list[Row]
    since: datetime

    def query(self, statement: str) -> list[dict[str, Any]]:
        """The rows of a statement."""
        names, rows = pipeline.query(self.machine.places, statement)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def rows(self) -> list[dict[str, Any]]:
        """The rows of these messages, without where they were read."""
        wanted = {row["message_id"] for row in self.model}
        rows = self.query("select * from lake.clickstream.events")
        return [{**row, **ORIGIN} for row in rows if row["message_id"] in wanted]

    def load(self) -> None:
        """Send all, and load what is staged."""
        pipeline.send(self.records, self.machine.places, Quiet)
        pipeline.wait_until_staged(self.machine.places, Quiet)
        self.crawl_and_load()


@pytest.fixture(scope="module")
def sent(machine: Machine, request: pytest.FixtureRequest) -> Sent:
    machine.start_airflow()
    if machine.places.elsewhere:
        crawl_and_load: Callable[[], object] = lambda: pipeline.run_pipeline(machine.places, Quiet)  # noqa: E731
    else:
        run_tasks = request.getfixturevalue("run_tasks")
        crawl_and_load = lambda: [run_tasks(dag) for dag in ("crawl_staging", "load_events")]  # noqa: E731
    now = datetime.now(UTC)
    # Another day each time, so that none of its ids is known yet.
    records = [record for record in generate_day(time.time_ns() % 2**31, now, users=12) if is_message(record)]
    name = f"s3://b/staging/{now:%Y%m%dT%H%M%S}000Z-a"
    model = expected_tables([staged_file(name, b"\n".join(records) + b"\n")]).events
    day = Sent(machine, crawl_and_load, records, [{**row, **ORIGIN} for row in model], now)
    day.load()
    return day


def is_message(record: bytes) -> bool:
    try:
        return bool(json.loads(record)["messageId"])
    except (ValueError, KeyError, TypeError):
        return False


@pytest.mark.promise("P1")
def test_the_tables_hold_what_the_model_says(sent: Sent) -> None:
    assert len(sent.model) > 100
    assert compare(sent.model, sent.rows()) == []


def test_every_line_is_accounted_for(sent: Sent) -> None:
    since = f"timestamp '{sent.since:%Y-%m-%d %H:%M:%S} UTC'"
    [counts] = sent.query(
        "select sum(rows_read) as read, sum(rows_loaded) as loaded, sum(rows_duplicate) as duplicate, "
        f"sum(rows_rejected) as rejected from lake.clickstream.load_ledger where staged_at >= {since}"
    )

    assert counts["read"] == counts["loaded"] + counts["duplicate"] + counts["rejected"]
    assert counts["loaded"] >= len(sent.model)


def test_sessions_are_modelled(sent: Sent) -> None:
    # Where DAGs run by themselves, the load has begun a run already; this one then finds nothing left to do.
    airflow = Airflow(sent.machine.places)
    airflow.wait("model_sessions", airflow.trigger("model_sessions"), Quiet)

    user = next(row["user_id"] for row in sent.model if row["user_id"])
    [[sessions]] = pipeline.query(
        sent.machine.places, f"select count(*) from lake.clickstream.sessions where last_user_id = '{user}'"
    )[1]
    assert sessions > 0


@pytest.mark.promise("P2")
def test_sending_all_again_changes_nothing(sent: Sent) -> None:
    before = sorted(map(str, sent.rows()))

    sent.load()

    assert sorted(map(str, sent.rows())) == before
