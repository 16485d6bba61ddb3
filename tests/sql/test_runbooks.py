"""docs/runbooks: every statement runs on real Trino, every command is there, and one page is walked through.

The statements run on a lake of their own, in place of lake.clickstream; what stands in them as an example is the test's
data (runbook_events.ndjson), or is put in for it.
"""

import re
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clickstream.engine.sql import quote
from clickstream.plan.diff import differences, fitting
from clickstream.plan.file import TrackingPlan, read_plan
from clickstream.plan.seen import look
from clickstream.window import Window
from local.lake.machine import Machine, scratch_lake
from local.lake.scratch import ScratchLake

ROOT = Path(__file__).parents[2]
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs" / "runbooks").glob("*.md"))}
RUNBOOKS = [page for page in PAGES if page != "README"]
# Walked through below, step by step, with what must be true before and after. tests/sql/test_erase.py erases a person.
WALKED = ("restore-table",)
KINDS = {
    "sql", "sql put-back", "sql roll-back", "sh", "sh airflow", "sh needs-aws",
}  # fmt: skip
DATA = (Path(__file__).parent / "runbook_events.ndjson").read_bytes()
PLAN = TrackingPlan(
    tuple(event for event in read_plan().events if event.table in ("order_completed", "product_viewed"))
)
SINCE = datetime(2026, 11, 1, tzinfo=UTC)


def blocks(page: str) -> list[tuple[str, str]]:
    """Kind and text of each fenced block, those in lists too."""
    found = re.findall(r"^( *)```(\S[^\n]*)\n(.*?)^\1```$", PAGES[page], re.MULTILINE | re.DOTALL)
    return [(kind, textwrap.dedent(text)) for _, kind, text in found]


def statements(page: str, kind: str = "sql") -> list[str]:
    texts = [text for found, text in blocks(page) if found == kind]
    return [part.strip() for text in texts for part in re.split(r";\n", text) if part.strip()]


def run(lake: ScratchLake, text: str) -> list[dict[str, Any]]:
    """A statement of a page, on the test's lake."""
    names = {
        "clickstream": lake.settings.lake_database,
        "clickstream_events": lake.settings.events_database,
        "clickstream_work": lake.settings.work_database,
        "clickstream_lines": lake.settings.lines_database,
    }
    text = text.replace("table_schema = 'clickstream_events'", f"table_schema = '{lake.settings.events_database}'")
    return lake.query(re.sub(r"\b(lake|staging)\.(clickstream\w*)\.", lambda m: f"{m[1]}.{quote(names[m[2]])}.", text))


@pytest.fixture(scope="module")
def lake(machine: Machine) -> ScratchLake:
    """The data loaded, modelled and compared with the plan."""
    lake = scratch_lake(machine)
    lake.stage("20261124T010203004Z-people.ndjson", DATA)
    lake.load("run-1", plan=PLAN)
    lake.model("model-1")
    lake.publish_views()
    found, _ = fitting(differences(PLAN, look(lake.run, SINCE)))
    lake.run("lake/plan_diff/load.sql", differences_json=found, seen_since=SINCE, now=SINCE)
    return lake


@pytest.mark.parametrize("page", RUNBOOKS)
def test_a_runbook_has_its_four_parts_and_is_listed(page: str) -> None:
    headings = re.findall(r"^## (.+)$", PAGES[page], re.MULTILINE)

    assert headings == ["Symptom", "Look at", "Do", "Check afterwards"]
    assert f"]({page}.md)" in PAGES["README"]
    assert {kind for kind, _ in blocks(page)} <= KINDS
    assert PAGES[page].count("```") == 2 * len(blocks(page))


@pytest.mark.parametrize("page", PAGES)
def test_commands_dags_and_links_are_there(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shell = "\n".join(text for kind, text in blocks(page) if kind == "sh")
    named = re.findall(r"`make ([a-z-]+)", PAGES[page]) + re.findall(r"^make ([a-z-]+)", shell, re.MULTILINE)
    assert set(named) <= targets

    forms = (ROOT / "plugins" / "clickstream" / "operators" / "forms.py").read_text()
    for dag, conf in re.findall(r"airflow dags trigger (\w+)(?: --conf '(.*)')?", PAGES[page]):
        source = (ROOT / "dags" / f"{dag}.py").read_text()
        assert [key for key in re.findall(r'"(\w+)":', conf) if f'"{key}": ' not in source + forms] == []
    for link in re.findall(r"\]\(([^)#]+)", PAGES[page]):
        assert (ROOT / "docs" / "runbooks" / link).resolve().exists(), link


@pytest.mark.parametrize("page", [page for page in RUNBOOKS if page not in WALKED])
def test_statements_of_a_runbook_run(lake: ScratchLake, page: str) -> None:
    for statement in statements(page):
        run(lake, statement)


def test_what_is_wanted_afterwards_is_so(lake: ScratchLake) -> None:
    [not_added_up] = run(lake, statements("backfill")[-1])
    assert not_added_up == {"ledger_rows_that_do_not_add_up": 0}
    assert run(lake, statements("staging-grows")[0]) == [], "all that is staged is loaded"
    [left] = run(lake, statements("redrive")[-1])
    assert left == {"left_alone": 2, "sent_again": 0}


def test_restore_a_table(lake: ScratchLake) -> None:
    look_at, put_back, roll_back = (
        statements("restore-table", kind) for kind in ("sql", "sql put-back", "sql roll-back")
    )
    assert [len(found) for found in (look_at, put_back, roll_back)] == [3, 1, 1]
    snapshots, missing, doubles = look_at
    before = sorted(map(str, lake.rows("events")))
    [now] = lake.query("select format_datetime(current_timestamp, 'yyyy-MM-dd HH:mm:ss.SSS') as at")

    def at(statement: str) -> str:
        return statement.replace("2026-11-24 03:00:00 UTC", f"{now['at']} UTC")

    snapshot = run(lake, snapshots)[0]
    assert snapshot["records"] == "7"

    # Rows deleted by hand, and a load since: the rows come back, the load stays.
    lake.query(f"delete from {lake.t.events} where user_id = 'lee'")
    lake.stage("20261124T020203004Z-later.ndjson", b'{"messageId": "later", "receivedAt": "2026-11-22T00:00:00Z"}\n')
    lake.load("run-2")
    assert run(lake, at(missing)) == [{"missing": 2}]
    run(lake, at(put_back[0]))
    assert run(lake, at(missing)) == [{"missing": 0}]
    assert sorted(str(row) for row in lake.rows("events") if row["message_id"] != "later") == before

    # A wrong update of all: back to the state before, and the load since once more.
    lake.query(f"update {lake.t.events} set event = 'wrong'")
    run(lake, roll_back[0].replace("4242424242", str(snapshot["snapshot_id"])))
    assert sorted(map(str, lake.rows("events"))) == before
    hour = Window(datetime(2026, 11, 24, 2, tzinfo=UTC), datetime(2026, 11, 24, 3, tzinfo=UTC))
    lake.load("run-3", lake.take_range("run-3", hour, source="staging"))
    assert len(lake.rows("events")) == len(before) + 1
    assert run(lake, doubles) == [{"doubles": 0}]
