"""The same message hours, a day and eight days apart, and times far off, load after load: against the model."""

import json
from datetime import datetime, timedelta

import pytest

from local.lake.scratch import ScratchLake
from tests.model import compare, expected

FIRST = datetime.fromisoformat("2026-11-01T10:00:00+00:00")
LATER = [timedelta(0), timedelta(hours=3), timedelta(days=1), timedelta(days=8)]


def line(message_id: str, received_at: datetime, delay: timedelta = timedelta(0)) -> bytes:
    sent = {"messageId": message_id, "type": "track", "receivedAt": received_at.isoformat()}
    return json.dumps(sent | {"timestamp": (received_at - delay).isoformat()}).encode()


@pytest.mark.scenario("X30")
@pytest.mark.promise("P1")
def test_a_message_is_one_row_however_far_apart_and_odd_times_are_flagged(lake: ScratchLake) -> None:
    files, duplicates = [], []
    for number, later in enumerate(LATER):
        now = FIRST + later
        lines = [
            line("again", now),
            line("again", now),
            line(f"late-3-days-{number}", now, timedelta(days=3)),
            line(f"late-40-days-{number}", now, timedelta(days=40)),
            line(f"in-5-years-{number}", now, -timedelta(days=5 * 365)),
        ]
        body = b"".join(text + b"\n" for text in lines)
        files.append(expected.staged_file(lake.stage(f"{now:%Y%m%dT%H%M%S}000Z-a.ndjson", body), body))
        duplicates.append(lake.load(f"run-{number}").rows_duplicate)

    tables = expected.expected_tables(files)
    assert compare.compare(tables.events, lake.rows("events")) == []
    assert duplicates == [1, 2, 2, 2]
    flagged = {row["message_id"].rpartition("-")[0]: (row["is_late"], row["is_future"]) for row in lake.rows("events")}
    assert flagged == {
        "": (False, False), "late-3-days": (True, False), "late-40-days": (True, False), "in-5-years": (False, True),
    }  # fmt: skip
