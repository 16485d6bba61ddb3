"""One run's report."""

run_id = reasons_json = delays_json = violations_json = failures_json = "x"
objects = bytes = rows_read = rows_loaded = rows_duplicate = rows_rejected = values_discarded = 1
first_received_at = last_received_at = "2026-01-01"
