"""One run's manifest: of both places, with rows to be rebuilt, so that every branch of the SQL is linted."""

from types import SimpleNamespace

paths = ["s3://staging/staging/20260101T000000000Z-a.gz"]
objects = staged = archived = [SimpleNamespace(path=paths[0], bytes=1, staged_at="2026-01-01")]
folders = ["source/1767225600000"]
received = [SimpleNamespace(start="2026-01-01", end="2026-01-02")]
objects_json = "[]"
rebuild = True
failing = {"AB": "x"}
failing_json = "{}"
