"""The task that fills the tables of single events: which statements it sends, and what stops it."""

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from clickstream.load import manifest
from clickstream.load.manifest import Manifest
from clickstream.plan.event import Event
from clickstream.plan.file import read_plan
from clickstream.plan.typed_tables import NoTableFilledError
from clickstream.window import Bounds
from tests.clickstream.fake_trino import FakeCursor, Rows, query_error
from tests.clickstream.memory_aws import MemoryS3
from tests.dags.conftest import HOUR, context
from tests.dags.test_trino_operators import RUN, ConnectTrino, run

pytestmark = pytest.mark.usefixtures("aws")

TABLES = ("order_completed", "email_sent")
PRESENT = [{"table_name": table, "messages": 3, "earliest": HOUR, "latest": HOUR} for table in TABLES]
RATES = [{"table_name": "email_sent", "messages": 3, "violating": 1, "discarding": 2}]
ANSWERS: dict[str, Any] = {
    "Which events one run brought": [PRESENT],
    "break a rule, of how many": [RATES],
    "the messages of one event are": [[{"low": None, "high": None}]],
}


@pytest.fixture(autouse=True)
def listed(s3: MemoryS3) -> None:
    """The run has its list of objects."""
    s3.buckets["lake-bucket"][manifest.key(RUN)] = Manifest(RUN, (), batch=Bounds(HOUR, HOUR)).to_json().encode()


def into(trino: Any, start: str) -> list[str]:
    found = [text.partition(start)[2].partition("\n")[0] for text, _ in trino.executed if f"\n{start}" in text]
    return sorted(name.split()[0].replace('"', "") for name in found)


