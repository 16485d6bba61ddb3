"""What the door judges, the load judges in the same way: the door's cases, loaded on real Trino."""

from clickstream.plan.file import parse_plan
from local.lake.scratch import ScratchLake
from tests.collector.plan_cases import PLAN_TEXT, cases


def test_the_load_says_of_each_case_what_the_door_says(lake: ScratchLake) -> None:
    every = {case.id[:3]: case for case in cases()}
    lake.stage("20261124T010203004Z-a.ndjson", "".join(f"{case.text}\n" for case in every.values()).encode())
    report = lake.load("run-1", plan=parse_plan(PLAN_TEXT, "plan.yaml"))

    found: dict[str, set[tuple[str, str]]] = {name: set() for name in every}
    for row in lake.rows("violations"):
        found[row["message_id"]].add((row["property"], row["rule"]))

    assert report.adds_up
    assert len(lake.rows("events")) == len(every)
    assert {every[name].id: broken for name, broken in found.items() if broken != every[name].broken} == {}
