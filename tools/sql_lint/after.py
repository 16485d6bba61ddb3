"""The last row of a page of rejects."""

rejected_at = "2026-01-01"
reject_id = "a"
