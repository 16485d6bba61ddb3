"""What to model again: each kind of change, so that every branch of the SQL is linted."""

from types import SimpleNamespace

run_ids = ["run"]
received = window = SimpleNamespace(start="2026-01-01", end="2026-01-02")
rebuilt = [window]
rebuilt_json = "[]"
