"""The figures of the status page on real Trino; what is expected was counted by hand."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from clickstream.load.report import RunReport
from clickstream.plan.file import parse_plan
from clickstream.sessions.model import rules_of
from clickstream.status.look import hours_read, look, volumes
from clickstream.watch.alarms import WatchFigures
from clickstream.window import Bounds
from local.lake.scratch import ScratchLake

UNTIL = datetime(2026, 11, 28, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


def message(number: int, received_at: datetime, **more: Any) -> bytes:
    body = {
        "messageId": f"m-{number}", "type": "track", "event": "Order Completed", "userId": "kim@example.com",
        "projectId": "orders", "receivedAt": received_at.isoformat(), "timestamp": received_at.isoformat(), **more,
    }  # fmt: skip
    return json.dumps(body, ensure_ascii=False).encode() + b"\n"


def test_hours_are_counted_by_source_and_event_beside_those_of_past_weeks(lake: ScratchLake) -> None:
    instants = [
        UNTIL,  # after the last hour
        UNTIL - timedelta(microseconds=1),  # the last hour
        UNTIL - timedelta(hours=1),  # its first instant
        UNTIL - timedelta(hours=24),  # the first hour
        UNTIL - timedelta(hours=24, microseconds=1),  # before it
        UNTIL - WEEK - timedelta(minutes=30),
        UNTIL - WEEK - timedelta(minutes=31),
        UNTIL - 4 * WEEK - timedelta(minutes=30),
        UNTIL - 3 * WEEK - timedelta(days=2),  # on another day of the week
    ]
    lines = [message(number, at) for number, at in enumerate(instants)]
    lines += [
        message(100, UNTIL - timedelta(minutes=5), type="page", event=None, name="Home"),
        message(101, UNTIL - timedelta(minutes=5), event="장바구니 🛒", projectId=None),
    ]
    lake.stage("20261128T120000000Z-a.ndjson", b"".join(lines))
    lake.load("run-1")

    rows = lake.run("lake/events/by_hour.sql", bounds=hours_read(UNTIL), until=UNTIL, event_limit=500).rows

    found = {
        (row["source"], row["type"], row["event"], row["event_text"]): json.loads(row["messages_by_hour"])
        for row in rows
    }
    orders = {"1": 2, "24": 1, "169": 2, "673": 1}
    assert found == {
        ("orders", None, None, "Order Completed"): {**orders, "1": 3},
        ("", None, None, "장바구니 🛒"): {"1": 1},
        (None, "track", "order_completed", "Order Completed"): orders,
        (None, "track", "장바구니", "장바구니 🛒"): {"1": 1},
        (None, "page", "", None): {"1": 1},
    }
    newest = {row["source"]: row["newest_received_at"] for row in rows if row["source"]}
    assert newest == {"orders": UNTIL - timedelta(microseconds=1)}

    shown = volumes(rows, {"orders": "Back office"})
    (order,) = [event for event in shown["events"] if event["name"] == "Order Completed"]
    assert order["hours"] == [1, *[0] * 22, 2]
    # Of the weeks before, two had messages: of 1 and 2 an hour, and none in others.
    assert (order["low"][-1], order["high"][-1]) == (0, 6)
    assert (order["low"][0], order["high"][0]) == (0, 1)
    assert {source["name"] for source in shown["sources"]} == {"Back office", ""}
    assert shown["events_left_out"] == 0


def test_the_commonest_events_are_listed_and_the_others_counted(lake: ScratchLake) -> None:
    lines = [message(number, UNTIL - timedelta(hours=1), event=f"Event {number % 4}") for number in range(10)]
    lake.stage("20261128T120000000Z-a.ndjson", b"".join(lines))
    lake.load("run-1")

    rows = lake.run("lake/events/by_hour.sql", bounds=hours_read(UNTIL), until=UNTIL, event_limit=2).rows

    shown = volumes(rows, {})
    assert [event["name"] for event in shown["events"]] == ["Event 0", "Event 1"]
    assert shown["events_left_out"] == 2
    assert [source["name"] for source in shown["sources"]] == ["orders"]


def test_no_id_and_no_value_of_a_property_is_in_the_document(lake: ScratchLake) -> None:
    now = datetime.now(UTC)
    at = now - timedelta(minutes=5)
    name = f"{now:%Y%m%dT%H%M%S}000Z-a.ndjson"
    broken = '{"email": "김하늘@example.com", "phone": 01012345678'.encode() + b"\n"
    lake.stage(name, message(1, at, properties={"email": "lee@example.com"}) + broken + b"\n")
    lake.load("run-1")

    document = look(lake.run, WatchFigures(now), rules_of(lake.settings), [], {}, None)

    text = json.dumps(document, ensure_ascii=False)
    assert not [word for word in ("example", "하늘", "0101", "kim", "lee") if word in text]
    assert {one["reason"]: (one["rejected_lines"], one["shape"]) for one in document["loaded"]["rejects"]} == {
        "not_json": (1, '{"xxxxx": "xxx@xxxxxxx.xxx", "xxxxx": 00000000000'),
        "blank": (1, ""),
    }
    assert document["day"] == {
        "rows_read": 3, "rows_loaded": 1, "rows_duplicate": 0, "rows_rejected": 2, "values_discarded": 0,
        "rejected_by_reason": {"not_json": 1, "blank": 1}, "rows_by_delay": {"up to 5 minutes": 1},
    }  # fmt: skip


def test_sessions_of_yesterday_have_their_entry_exit_and_moves(lake: ScratchLake) -> None:
    now = datetime.now(UTC)
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    ways = {
        **dict.fromkeys("efghi", (noon, ["/", "/cups", "/", "/cups"])),
        "b": (noon, ["/", "/cups"]),
        "c": (noon, ["/search"]),
        "d": (noon - timedelta(days=1), ["/", "/old"]),
    }
    lines = [
        message(
            100 * ord(user) + number, at + timedelta(minutes=number), type="page", event=None, userId=user,
            context={"page": {"path": path}},
        )
        for user, (at, paths) in ways.items()
        for number, path in enumerate(paths)
    ]  # fmt: skip
    lake.stage(f"{now:%Y%m%dT%H%M%S}000Z-a.ndjson", b"".join(lines))
    lake.load("run-1")
    lake.model("model-1")

    figures = WatchFigures(now)
    first = look(lake.run, figures, rules_of(lake.settings), [], {}, None)

    sessions = first["sessions"]
    assert (sessions["day"], sessions["sessions"], sessions["bounces"]) == (f"{noon:%Y-%m-%d}", 7, 1)
    assert sessions["mean_seconds"] == (5 * 3 + 1 + 0) * 60 / 7
    # The one session of /search is not listed: it is of one person.
    assert {(one["from"], one["to"]): one["sessions"] for one in sessions["entries"]} == {("/", "/cups"): 6}
    assert [(one["from"], one["to"], one["sessions"]) for one in sessions["moves"]] == [
        ("/", "/cups", 6), ("/cups", "/", 5),
    ]  # fmt: skip

    # Without a load since, nothing of it is read again.
    lake.last.clear()
    second = look(lake.run, figures, rules_of(lake.settings), [], {}, first)
    assert second == first
    assert not lake.last.keys() & {"lake/events/by_hour.sql", "lake/rejects/shapes.sql", "lake/sessions/moves.sql"}

    lake.stage(f"{now:%Y%m%dT%H%M%S}001Z-b.ndjson", message(7, now, event="One More"))
    lake.load("run-2")
    third = look(lake.run, WatchFigures(datetime.now(UTC)), rules_of(lake.settings), [], {}, first)
    assert [run["run_id"] for run in third["runs"]] == ["run-2", "run-1"]
    assert third["loaded"]["reported_at"] > first["loaded"]["reported_at"]
    assert third["day"]["rows_read"] == first["day"]["rows_read"] + 1 == len(lines) + 1


def test_runs_are_summed_and_one_that_ended_before_its_report_by_what_is_known(lake: ScratchLake) -> None:
    counted = {"rows_read": 10, "rows_loaded": 7, "rows_duplicate": 1, "rows_rejected": 2, "values_discarded": 0}
    reports = [
        RunReport("run-1", **counted, rejected_by_reason={"blank": 1, "not_json": 1}, rows_by_delay={"a": 7}),
        RunReport("run-2", **counted, rejected_by_reason={"not_json": 2}, rows_by_delay={"a": 6, "b": 1}),
    ]
    for report in reports:
        lake.run("lake/load_runs/load.sql", report=report, staged=Bounds(UNTIL, UNTIL), now=UNTIL)

    lake.query(
        f"insert into {lake.t.load_runs} (run_id, rows_loaded, rows_rejected, reported_at)"
        f" values ('run-3', 5, 0, timestamp '{UNTIL:%Y-%m-%d %H:%M} UTC')"
    )

    rows = lake.run("lake/load_runs/sums.sql", reported_since=UNTIL).rows

    assert {(row["kind"], row["name"]): row["total"] for row in rows} == {
        ("counts", "rows_read"): 20, ("counts", "rows_loaded"): 19, ("counts", "rows_duplicate"): 2,
        ("counts", "rows_rejected"): 4, ("counts", "values_discarded"): 0,
        ("rejected_by_reason", "blank"): 1, ("rejected_by_reason", "not_json"): 3,
        ("rows_by_delay", "a"): 13, ("rows_by_delay", "b"): 1,
    }  # fmt: skip


def test_of_each_kind_of_difference_the_commonest_are_listed_and_all_counted(lake: ScratchLake) -> None:
    found = [
        {"kind": kind, "event": f"Event {number}", "property": "", "messages": messages}
        for kind, messages in (("undeclared_event", 9), ("unseen_event", 0))
        for number in range(3)
    ]
    lake.run("lake/plan_diff/load.sql", seen_since=UNTIL, now=UNTIL, differences_json=json.dumps(found))

    rows = lake.run("lake/plan_diff/listed.sql", place_limit=2).rows

    assert [(row["kind"], row["event"], row["differences"]) for row in rows] == [
        ("undeclared_event", "Event 0", 3), ("undeclared_event", "Event 1", 3),
        ("unseen_event", "Event 0", 3), ("unseen_event", "Event 1", 3),
    ]  # fmt: skip


def test_rejected_lines_have_their_first_and_newest_object_and_known_sources(lake: ScratchLake) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    first, newest = now - timedelta(hours=5), now - timedelta(hours=2)
    lines = {
        now - timedelta(hours=30): b'{"projectId": "old", broken\n',
        first: b'{"a": 1, "projectId" : "orders", broken\n' + message(1, first),
        newest: b'{"projectId":"kim@example.com", broken\n{"projectId":"back", broken\n\n',
    }
    for at, body in lines.items():
        lake.stage(f"{at:%Y%m%dT%H%M%S}000Z-a.ndjson", body)
    lake.load("run-1")

    document = look(lake.run, WatchFigures(now), rules_of(lake.settings), [], {"back": "Back office"}, None)

    found = {one["reason"]: one for one in document["loaded"]["rejects"]}
    times = (first.isoformat(), newest.isoformat())
    assert (found["not_json"]["first_at"], found["not_json"]["latest_at"]) == times
    assert found["not_json"]["rejected_lines"] == 3
    # An address is no source that is known, and nothing of it is told.
    assert found["not_json"]["sources"] == ["Back office", "orders"]
    assert found["blank"]["sources"] == []
    assert "kim@" not in json.dumps(document)


def test_violations_have_their_first_and_latest_message_and_its_sources(lake: ScratchLake) -> None:
    now = datetime.now(UTC)
    broken = [
        (1, now - timedelta(hours=3), {"projectId": "shop", "properties": {"total": "much"}}),
        (2, now - timedelta(hours=2), {"properties": {"total": "little"}}),
        (3, now - timedelta(hours=26), {"projectId": "old", "properties": {"total": "none"}}),
        (4, now - timedelta(hours=1), {"projectId": "good", "properties": {"total": 3}}),
    ]
    plan = parse_plan(
        "version: 1\nevents:\n  Order Completed:\n    description: An order.\n    owner: shop\n    status: live\n"
        "    sources: [web]\n    properties:\n      total: {type: number, description: What it cost.}\n",
        "plan",
    )
    lines = [message(number, at, **more) for number, at, more in broken]
    lake.stage(f"{now:%Y%m%dT%H%M%S}000Z-a.ndjson", b"".join(lines))
    lake.load("run-1", plan=plan)

    document = look(lake.run, WatchFigures(now), rules_of(lake.settings), [], {"shop": "Shop"}, None)

    (found,) = document["loaded"]["violations"]
    assert (found["event"], found["property"], found["rule"], found["messages"]) == (
        "order_completed", "total", "type", 2,
    )  # fmt: skip
    assert (found["first_at"], found["latest_at"]) == (broken[0][1].isoformat(), broken[1][1].isoformat())
    assert found["sources"] == ["Shop", "orders"]
