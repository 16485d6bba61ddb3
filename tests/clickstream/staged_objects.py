"""Staged objects for property tests."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from clickstream.staging.keys import StagedObject

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FOLDER = "s3://clickstream-staging-000000000000/staging/"


def staged_object(rest: str, staged_at: datetime, size: int = 10) -> StagedObject:
    """The object that the function stages at that time under that name."""
    time = f"{staged_at:%Y%m%dT%H%M%S}{staged_at.microsecond // 1_000:03}Z"
    return StagedObject(f"{FOLDER}{time}-{rest}", size, staged_at)


def objects_within(hours: int) -> st.SearchStrategy[list[StagedObject]]:
    """Distinct objects, in any order, of that many hours on both sides of NOW, to the millisecond."""
    half = hours * 3_600_000
    instants = st.integers(-half, half) | st.integers(-hours, hours).map(lambda hour: hour * 3_600_000)
    item = st.builds(
        lambda number, milliseconds, size: staged_object(
            f"raw_{number}.gz", NOW + timedelta(milliseconds=milliseconds), size
        ),
        st.integers(0, 30),
        instants,
        st.integers(0, 10**12),
    )
    return st.lists(item, max_size=25, unique_by=lambda made: made.path)
