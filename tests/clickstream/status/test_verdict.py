"""The line at the top of the page, by what a document says; and what began, however often it comes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clickstream.status.verdict import has_begun, verdict

CASES = yaml.safe_load(Path(__file__).with_name("verdicts.yaml").read_text(encoding="utf-8"))
SINCE = datetime(2026, 11, 28, 12, 2, tzinfo=UTC)


def well() -> dict[str, Any]:
    """A document in which all is well, as far as the line is made from it."""
    return {
        "written_at": "2026-11-29T12:17:00+00:00",
        "alarms": [],
        "waiting": {"newest_received_at": "2026-11-29T12:05:00+00:00", "oldest_unloaded_at": None},
        "loaded": {
            "since": SINCE.isoformat(), "looked_at": (SINCE + timedelta(days=1)).isoformat(), "violations": [],
            "rejects": [],
        },
    }  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_document_gives_a_line(name: str) -> None:
    case = CASES[name]
    document = well()
    for part, change in case["change"].items():
        if part == "alarms":
            document[part] = [{"run_id": "", "opened_at": "2026-11-29T12:00:00+00:00", **alarm} for alarm in change]
        else:
            document[part] |= change

    found = verdict(document, datetime.fromisoformat(case.get("now", "2026-11-29T12:18:00+00:00")))

    assert (found.text, found.tone) == (case["line"], case["tone"])


@given(st.integers(1, 10_000), st.lists(st.floats(0, 24), min_size=1))
def test_what_came_in_the_first_minutes_of_the_day_or_once_never_began(count: int, hours: list[float]) -> None:
    loaded = well()["loaded"]
    early, late = ({"first_at": (SINCE + timedelta(hours=at)).isoformat()} for at in (0.0, min(hours)))

    assert not has_begun(early, count, loaded)
    assert has_begun(late, count, loaded) >= has_begun(late, 1, loaded)
    assert not has_begun({}, count, loaded)
