"""Where the rules are the same, page-view sessions are those of dbt-labs/segment; each difference has its case."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model.dbt_segment import page_view_sessions
from tests.model.sessions import sessions_of

START = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
Given = tuple[float, str | None, str | None, str, float]


def message(number: int, given: Given) -> dict[str, Any]:
    """From seconds after the start, device, user, call type, and seconds until it was received."""
    seconds, device, user, kind, delay = given
    at = START + timedelta(seconds=seconds)
    found = {
        "messageId": f"m{number:03}",
        "type": kind,
        "timestamp": at.isoformat(),
        "receivedAt": (at + timedelta(seconds=delay)).isoformat(),
    }
    return found | {key: value for key, value in (("anonymousId", device), ("userId", user)) if value}


def ours(messages: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    """Our sessions as the ids of their page views."""
    found = (tuple(m["messageId"] for m in s.messages if m["type"] == "page") for s in sessions_of(messages))
    return {pages for pages in found if pages}


# Whole seconds over 22 hours, pauses of all kinds, across a midnight, in any order of arrival, some late, some twice.
page_views = st.lists(
    st.tuples(
        st.integers(0, 44).map(lambda n: n * 1800) | st.integers(0, 79_200),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([None, "u"]),
        st.just("page"),
        st.sampled_from([0, 1, 3600, 86_400]),
    ),
    max_size=80,
)


@settings(max_examples=1000, deadline=None)
@given(page_views, st.randoms(use_true_random=False))
def test_page_views_of_devices_give_the_same_sessions(given_views: list[Given], rng: Any) -> None:
    messages = [message(number, view) for number, view in enumerate(given_views)]
    messages += rng.sample(messages, len(messages) // 4)
    rng.shuffle(messages)

    assert ours(messages) == page_view_sessions(messages)


DIFFERENCES: dict[str, tuple[list[Given], list[int], list[int]]] = {
    # name: what came, sizes of our sessions in page views, sizes of theirs
    "a fraction of a second over the limit": ([(0, "a", None, "page", 0), (1800.9, "a", None, "page", 0)], [1, 1], [2]),
    "a day of page views": ([(n * 1800, "a", None, "page", 0) for n in range(50)], [1, 49], [50]),
    "other calls between page views": (
        [(0, "a", None, "page", 0), (1500, "a", None, "track", 0), (3000, "a", None, "page", 0)], [2], [1, 1]
    ),
    "a clock that is a year ahead": (
        [(0, "a", None, "page", 0), (31_536_000, "a", None, "page", -31_535_990)], [2], [1, 1]
    ),
    "users without a device": ([(0, None, "u", "page", 0), (9, None, "v", "page", 0)], [1, 1], [2]),
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_difference(name: str) -> None:
    given_messages, our_sizes, their_sizes = DIFFERENCES[name]
    messages = [message(number, each) for number, each in enumerate(given_messages)]

    assert sorted(map(len, ours(messages))) == our_sizes
    assert sorted(map(len, page_view_sessions(messages))) == their_sizes