def test_every_live_event_has_a_table_and_only_those_present_are_filled(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino(ANSWERS)

    rates = run(task, "load_typed_events")

    tables = into(trino, "create table if not exists ")
    assert tables == sorted(f"lake.clickstream_events.{event.table}" for event in read_plan().live)
    assert into(trino, "merge into ") == [
        "lake.clickstream.discards",
        "lake.clickstream.violations",
        "lake.clickstream_events.email_sent",
        "lake.clickstream_events.order_completed",
    ]
    assert rates == {"email_sent": {"messages": 3, "violating": 1}}
    assert [kind.split(".")[2].split("_")[0] for kind in into(trino, "drop table if exists ")] == [
        "findings",
        "rules",
        "typed",
    ]


def test_nothing_is_merged_for_messages_that_break_no_rule_and_lose_nothing(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino({**ANSWERS, "break a rule, of how many": [[{**RATES[0], "violating": 0, "discarding": 0}]]})

    assert run(task, "load_typed_events") == {"email_sent": {"messages": 3, "violating": 0}}

    assert into(trino, "merge into ") == [f"lake.clickstream_events.{table}" for table in sorted(TABLES)]


FORM = {"from": "2026-11-23T12:00:00Z", "to": "2026-11-24T12:00:00Z"}


def rebuild(task, conf: dict[str, Any]) -> Any:
    operator = task("rebuild_typed_events", "rebuild")
    given = context(operator, "manual", RUN, conf)
    operator.render_template_fields(given)
    return operator.execute(given)


def columns(event: Event) -> list[dict[str, Any]]:
    return [
        {
            "table_schema": "clickstream_events",
            "table_name": event.table,
            "column_name": column.name,
            "data_type": column.type,
            "column_comment": column.comment,
        }
        for column in event.shape
    ]


def test_rows_are_derived_again_day_by_day_and_no_table_is_altered(task, connect_trino: ConnectTrino) -> None:
    (email,) = (event for event in read_plan().live if event.table == "email_sent")
    answers = {"from system.jdbc.columns": [columns(email)], **ANSWERS, "Which events one run brought": [PRESENT[1:]]}
    trino = connect_trino(answers)

    assert rebuild(task, {**FORM, "event": "Email Sent"}) == {"email_sent": 6}

    assert set(into(trino, "merge into ")) == {
        "lake.clickstream.discards", "lake.clickstream.violations", "lake.clickstream_events.email_sent",
    }  # fmt: skip
    assert not [text for text, _ in trino.executed if re.search(r"^(alter|comment|create table)", text, re.MULTILINE)]
    windows = [given[-2:] for text, given in trino.executed if "with declared_events as" in text]
    noon = HOUR + timedelta(hours=1)
    midnight = noon.replace(hour=0)
    instant = timedelta(microseconds=1)
    assert windows == [[noon - timedelta(days=1), midnight - instant], [midnight, noon - instant]]
    assert any(f"rebuild_typed_events {RUN}" in (given or ()) for _, given in trino.executed)


@pytest.mark.parametrize(
    ("conf", "message"),
    [({"from": FORM["from"]}, "give both"), ({**FORM, "event": "None Such"}, "no live event"), (FORM, "load_events")],
    ids=["half a time", "no event", "tables to be made"],
)
def test_what_cannot_be_derived_again_is_not_tried_again(
    task, connect_trino: ConnectTrino, conf: dict[str, Any], message: str
) -> None:
    trino = connect_trino()

    with pytest.raises(AirflowFailException, match=message):
        rebuild(task, conf)

    assert all("from system.jdbc.columns" in text for text, _ in trino.executed)


@pytest.mark.usefixtures("mistaken_plan")
def test_a_mistake_in_the_plan_is_not_tried_again(task, connect_trino: ConnectTrino) -> None:
    trino = connect_trino(ANSWERS)

    with pytest.raises(AirflowFailException, match=r"tracking_plan.yaml:7"):
        run(task, "load_typed_events")
    assert trino.executed == []


@pytest.mark.scenario("X39")
@pytest.mark.promise("P9")
@pytest.mark.parametrize("statement", ["create table if not exists", "merge into"])
def test_a_table_that_cannot_be_filled_is_named_and_the_others_are_filled(
    task, s3: MemoryS3, connect_trino: ConnectTrino, statement: str
) -> None:
    broken = f'{statement} "lake"."clickstream_events"."order_completed"'
    made = PRESENT if statement == "merge into" else PRESENT[1:]
    answers = {**ANSWERS, "Which events one run brought": [made]}
    trino = connect_trino({broken: [query_error("INVALID_FUNCTION_ARGUMENT", "USER_ERROR")], **answers})

    run(task, "load_typed_events")

    assert "lake.clickstream_events.email_sent" in into(trino, "merge into ")
    taken = manifest.from_json(s3.buckets["lake-bucket"][manifest.key(RUN)].decode())
    assert dict(taken.tables_failed) == {
        "order_completed": "INVALID_FUNCTION_ARGUMENT (query 20261124_000000_00000_test)"
    }


def test_when_no_table_can_be_filled_the_task_fails(task, connect_trino: ConnectTrino) -> None:
    """Then the reason is not one event's: nobody may merge, say."""
    connect_trino(
        {'merge into "lake"."clickstream_events"': [query_error("PERMISSION_DENIED", "USER_ERROR")], **ANSWERS}
    )

    with pytest.raises(NoTableFilledError, match="PERMISSION_DENIED"):
        run(task, "load_typed_events")


def test_one_table_s_outage_cancels_those_beside_it(task, connect_trino: ConnectTrino) -> None:
    started, ended = threading.Event(), threading.Event()

    def runs_until_cancelled(cursor: FakeCursor) -> Rows:
        started.set()
        for _ in range(200):
            if cursor.is_cancelled:
                ended.set()
                break
            threading.Event().wait(0.05)
        return []

    def fails(_: FakeCursor) -> Rows:
        assert started.wait(600)
        raise query_error("HIVE_FILESYSTEM_ERROR")

    connect_trino(
        {
            'merge into "lake"."clickstream_events"."order_completed"': [fails],
            'merge into "lake"."clickstream_events"."email_sent"': [runs_until_cancelled],
            **ANSWERS,
        }
    )

    with pytest.raises(Exception, match="HIVE_FILESYSTEM_ERROR"):
        run(task, "load_typed_events")
    assert ended.wait(600)
