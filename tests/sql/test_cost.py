"""What runs cost, as their rows, the view by day and the forecast have it."""

from datetime import UTC, datetime

import pytest

from clickstream.load import steps
from local.lake.machine import Machine, scratch_lake

MESSAGE = b'{"messageId":"m-1","type":"track","event":"Probe","receivedAt":"2026-11-28T12:00:00.000Z"}\n'


def test_a_run_keeps_what_it_cost_and_forecasts_the_next(machine: Machine) -> None:
    lake = scratch_lake(machine)
    lake.stage("20261128T120000000Z-a.ndjson", MESSAGE)
    values = steps.values_of_run("forecast", datetime.now(UTC), lake.settings)
    assert steps.forecast(lake.run, values, 300) is None

    report = lake.load("run-1")
    lake.publish_views()

    (kept,) = lake.rows("load_runs")
    names = ("queries", "cpu_seconds", "bytes_read", "bytes_written", "tries")
    assert {name: kept[name] for name in names} == {name: report.spent.to_dict()[name] for name in names}
    assert kept["queries"] > 5
    assert kept["cpu_seconds"] > 0
    assert kept["bytes_written"] > kept["bytes"] > 0
    # An m7g.4xlarge has 16 cores and costs $0.6528 an hour: include/prices.yaml.
    assert kept["dollars"] == pytest.approx(kept["cpu_seconds"] / 3600 / 16 * 0.6528)
    (day,) = lake.query(f"select * from {lake.t.cost_by_day}")
    assert (day["runs"], day["events"], day["dollars"]) == (1, 1, kept["dollars"])
    assert day["dollars_a_million_events"] == pytest.approx(kept["dollars"] * 1e6)

    # $0.5 a run and $0.01 a byte; one of last month, which does not count.
    lake.query(f"delete from {lake.t.load_runs}")
    lake.query(
        f"insert into {lake.t.load_runs} (run_id, bytes, dollars, reported_at) values "
        "('a', 100, 1.5, current_timestamp), ('b', 200, 2.5, current_timestamp), ('c', 400, 4.5, current_timestamp), "
        "('old', 300, 99, current_timestamp - interval '8' day), ('forecast', 300, 99, current_timestamp)"
    )
    assert steps.forecast(lake.run, values, 300) == pytest.approx(3.5)
