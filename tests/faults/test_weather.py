"""The network and AWS misbehave while a run goes on: slow, cut, lost and refused calls cost time and never rows."""

import random

import pytest

from clickstream.settings import Settings
from tests.faults.airflow_tasks import THE_RUN, run_dag, run_task
from tests.faults.lake import FaultyLake
from tests.faults.machine import FaultyMachine
from tests.faults.proxy import Answer, Call, FaultProxy, Mode

GLUE = Call(action="(Get|Create|Update)Table")
S3_READS = Call(method="GET", path=r"/(data|metadata|staging)/")
S3_WRITES = Call(method="PUT", path=r"/(data|metadata)/")
COMMITS = Call(action="UpdateTable", body=r'"Name": ?"events"')
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
SLOW_DOWN = Answer(
    503,
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SlowDown</Code><Message>Please reduce your request rate.'
    b"</Message><RequestId>r</RequestId></Error>",
    "application/xml",
)
# https://docs.aws.amazon.com/glue/latest/webapi/CommonErrors.html
THROTTLED = Answer(400, b'{"__type":"ThrottlingException","message":"Rate exceeded"}', "application/x-amz-json-1.1")


def load(lake: FaultyLake) -> dict[str, list[str]]:
    """A whole run; its tables must equal the model. Gives which tasks were tried again."""
    outcome = run_dag("load_events", THE_RUN)
    tables = lake.expected()
    assert lake.differences() == []
    assert outcome.returned["report"]["rows_loaded"] == len(tables.events)
    assert outcome.returned["report"]["rows_duplicate"] == tables.duplicate_count
    return outcome.retried


@pytest.mark.scenario("X7")
@pytest.mark.promise("P6")
@pytest.mark.slow
def test_s3_takes_5_seconds_a_call(lake: FaultyLake, faulty: FaultyMachine) -> None:
    """For the first calls of each kind: a whole run of slow calls takes minutes and shows nothing more."""
    lake.stage_day()
    for call in (S3_READS, S3_WRITES):
        faulty.aws.harm(call, Mode.DELAY, times=4, seconds=5)

    assert load(lake) == {}
    assert faulty.aws.harmed == [4, 4]


@pytest.mark.scenario("X7")
@pytest.mark.promise("P6")
@pytest.mark.slow
def test_connections_are_reset_and_answers_are_cut(lake: FaultyLake, faulty: FaultyMachine) -> None:
    lake.stage_day()
    faulty.aws.harm(S3_READS, Mode.CUT, times=3)
    faulty.aws.harm(S3_READS, Mode.RESET, times=3)
    faulty.aws.harm(S3_WRITES, Mode.RESET, times=3)
    faulty.aws.harm(S3_WRITES, Mode.LOSE, times=3)

    load(lake)

    assert faulty.aws.harmed == [3, 3, 3, 3]


@pytest.mark.scenario("X8")
@pytest.mark.promise("P6")
@pytest.mark.slow
def test_s3_says_slow_down_and_glue_throttles(lake: FaultyLake, faulty: FaultyMachine) -> None:
    lake.stage_day()
    faulty.aws.harm(S3_READS, Mode.ANSWER, times=5, answer=SLOW_DOWN)
    faulty.aws.harm(S3_WRITES, Mode.ANSWER, times=5, answer=SLOW_DOWN)
    for database in (lake.settings.lines_database, lake.settings.lake_database, lake.settings.work_database):
        for action in ("GetTable", "(Create|Update)Table"):
            faulty.aws.harm(Call(action=action, body=f'"{database}"'), Mode.ANSWER, times=2, answer=THROTTLED)

    # Trino's S3 client and the operators' runner back off by themselves: no task has to be tried again.
    assert load(lake) == {}
    assert faulty.aws.harmed == [5, 5, 2, 0, 2, 2, 2, 2]


@pytest.mark.scenario("X10")
@pytest.mark.promise("P2", "P6")
def test_the_answer_to_a_commit_is_lost(lake: FaultyLake, faulty: FaultyMachine) -> None:
    lake.stage_day()
    lost = faulty.aws.harm(COMMITS, Mode.LOSE)

    load(lake)

    assert lost.met == 1


