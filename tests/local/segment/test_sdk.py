"""Which part of a day goes through the collector."""

from datetime import UTC, datetime

from local.segment.events import generate_day
from local.segment.sdk import split
from local.segment.sources import BACK_OFFICE


def test_each_record_goes_one_way_and_all_whole_ones_of_the_back_office_by_the_sdk() -> None:
    day = generate_day(7, datetime(2026, 11, 24, tzinfo=UTC), users=120)
    by_segment, by_sdk = split(day)
    needle = f'"projectId": "{BACK_OFFICE.project_id}"'.encode()

    assert len(by_segment) + len(by_sdk) == day.summary.sent
    assert {message["projectId"] for message in by_sdk} == {BACK_OFFICE.project_id}
    assert len(by_sdk) >= day.summary.by_source["back_office"] > 0
    # What is left of it is broken, and must arrive as it is.
    assert all(b"messageId" not in record or record[-1:] != b"}" for record in by_segment if needle in record)
