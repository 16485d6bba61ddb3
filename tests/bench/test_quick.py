"""What `make bench` compares gives the same, whichever way it is done; no time is judged."""

from typing import Any

import pytest

from bench import airflow_runs, collector, declared_events, lambdas, memory, new_data, questions, unpack, workers
from bench.effort import Effort
from local.lake.machine import Machine


def cases(result: dict[str, Any]) -> list[str]:
    return [row["case"] for row in result["rows"]]


@pytest.mark.slow
def test_another_plan_gives_the_same_typed_rows(machine: Machine) -> None:
    result = declared_events.run(machine, effort=Effort.QUICK, say=print)

    assert cases(result) == ["6 names sent, 2 declared, 6 typed", "6 names sent, 12 declared, 6 typed"]
    assert {row["typed rows"] for row in result["rows"]} == {result["about"]["messages"]}


def test_a_load_has_the_rows_that_other_ways_have(machine: Machine) -> None:
    result = unpack.run(machine, effort=Effort.QUICK, say=print)

    assert len(cases(result)) == 4
    assert result["about"]["messages, 2 MB"] > 1_000


@pytest.mark.slow
def test_a_load_reads_its_own_objects_and_no_others(machine: Machine) -> None:
    result = new_data.run(machine, effort=Effort.QUICK, say=print)

    assert cases(result) == ["1 h staged beside, 1 days in events", "2 h staged beside, 3 days in events"]


@pytest.mark.slow
def test_questions_have_one_answer_whichever_table_is_asked(machine: Machine) -> None:
    result = questions.run(machine, effort=Effort.QUICK, say=print)

    assert len(cases(result)) == 10


@pytest.mark.slow
def test_what_is_large_in_a_way_of_its_own_loads_with_a_small_heap(machine: Machine) -> None:
    result = memory.run(machine, effort=Effort.QUICK, say=print)

    assert cases(result) == [
        "1 MB in an hour", "24 hours in one object", "1,000 events of one visitor", "5 event names",
    ]  # fmt: skip
    assert all(row["MB of the largest statement"] > 0 for row in result["rows"])


def test_functions_beside_which_ours_are_measured_answer_the_same(machine: Machine) -> None:
    result = lambdas.run(machine, effort=Effort.QUICK, say=print)

    assert cases(result) == [*lambdas.TRANSFORMS, *lambdas.MOVES]
    assert result["about"]["bytes of the package"] < 60_000


def test_collectors_beside_which_ours_is_measured_take_the_same() -> None:
    result = collector.run(None, effort=Effort.QUICK, say=print)

    assert len(cases(result)) == 3 * len(collector.HANDLER)


def test_seconds_in_at_least_one_span() -> None:
    spans = airflow_runs.within((10, 20), [(0, 5), (8, 12), (11, 13), (15, 16), (19, 30)])

    assert spans == [(10, 12), (11, 13), (15, 16), (19, 20)]
    assert airflow_runs.covered(spans) == 3 + 1 + 1


def test_how_work_lies_on_two_workers() -> None:
    stages = [workers.Stage("merge", 1, {"a": 6.0, "b": 1.0}), workers.Stage("merge", 2, {"b": 3.0})]

    assert workers.balance_of(stages) == workers.Balance(on_one_worker=0.3, of_the_busiest=0.6)