@pytest.mark.scenario("X10")
@pytest.mark.promise("P2", "P6")
@pytest.mark.slow
@pytest.mark.parametrize("table", ["batch_[0-9a-f]+", "rejects", "load_ledger", "load_runs"])
def test_the_answers_to_any_commit_are_lost(lake: FaultyLake, faulty: FaultyMachine, table: str) -> None:
    lake.stage_day()
    lost = faulty.aws.harm(Call(action="(Create|Update)Table", body=rf'"Name": ?"{table}"'), Mode.LOSE)

    load(lake)

    assert lost.met == 1


@pytest.mark.scenario("X9")
@pytest.mark.promise("P6")
def test_the_answer_to_the_patch_is_lost(lake: FaultyLake, faulty: FaultyMachine) -> None:
    crawl(lake, faulty)
    lost = faulty.aws.harm(Call(action="UpdateTable", body='"events_staging"'), Mode.LOSE)

    changed, errors = run_task("crawl_staging", "patch", THE_RUN)

    assert (lost.met, errors) == (1, [])
    assert changed == {"structs": [], "retyped": [], "added": [], "folded": []}, "the patch was there already"
    assert column_types(lake, faulty) == {"string"}


@pytest.mark.scenario("X8")
@pytest.mark.promise("P6")
@pytest.mark.slow
def test_crawl_and_patch_are_throttled(lake: FaultyLake, faulty: FaultyMachine) -> None:
    for action in ("StartCrawler", "GetCrawler", "GetTables", "UpdateTable"):
        faulty.aws.harm(Call(action=action), Mode.ANSWER, times=2, answer=THROTTLED)

    crawl(lake, faulty)
    run_task("crawl_staging", "patch", THE_RUN)

    assert faulty.aws.harmed == [2, 2, 2, 2]
    assert column_types(lake, faulty) == {"string"}


@pytest.mark.scenario("X7", "X8", "X10")
@pytest.mark.promise("P2", "P6")
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 7))
def test_everything_at_once(lake: FaultyLake, faulty: FaultyMachine, seed: int) -> None:
    """The seed decides what goes wrong; it is in the test's name."""
    lake.stage_day()
    rng = random.Random(seed)
    for _ in range(12):
        proxy, call, mode, answer = rng.choice(weather(faulty))
        proxy.harm(call, mode, times=rng.randint(1, 2), seconds=rng.uniform(0.1, 2), answer=answer)

    load(lake)


def weather(faulty: FaultyMachine) -> list[tuple[FaultProxy, Call, Mode, Answer | None]]:
    """What may go wrong."""
    return [
        *((faulty.aws, call, mode, None) for call in (S3_READS, S3_WRITES) for mode in (Mode.DELAY, Mode.RESET)),
        (faulty.aws, S3_READS, Mode.CUT, None),
        (faulty.aws, S3_WRITES, Mode.ANSWER, SLOW_DOWN),
        (faulty.aws, GLUE, Mode.ANSWER, THROTTLED),
        (faulty.aws, GLUE, Mode.LOSE, None),
        (faulty.trino, Call(method="POST"), Mode.LOSE, None),
        (faulty.trino, Call(method="GET"), Mode.RESET, None),
        (faulty.trino, Call(method="GET"), Mode.CUT, None),
    ]


def crawl(lake: FaultyLake, faulty: FaultyMachine) -> None:
    """A crawler as the template makes it, and a crawl by the DAG's task."""
    settings: Settings = lake.settings
    faulty.client("glue").create_crawler(
        Name=settings.crawler,
        Role="arn:aws:iam::000000000000:role/any",
        DatabaseName=settings.staging_database,
        TablePrefix="events_",
        Targets={"S3Targets": [{"Path": settings.staging_location}]},
        Configuration='{"Version": 1.0, "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas"}}',
    )
    lake.stage_day()
    run_task("crawl_staging", "crawl", THE_RUN)


def column_types(lake: FaultyLake, faulty: FaultyMachine) -> set[str]:
    """The types of the crawled table's columns."""
    table = faulty.client("glue").get_table(DatabaseName=lake.settings.staging_database, Name="events_staging")["Table"]
    return {column["Type"] for column in table["StorageDescriptor"]["Columns"]}
