"""Where the staged part of events_live begins."""

staged_at = "2026-01-01"
path = "s3://staging/staging/20260101T000000"
