"""`make demo`, the README's first command, on a stack of its own, where DAGs run by their schedules and assets."""

import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from local import demo, pipeline
from local.airflow_api import Airflow
from local.places import ENVIRONMENTS, ROOT, Places, open_places
from local.segment.sources import BACK_OFFICE
from local.waiting import wait_for
from tests.collector.sdks.senders import SDKS, browse
from tests.local.test_docs_commands import plain_environment

VERSIONS = """
select context_library_version, count(*)
from events
where project_id = '{project}' group by 1
"""
ORDERS = """
select count(*)
from events_live
where received_at > current_timestamp - interval '1' hour and event = 'order_completed' and user_id = '{user}'
"""
TAKEN = "select load.run_id from session_runs cross join unnest(loads) as load (run_id, reported_at)"
TOLD = re.compile(r"sent (\d+) = loaded (\d+) \+ duplicate (\d+) \+ rejected (\d+): adds up")


def local_command(state: Path, *arguments: str) -> str:
    """What a command of the local stack prints; it must not fail."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("CLICKSTREAM_", "AIRFLOW"))
    }
    environment |= {"CLICKSTREAM_STATE": str(state), "COLUMNS": "200"}
    done = subprocess.run(
        [ENVIRONMENTS / "local" / "bin" / "python", "-m", "local", *arguments],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=sys.stderr, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def until(places: Places, what: str, is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    wait_for(what, lambda: (is_so(), "not yet"), lambda _: None, 900, f"see {places.page('airflow')}")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Places]]:
    """What the demo printed, and its stack, which is still there."""
    state = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLICKSTREAM_STATE", str(state))
        try:
            yield local_command(state, "demo", "--seed", "7", "--users", "30"), open_places()
        finally:
            local_command(state, "clean")


def test_every_event_is_accounted_for_and_every_table_has_rows(shown: tuple[str, Places]) -> None:
    text, _ = shown

    told = TOLD.search(text)
    assert told, text
    sent, loaded, duplicate, rejected = map(int, told.groups())
    assert sent == loaded + duplicate + rejected
    assert min(loaded - 200, duplicate, rejected) > 0
    for title, _ in demo.SHOWN:
        _, head, row, *_ = text[text.index(title) :].splitlines()
        assert head.strip(), title
        assert row.strip(), title


def test_a_load_says_what_all_its_tasks_cost(shown: tuple[str, Places]) -> None:
    """Ten tasks of load_events come before its report."""
    _, places = shown
    [[queries, tries, dollars]] = pipeline.query(
        places, "select min(queries), min(tries), min(dollars) from load_runs where rows_loaded > 0"
    )[1]

    assert queries > 20
    assert tries >= 9
    assert 0 < dollars < 1


def test_what_the_back_office_sends_came_from_its_sdk(shown: tuple[str, Places]) -> None:
    """The generated day names another version of the SDK than the one that sent it."""
    _, places = shown
    [[version, rows]] = pipeline.query(places, VERSIONS.format(project=BACK_OFFICE.project_id))[1]

    assert version == SDKS["python"].library[1]
    assert rows > 0


@pytest.mark.promise("P11")
def test_what_the_collector_accepted_is_loaded(shown: tuple[str, Places]) -> None:
    """What was sent later, as by a visit of the shop, is not loaded yet."""
    _, places = shown
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    environment = plain_environment(
        CLICKSTREAM_STATE=str(places.state), COLUMNS="200",
        CLICKSTREAM_FROM=(now - timedelta(hours=2)).isoformat(), CLICKSTREAM_TO=(now + timedelta(hours=1)).isoformat(),
    )  # fmt: skip

    done = subprocess.run(
        [ENVIRONMENTS / "airflow" / "bin" / "python", "-m", "tools.collector_check"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    *_, last = done.stdout.splitlines()
    accepted = int(last.split()[0])
    assert last == f"{accepted} messages accepted in 3 h, none missing"
    assert accepted > 0


def test_an_order_in_the_shop_is_in_events_live(shown: tuple[str, Places]) -> None:
    text, places = shown
    user = f"{uuid.uuid4()}@shop.example"
    assert f"Shop     {places.collector_url}/" in text

    browse(f"{places.collector_url}/", "visit", user)

    until(places, "order", lambda: pipeline.query(places, ORDERS.format(user=user))[1] == [[1]])


def test_the_status_page_is_where_it_says_and_has_a_document_soon(shown: tuple[str, Places]) -> None:
    text, places = shown
    assert f"Status   {places.airflow_url}/plugin/clickstream" in text

    def page(address: str) -> str:
        return httpx.get(f"{places.airflow_url}/clickstream/{address}", timeout=60).text

    until(places, "status", lambda: "newest event" in page(""))

    status = page("")
    assert "찜하기 ❤️ Clicked" in status
    (newest, *_) = re.findall(r'href="(run\?run_id=[^"]+)"', status)
    assert "lines read" in page(newest)


def test_only_its_own_runs_go_before_it_is_over_and_then_all_dags_run(shown: tuple[str, Places]) -> None:
    """A first start has the machine to itself: of the two DAGs by the clock, the run that is due is the demo's."""
    _, places = shown
    airflow = Airflow(places)

    def runs() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = airflow._get("/dags/~/dagRuns", {"limit": 100})["dag_runs"]
        return [run for run in found if run["start_date"]]

    until(places, "schedules", lambda: {run["dag_id"] for run in runs()} >= {"maintain_tables", "watch_pipeline"})
    over = min(run["end_date"] for run in runs() if run["dag_id"] == "model_sessions" and run["end_date"])
    # A set: an hour of these two may begin meanwhile.
    before = {(run["dag_id"], run["run_type"]) for run in runs() if run["start_date"] < over}
    assert before == {
        ("crawl_staging", "scheduled"), ("load_events", "scheduled"), ("model_sessions", "asset_triggered"),
    }  # fmt: skip
    assert [dag["dag_id"] for dag in airflow._get("/dags", {"paused": True})["dags"]] == []


def test_sessions_are_modelled_because_a_load_announced_its_events(shown: tuple[str, Places]) -> None:
    _, places = shown
    loads, taken = ("select run_id from load_runs where rows_loaded > 0", TAKEN)

    def waiting() -> set[str]:
        return {run_id for [run_id] in pipeline.query(places, loads)[1]} - {
            run_id for [run_id] in pipeline.query(places, taken)[1]
        }

    # The demo waits for one run; a load by the clock may have come in between.
    until(places, "sessions", lambda: not waiting())
    runs = Airflow(places).runs("model_sessions", datetime.now(UTC) - timedelta(days=1))
    assert runs
    assert {run_id.partition("__")[0] for run_id in runs} == {"asset_triggered"}
