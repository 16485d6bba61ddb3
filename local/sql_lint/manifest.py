"""One run's manifest: of both places, with rows to be derived again, so that every branch of the SQL is linted."""

from types import SimpleNamespace

paths = ["s3://staging/staging/20260101T000000000Z-a.gz"]
bytes = [1]
times = ["2026-01-01"]
staged = archived = [SimpleNamespace(path=paths[0])]
folders = ["source/1767225600000"]
received = [SimpleNamespace(start="2026-01-01", end="2026-01-02")]
rederive = True
