"""Maintenance: what is asked of each table, in which order, and which batches are left behind."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.aws.glue import last_changes
from clickstream.engine.query import Result
from clickstream.engine.tables import Partitioning
from clickstream.upkeep.maintenance import SETTLED_AFTER, closed_before, maintain, stray_batches
from tests.clickstream.memory_aws import MemoryGlue

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
EVENTS = ("clickstream", "events")
BATCH = "batch_0123456789abcdef01234567"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("now", "span", "boundary"),
    [
        ("2026-11-24T10:30:00", HOUR, "2026-11-24T08:00:00"),
        ("2026-11-24T10:00:00", HOUR, "2026-11-24T08:00:00"),
        ("2026-11-24T09:59:59.999999", HOUR, "2026-11-24T07:00:00"),
        ("2026-11-24T10:30:00", DAY, "2026-11-24T00:00:00"),
        ("2026-11-24T01:59:59", DAY, "2026-11-23T00:00:00"),
        ("2026-01-01T00:30:00", HOUR, "2025-12-31T22:00:00"),
    ],
)
def test_closed_partitions_end_at_a_boundary_two_hours_back(now: str, span: timedelta, boundary: str) -> None:
    given_now, wanted = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, boundary))

    assert closed_before(given_now, span) == wanted


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)), st.sampled_from([HOUR, DAY]))  # noqa: DTZ001
def test_no_open_partition_is_ever_touched_and_no_closed_one_left(now: datetime, span: timedelta) -> None:
    boundary = closed_before(now, span)

    assert boundary.timestamp() % span.total_seconds() == 0
    assert boundary <= now - SETTLED_AFTER < boundary + span


class Answers:
    """Keeps what it is asked; gives figures that shrink, and metrics."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.figures = [{"files": 8, "bytes": 800, "snapshots": 5}, {"files": 2, "bytes": 210, "snapshots": 1}]

    def __call__(self, path: str, **values: Any) -> Result:
        self.asked.append((path, values))
        rows: list[dict[str, Any]] = {
            "maintenance/figures.sql": lambda: [self.figures.pop(0)],
            "maintenance/compact.sql": lambda: [{"metric_name": "rewritten_data_files_count", "metric_value": 7}],
            "maintenance/remove_orphan_files.sql": lambda: [
                {"metric_name": "scanned_files_count", "metric_value": 21},
                {"metric_name": "deleted_files_count", "metric_value": 4},
            ],
        }.get(path, list)()
        return Result(rows, "q", 1, 1, 1)


def test_a_table_is_weighed_compacted_expired_and_cleaned_in_this_order() -> None:
    run = Answers()

    upkeep = maintain(run, EVENTS, Partitioning("hour", "received_at"), NOW, timedelta(days=9))

    assert run.asked == [
        ("maintenance/figures.sql", {"altered": EVENTS}),
        (
            "maintenance/compact.sql",
            {"altered": EVENTS, "partition_column": "received_at", "closed_before": NOW.replace(hour=8, minute=0)},
        ),
        ("maintenance/expire_snapshots.sql", {"altered": EVENTS, "retention": timedelta(days=9)}),
        ("maintenance/remove_orphan_files.sql", {"altered": EVENTS, "retention": timedelta(days=9)}),
        ("maintenance/figures.sql", {"altered": EVENTS}),
    ]
    assert upkeep.to_dict() == {
        "table": "events",
        "before": {"files": 8, "bytes": 800, "snapshots": 5},
        "after": {"files": 2, "bytes": 210, "snapshots": 1},
        "rewritten_files": 7,
        "orphan_files": 4,
    }
    assert upkeep.text() == (
        "events: before 8 files, 800 bytes, 5 snapshots; after 2 files, 210 bytes, 1 snapshots; "
        "7 files rewritten, 4 orphan files deleted"
    )


def test_a_batch_is_stray_when_it_was_last_written_more_than_a_day_ago() -> None:
    changed = [
        (BATCH, NOW - DAY - timedelta(seconds=1)),
        (BATCH.replace("7", "8"), NOW - DAY),
        ("batch_of_mine", NOW - 9 * DAY),
        ("notes", NOW - 9 * DAY),
    ]

    assert stray_batches(changed, NOW) == [BATCH]


def test_a_batch_made_anew_by_a_cleared_run_is_as_old_as_its_last_change() -> None:
    glue = MemoryGlue(
        [
            {"Name": BATCH, "CreateTime": NOW - 9 * DAY, "UpdateTime": NOW},
            {"Name": "never_updated", "CreateTime": NOW - DAY},
        ],
        page=1,
    )

    assert last_changes(glue.client, "clickstream_work") == [(BATCH, NOW), ("never_updated", NOW - DAY)]
    assert {call["DatabaseName"] for call in glue.called("GetTables")} == {"clickstream_work"}
