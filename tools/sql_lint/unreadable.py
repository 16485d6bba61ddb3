"""One object that cannot be read."""

path = copy_path = reason = "x"
bytes = 1
staged_at = "2026-01-01"
