"""What one batch can touch."""

earliest = latest = "2026-01-01"
