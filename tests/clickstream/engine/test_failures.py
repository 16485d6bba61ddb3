"""The search for the messages with which a statement fails, on sets of keys."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trino.exceptions import TrinoQueryError

from clickstream.engine.among import HIGHEST, LOWEST, Among
from clickstream.engine.failures import MOST_LEFT_OUT, failure_of, find_failing
from tests.clickstream.fake_trino import query_error

pytestmark = pytest.mark.promise("P5")

KEYS = st.integers(LOWEST, HIGHEST) | st.sampled_from([LOWEST, LOWEST + 1, -1, 0, 1, HIGHEST - 1, HIGHEST])
ERROR = query_error("GENERIC_INTERNAL_ERROR", "INTERNAL_ERROR")


class Batch:
    """Messages by their keys; a statement fails on a part that holds a bad one. Counts what is asked."""

    def __init__(self, good: set[int], bad: set[int], fails_on_nothing: bool = False) -> None:
        self.keys, self.bad, self.fails_on_nothing = good | bad, bad, fails_on_nothing
        self.attempts = 0

    def attempt(self, among: Among) -> TrinoQueryError | None:
        self.attempts += 1
        read = {key for key in self.keys if among.low <= key <= among.high}
        return ERROR if read & self.bad or (self.fails_on_nothing and not read) else None

    def cut(self, among: Among) -> Among | None:
        read = [key for key in self.keys if among.low <= key <= among.high]
        return among.cut(min(read, default=None), max(read, default=None))

    def find(self) -> list[int]:
        return [failing.among.low for failing in find_failing(self.attempt, self.cut, Among("step"), ERROR)]


@given(st.sets(KEYS, max_size=60), st.sets(KEYS, min_size=1, max_size=MOST_LEFT_OUT))
def test_exactly_the_bad_ones_are_found_in_few_tries(good: set[int], bad: set[int]) -> None:
    good -= bad
    if not good and len(bad) > 1:
        return
    batch = Batch(good, bad)

    assert sorted(batch.find()) == sorted(bad)
    # A bad one is at most 64 halvings deep, and each of these tries two halves; it is tried twice alone.
    assert batch.attempts <= len(bad) * (2 * 64 + 2) + 2


@given(st.sets(KEYS, min_size=2, max_size=40))
def test_when_it_fails_with_every_message_it_is_not_of_one(bad: set[int]) -> None:
    with pytest.raises(TrinoQueryError):
        Batch(set(), bad).find()


@given(st.sets(KEYS, max_size=10), KEYS)
def test_when_it_fails_with_no_message_too_it_is_not_of_one(good: set[int], bad: int) -> None:
    with pytest.raises(TrinoQueryError):
        Batch(good - {bad}, {bad}, fails_on_nothing=True).find()


def test_with_nothing_to_read_the_error_is_raised() -> None:
    with pytest.raises(TrinoQueryError):
        Batch(set(), set()).find()


def test_the_search_ends_after_a_few() -> None:
    batch = Batch(set(range(0, 10_000, 2)), set(range(1, 10_000, 2)))

    assert len(batch.find()) == MOST_LEFT_OUT + 1
    assert batch.attempts < 200


@given(st.integers(0, 1_000), st.integers(200, 1_000))
def test_more_than_a_few_are_found_where_nearly_all_are_bad(seed: int, count: int) -> None:
    """Hashes are spread evenly: so are the good ones, one of ten."""
    # One of 50 tries alone finds one with a probability of 99.5 %; more of 1,000 seeds than one miss it.
    random = Random(seed)
    keys = [random.randint(LOWEST, HIGHEST) for _ in range(count)]
    batch = Batch(set(keys[::10]), set(keys) - set(keys[::10]))

    assert len(batch.find()) == MOST_LEFT_OUT + 1
    assert batch.attempts < 300


def test_a_failure_that_does_not_come_again_is_none() -> None:
    left = [ERROR]

    assert (
        find_failing(lambda _: left.pop() if left else None, lambda among: Among("step", 7, 7), Among("step"), ERROR)
        == []
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ICEBERG_COMMIT_ERROR", "EXTERNAL"),
        ("HIVE_CANNOT_OPEN_SPLIT", "EXTERNAL"),
        ("EXCEEDED_LOCAL_MEMORY_LIMIT", "INSUFFICIENT_RESOURCES"),
        ("USER_CANCELED", "USER_ERROR"),
    ],
)
def test_an_outage_is_not_of_data(name: str, kind: str) -> None:
    def fail() -> None:
        raise query_error(name, kind)

    with pytest.raises(TrinoQueryError):
        failure_of(fail)
