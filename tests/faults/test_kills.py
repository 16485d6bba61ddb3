"""Something is killed in the middle of a load; the retry ends green and the tables equal the model."""

from tests.faults.airflow_tasks import Run, run_dag
from tests.faults.lake import FaultyLake, message


def test_undisturbed(lake: FaultyLake) -> None:
    lake.stage("a", [message("m1"), message("m1"), b"nonsense"])
    outcome = run_dag("load_events", Run("r1"))
    print(outcome)
    assert lake.differences() == []
    assert outcome.retried == {}
