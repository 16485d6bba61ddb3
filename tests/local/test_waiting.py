"""Waits end when nothing has moved for long, however long that takes in all, and say where to look."""

from collections.abc import Iterator

import pytest

from local.places import LocalError
from local.waiting import LONGEST, wait_for


class Clock:
    """A time that passes only while something sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def waited(states: Iterator[tuple[bool, str]], patience: float) -> tuple[list[str], float]:
    """What was reported, and the seconds that passed."""
    clock, reports = Clock(), list[str]()
    wait_for("trino", lambda: next(states), reports.append, patience, "see the log", 1.0, clock, clock.sleep)
    return reports, clock.now


def test_a_wait_lasts_as_long_as_something_moves() -> None:
    states = iter([(False, f"{second // 5} objects") for second in range(60)] + [(True, "")])

    reports, seconds = waited(states, patience=6)

    assert seconds == 60
    assert reports == [f"trino: {count} objects" for count in range(12)]


def test_what_stands_still_ends_the_wait_with_its_state_and_where_to_look() -> None:
    states = iter([(False, "1 object"), *[(False, "2 objects")] * 100])

    with pytest.raises(LocalError, match=r"^trino: nothing has moved for 6 s \(2 objects\): see the log$"):
        waited(states, patience=6)


def test_what_moves_for_ever_ends_too() -> None:
    def for_ever() -> Iterator[tuple[bool, str]]:
        number = 0
        while True:
            number += 1
            yield False, str(number)

    with pytest.raises(LocalError, match=rf"^trino: not done after {LONGEST:.0f} s"):
        waited(for_ever(), patience=6)
