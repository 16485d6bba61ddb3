"""When messages were received."""

earliest = latest = "2026-01-01"
