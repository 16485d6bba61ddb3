"""What is loaded by hour, and how many lines of that hour's objects were left over."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from clickstream.window import HOUR, Bounds
from local.lake.scratch import ScratchLake

ONE = datetime(2026, 11, 24, 1, tzinfo=UTC)


def message(message_id: str, at: datetime, project: str = "web_4f2a") -> bytes:
    fields = {"messageId": message_id, "type": "track", "projectId": project, "receivedAt": at.isoformat()}
    return json.dumps(fields).encode()


@pytest.mark.promise("P11")
def test_hours_have_what_was_loaded_and_at_most_what_was_left(lake: ScratchLake) -> None:
    late = ONE + timedelta(minutes=59)
    objects = {
        # Across two hours, with a duplicate and a line that is no message: each may be of either hour.
        "20261124T020500000Z-a": [
            message("a", ONE),
            message("b", late),
            message("c", ONE + HOUR),
            message("a", late),
            b"no",
        ],
        "20261124T020600000Z-b": [message("d", ONE + HOUR), message("other", ONE + HOUR, "segment")],
        # No message at all: of the hours before it was staged.
        "20261124T040000000Z-c": [b"no", b"no"],
    }
    for name, lines in objects.items():
        lake.stage(f"{name}.ndjson", b"\n".join(lines))
    lake.load("run-1")
    # Once more, as a backfill does: all lines are duplicates then, and nothing changes.
    lake.load("run-2", lake.take_all("run-2"))

    bounds = Bounds(ONE, ONE + 4 * HOUR - timedelta(microseconds=1))
    rows = lake.run("lake/load_ledger/by_hour.sql", bounds=bounds, project_ids=["web_4f2a", "orders_09d3"]).rows

    assert [(row["received_hour"], row["rows_loaded"], row["rows_left"]) for row in rows] == [
        (ONE, 2, 2), (ONE + HOUR, 2, 4), (ONE + 2 * HOUR, 0, 2), (ONE + 3 * HOUR, 0, 2),
    ]  # fmt: skip
