"""From real SDKs and a real browser through the collector to rows of `events`."""

import uuid
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from local import pipeline
from local.collector import DEMO_SOURCES, CollectorServer, compiled_file, local_sink, make_door, responder
from local.lake.machine import Machine
from local.segment.sources import BACK_OFFICE, BACK_OFFICE_KEY
from local.shop import analytics_js, shop, web_key
from tests.collector.sdks.senders import SDKS, browse
from tools.sources_file import SOURCES_FILE, read_file

ROWS = """
select user_id, type, project_id, context_library_name, context_library_version, event, name, previous_id, group_id
from events
where user_id in ({users})
"""
CALLS = {
    ("identify", None, None), ("track", "sdk_tried", None), ("page", None, "Checkout"), ("group", None, None),
    ("alias", None, None),
}  # fmt: skip


@pytest.mark.promise("P12")
def test_what_sdks_send_is_in_the_table(machine: Machine, run_tasks: Callable[..., Any]) -> None:
    users = {name: f"{name}-{uuid.uuid4()}" for name in (*SDKS, "browser")}
    sources = read_file()["sources"]
    libraries = {name: (BACK_OFFICE.project_id, *sdk.library) for name, sdk in SDKS.items()}
    libraries["browser"] = (sources["shop_web"]["id"], "analytics.js", "next-1.84.3")
    door = make_door(compiled_file(SOURCES_FILE, DEMO_SOURCES), local_sink(machine.places))
    pages = shop(analytics_js(), lambda: web_key(read_file()))

    with CollectorServer(responder(door, print), 0, pages) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        for name, sdk in SDKS.items():
            sdk.send(server.url, BACK_OFFICE_KEY, users[name])
        browse(server.url, "calls", users["browser"])
        server.shutdown()
    pipeline.wait_until_staged(machine.places, lambda message: None)
    for dag in ("crawl_staging", "load_events"):
        run_tasks(dag)

    wanted = ", ".join(f"'{user}'" for user in users.values())
    names, rows = pipeline.query(machine.places, ROWS.format(users=wanted))
    found = [dict(zip(names, row, strict=True)) for row in rows]
    for name, user in users.items():
        of_one = [row for row in found if row["user_id"] == user]
        assert {(row["type"], row["event"], row["name"]) for row in of_one} == CALLS
        assert len(of_one) == len(CALLS)
        assert {(row["project_id"], row["context_library_name"], row["context_library_version"]) for row in of_one} == {
            libraries[name]
        }
        assert {row["previous_id"] for row in of_one if row["type"] == "alias"} == {f"before-{user}"}
        assert {row["group_id"] for row in of_one if row["type"] == "group"} == {f"group-of-{user}"}
