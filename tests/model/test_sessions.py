"""Sessions do not depend on the order of arrival: the look-around of the incremental algorithm is enough."""

from datetime import UTC, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.model.remodel import cut, remodel
from tests.model.sessions import Rules, sessions_of, time_of

START = datetime(2026, 11, 24, tzinfo=UTC)
IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=2)

# Minutes close enough that chains, cuts at the longest duration and exact limits are all common.
minutes = st.lists(st.integers(0, 1500).map(lambda n: n if n % 3 else n // 3 * 2), min_size=1, max_size=60)


def events_at(given_minutes: list[int]) -> list[tuple[datetime, str]]:
    return [(START + timedelta(minutes=minute), f"m{number:03}") for number, minute in enumerate(given_minutes)]


@settings(max_examples=1500, deadline=None)
@given(minutes, st.data())
def test_any_order_and_any_split_into_runs_gives_the_same_sessions(given_minutes: list[int], data: st.DataObject):
    events = events_at(given_minutes)
    arrived = data.draw(st.permutations(events))
    wanted = cut(events, IDLE, LONGEST)

    stored: list = []
    present: list = []
    while arrived:
        size = data.draw(st.integers(1, len(arrived)))
        batch, arrived = arrived[:size], arrived[size:]
        present += batch
        # A load may be in the table before its turn has come: some of what comes later is visible already.
        ahead = arrived[: data.draw(st.integers(0, min(3, len(arrived))))]
        stored = remodel(stored, present + ahead, [at for at, _ in batch], IDLE, LONGEST)

    assert stored == wanted


@settings(max_examples=300, deadline=None)
@given(minutes, st.integers(0, 1500), st.integers(1, 600))
def test_modelling_a_part_again_changes_nothing(given_minutes: list[int], start: int, length: int):
    stored = cut(events_at(given_minutes), IDLE, LONGEST)
    begin, end = START + timedelta(minutes=start), START + timedelta(minutes=start + length)
    points = [at for at, _ in events_at(given_minutes) if begin <= at < end]

    if points:
        assert remodel(stored, events_at(given_minutes), points, IDLE, LONGEST) == stored


@given(minutes)
@example([0, 30, 61, 151])
def test_the_two_models_agree(given_minutes: list[int]):
    events = events_at(given_minutes)
    messages = [
        {"messageId": name, "anonymousId": "a", "timestamp": at.isoformat(), "receivedAt": at.isoformat()}
        for at, name in events
    ]

    found = sessions_of(messages, Rules(idle=IDLE, longest=LONGEST))

    assert [[m["messageId"] for m in s.messages] for s in found] == [
        [name for _, name in visit] for visit in cut(events, IDLE, LONGEST)
    ]


def test_by_hand():
    """30 minutes go on, a second more does not; the cut is 24 hours after the first event, whatever the day."""
    at = [0, 30 * 60, 60 * 60 + 1]
    visits = cut(((START + timedelta(seconds=s), str(s)) for s in at), IDLE, timedelta(hours=24))
    assert [len(visit) for visit in visits] == [2, 1]
    chain = cut(((START + timedelta(minutes=20 * n), f"{n:03}") for n in range(150)), IDLE, timedelta(hours=24))
    assert [len(visit) for visit in chain] == [73, 73, 4]


def test_a_clock_is_believed_within_its_limits():
    received = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def believed(offset: timedelta) -> bool:
        message = {"timestamp": (received + offset).isoformat(), "receivedAt": received.isoformat()}
        return time_of(message, Rules()) == received + offset

    assert believed(timedelta(minutes=5))
    assert not believed(timedelta(minutes=5, microseconds=1))
    assert believed(-timedelta(days=30))
    assert not believed(-timedelta(days=30, microseconds=1))
