"""Staged and archived keys: no two sources meet, and every reader sees them."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream_stream.keys import MAX_KEY_BYTES, archive_key, encode, staging_key

TIME = "2026-11-24T05:28:00.123Z"
s3_characters = st.characters(exclude_categories=["Cs"])
source_keys = st.text(alphabet=s3_characters | st.sampled_from("/_.-= +%é"), min_size=1, max_size=60)
hours = st.datetimes().map(lambda at: f"{at.year:04d}/{at:%m/%d/%H}")
long_keys = st.builds(lambda text, times: text * times, source_keys, st.integers(min_value=20, max_value=80))


@pytest.mark.scenario("X27")
@given(st.lists(source_keys | long_keys, min_size=2, max_size=6, unique=True))
def test_different_sources_get_different_keys(sources: list[str]) -> None:
    assert len({staging_key("staging/", TIME, source) for source in sources}) == len(sources)
    assert len({archive_key(TIME, source) for source in sources}) == len(sources)


@pytest.mark.scenario("X27")
@given(st.text(alphabet="/_=5F.a", min_size=1, max_size=5), st.text(alphabet="/_=5F.a", min_size=1, max_size=5))
def test_different_sources_stay_different_where_escapes_could_be_imitated(one: str, other: str) -> None:
    assert (encode(one) == encode(other)) == (one == other)


@given(source_keys | long_keys, st.sampled_from(["", ".gz", ".json.gz", ".GZ", ".json"]))
def test_key_is_short_flat_visible_and_keeps_its_suffix(source: str, suffix: str) -> None:
    key = staging_key("staging/", TIME, source + suffix)

    assert len(key.encode("utf-8")) <= MAX_KEY_BYTES
    assert key.endswith(suffix)
    assert re.fullmatch(r"staging/20261124T052800123Z-[A-Za-z0-9._=-]+", key)


@given(hours, source_keys | long_keys, st.sampled_from(["", ".gz", ".json.gz"]))
def test_an_archived_key_is_in_the_hour_of_its_source_and_told_apart_from_others_there(
    hour: str, name: str, suffix: str
) -> None:
    source = f"raw/{hour}/{name.replace('/', '_')}{suffix}"

    key = archive_key(TIME, source)

    assert len(key.encode("utf-8")) <= MAX_KEY_BYTES
    assert key.endswith(suffix)
    assert re.fullmatch(rf"archive/{hour}/raw_[A-Za-z0-9._=-]+", key)
    assert key == archive_key("1999-12-31T23:59:59Z", source)
    assert key != archive_key(TIME, f"{source}x")


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_keys_sort_by_time(one: datetime, other: datetime) -> None:
    first, second = sorted([one, other])

    assert staging_key("s/", first.isoformat(), "x") <= staging_key("s/", second.isoformat(), "x")


@pytest.mark.parametrize(
    "event_time", ["", "soon", "2026-11-24T05:28:00", "2026-02-30T00:00:00Z", "2026-11-24T25:00:00Z"]
)
def test_a_time_that_is_no_instant_is_refused(event_time: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        staging_key("staging/", event_time, "raw/a.gz")
    with pytest.raises(ValueError, match=r"."):
        archive_key(event_time, "raw/a.gz")


def test_an_empty_source_key_is_refused() -> None:
    with pytest.raises(ValueError, match="empty source key"):
        staging_key("staging/", TIME, "")
    with pytest.raises(ValueError, match="empty source key"):
        archive_key(TIME, "")
