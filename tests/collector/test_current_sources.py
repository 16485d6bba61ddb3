"""Sources are read again once a minute; a version that is broken leaves the last good one."""

import json

import pytest

from clickstream_collector.current_sources import CurrentSources
from tests.collector.doors import Time


def version(name: str) -> bytes:
    entry = {"id": name, "kind": "web"}
    return json.dumps({"version": 1, "host": "", "sources": {name: entry}, "keys": {}}).encode()


class Store:
    """An object with an ETag; None is gone."""

    def __init__(self, body: bytes | None) -> None:
        self.body = body
        self.asked: list[str] = []

    def __call__(self, etag: str) -> tuple[str, bytes] | None:
        self.asked.append(etag)
        if self.body is None:
            raise OSError("GetObject: 403")
        now = str(hash(self.body))
        return None if etag == now else (now, self.body)


def test_a_new_version_is_picked_up_within_a_minute_and_not_asked_for_before() -> None:
    store, time, told = Store(version("one")), Time(), list[str]()
    current = CurrentSources(store, time, told.append)

    def names() -> list[str]:
        found = current.get()
        assert found
        return list(found.by_name)

    assert names() == ["one"]
    store.body = version("two")
    time.seconds += 59
    assert names() == ["one"]
    assert len(store.asked) == 1
    time.seconds += 1
    assert names() == ["two"]
    time.seconds += 60
    assert names() == ["two"]
    assert store.asked[0] == ""
    assert store.asked[-1] == str(hash(store.body))
    assert told == []


@pytest.mark.scenario("X48")
def test_a_broken_version_keeps_the_old_one_and_is_told() -> None:
    store, time, told = Store(version("one")), Time(), list[str]()
    current = CurrentSources(store, time, told.append)
    current.get()
    for broken in (b"{", None, version("one").replace(b'"web"', b'"wk_secret"')):
        store.body = broken
        time.seconds += 60
        found = current.get()
        assert found
        assert list(found.by_name) == ["one"]
    assert len(told) == 3
    store.body = version("two")
    time.seconds += 60
    found = current.get()
    assert found
    assert list(found.by_name) == ["two"]


def test_without_any_version_each_request_tries() -> None:
    store, told = Store(None), list[str]()
    current = CurrentSources(store, Time(), told.append)

    assert current.get() is None
    assert current.get() is None
    store.body = version("one")
    assert current.get() is not None
