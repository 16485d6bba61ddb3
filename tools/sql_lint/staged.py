"""When some objects were staged."""

earliest = latest = "2026-01-01"
