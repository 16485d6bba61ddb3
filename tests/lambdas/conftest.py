"""Settings of the functions under test: what the template gives them locally."""

from collections.abc import Iterator

import pytest

from clickstream_stream.environment import environment

RAW = "clickstream-raw-000000000000"
STAGING = "clickstream-staging-000000000000"
ARCHIVE = "clickstream-archive-000000000000"


@pytest.fixture(autouse=True)
def function_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "CLICKSTREAM_RAW_BUCKET": RAW,
        "CLICKSTREAM_RAW_PREFIX": "raw/",
        "CLICKSTREAM_STAGING_BUCKET": STAGING,
        "CLICKSTREAM_STAGING_PREFIX": "staging/",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    environment.cache_clear()
    yield
    environment.cache_clear()


@pytest.fixture(params=["None", "Copy", "Firehose"])
def archive_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CLICKSTREAM_ARCHIVE_BY", request.param)
    monkeypatch.setenv("CLICKSTREAM_ARCHIVE_BUCKET", ARCHIVE)
    return str(request.param)
