"""Planted faults: the findings of each, from facts as data."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from clickstream.config_check.airflow import PROVIDERS, TESTED_AIRFLOW, check_airflow
from clickstream.config_check.aws import check_aws
from clickstream.config_check.finding import Finding, Level, failed, observe, report
from clickstream.config_check.settings import check_settings, unusable
from clickstream.config_check.tables import check_tables
from clickstream.config_check.trino import TESTED_TRINO, check_trino
from clickstream.engine.table_shape import TableColumn
from clickstream.settings import Settings, SettingsError
from local.trino import assemble

HERE = Path(__file__).parent / "settings"
REQUIREMENTS = Path(__file__).parents[3] / "requirements"
CHECKS = {"settings": check_settings, "airflow": check_airflow, "aws": check_aws, "trino": check_trino}
RIGHT: dict[str, Any] = yaml.safe_load((HERE / "right.yaml").read_text())
FAULTS: list[dict[str, Any]] = yaml.safe_load((HERE / "faults.yaml").read_text())
SETTINGS = {
    "staging_bucket": "staging-bucket",
    "lake_bucket": "lake-bucket",
    "crawler": "the-crawler",
    "raw_bucket": "raw-bucket",
    "archive_bucket": "archive-bucket",
    "stage_queue": "stage",
    "stage_dead_letter_queue": "stage-dlq",
    "stream": "the-stream",
}
EVENTS = ("clickstream", "events")


def plant(facts: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The facts with these values at these places, the parts of a place with slashes between."""
    changed = copy.deepcopy(facts)
    for place, value in changes.items():
        *way, last = [int(part) if part.isdecimal() else part for part in place.split("/")]
        inner: Any = changed
        for part in way:
            inner = inner[part]
        inner[last] = value
    return changed


@pytest.mark.parametrize("area", CHECKS)
def test_an_installation_without_a_fault_is_all_right(area: str) -> None:
    found = list(CHECKS[area](RIGHT[area], Settings(**SETTINGS)))

    assert found
    assert [finding for finding in found if finding.level is not Level.OK] == []
    assert {finding.area for finding in found} == {area}


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: f"{case['area']}: {case['fault']}")
def test_a_planted_fault_is_found_and_nothing_else(case: dict[str, Any]) -> None:
    facts = plant(RIGHT[case["area"]], case.get("set", {}))
    settings = Settings(**{**SETTINGS, **case.get("settings", {})})

    found = [finding for finding in CHECKS[case["area"]](facts, settings) if finding.level is not Level.OK]

    assert [(one.level.value, one.checked) for one in found] == [(level, what) for level, what, _, _ in case["finds"]]
    for one, (_, _, wrong, fix) in zip(found, case["finds"], strict=True):
        assert wrong in one.wrong
        assert fix in one.fix


def test_every_check_that_is_right_has_a_fault_that_breaks_it() -> None:
    """No check that cannot fail: what is ok without a fault is not, in some case."""
    settings = Settings(**SETTINGS)
    checked = {(area, one.checked) for area in CHECKS for one in CHECKS[area](RIGHT[area], settings)}
    broken = {(case["area"], what) for case in FAULTS for _, what, _, _ in case["finds"]}
    # The same code for each: one stands for all.
    alike = ("list in bucket", "read in bucket", "delete in bucket", "Glue database", "schema ", "apache-airflow-")

    assert {
        (area, what)
        for area, what in checked - broken
        if not what.startswith(alike)
        and what not in ("every DAG file can be read", "staging.query_partition_filter_required")
    } == set()


def test_tables_are_held_to_what_makes_them() -> None:
    wanted = {
        EVENTS: [TableColumn("message_id", "varchar", "Id."), TableColumn("rows", "bigint", "Count.")],
        ("clickstream", "rejects"): [TableColumn("line", "varchar", "Line.")],
        ("clickstream", "alarms"): [TableColumn("name", "varchar", "Name.")],
    }
    right = [TableColumn("message_id", "varchar", "another comment"), TableColumn("rows", "bigint")]

    def found(events: list[TableColumn]) -> list[tuple[str, str, str]]:
        present = {EVENTS: events, ("clickstream", "alarms"): [TableColumn("name", "varchar")]}
        return [(one.level.value, one.checked, one.wrong) for one in check_tables(wanted, present)][:2]

    missing = ("warn", "clickstream.rejects", "it is not there yet")
    assert found(right) == [("ok", "clickstream.events", ""), missing]
    assert found(right[:1]) == [
        ("warn", "clickstream.events", "it is of an earlier version: add_column rows"),
        missing,
    ]
    [level, _, wrong], _ = found([right[0], TableColumn("rows", "varchar")])
    assert level == "fail"
    assert "rows is varchar and would become bigint" in wrong
    refused = list(check_tables(wanted, {"error": "TrinoConnectionError: refused"}))
    assert [(one.level.value, one.wrong) for one in refused] == [("fail", "TrinoConnectionError: refused")]


def test_settings_that_cannot_be_read_are_a_finding() -> None:
    finding = unusable(SettingsError("not set: CLICKSTREAM_CRAWLER"))

    assert (finding.level, finding.area, finding.wrong) == (Level.FAIL, "settings", "not set: CLICKSTREAM_CRAWLER")


def test_the_report_ends_with_the_worst_and_a_count() -> None:
    findings = [
        Finding("aws", "b", Level.FAIL, "broken", "mend it"),
        Finding("aws", "a"),
        Finding("trino", "c", Level.WARN, "odd", "look at it"),
    ]

    assert report(findings).splitlines() == [
        "OK    aws       a",
        "WARN  trino     c",
        "        wrong: odd",
        "        fix:   look at it",
        "FAIL  aws       b",
        "        wrong: broken",
        "        fix:   mend it",
        "1 ok, 1 to look at, 1 wrong",
    ]
    assert failed(findings) == findings[:1]


def test_whatever_a_service_raises_is_a_fact_of_one_line() -> None:
    def refuse() -> None:
        raise PermissionError("no\nstack\nof lines")

    assert observe(refuse) == {"error": "PermissionError: no"}
    assert observe(lambda: {"Name": "x"}) == {"Name": "x"}


def test_what_is_asked_for_is_what_the_tests_run_on() -> None:
    lock = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (REQUIREMENTS / "airflow.lock").read_text(), re.MULTILINE))

    assert lock["apache-airflow"].startswith(".".join(map(str, TESTED_AIRFLOW)) + ".")
    assert {f"apache-airflow-providers-{name}" for name in PROVIDERS} <= lock.keys()
    assert str(TESTED_TRINO) == assemble.version()
