"""One run's report."""

from types import SimpleNamespace

run_id = reasons_json = delays_json = "x"
objects = bytes = rows_read = rows_loaded = rows_duplicate = rows_rejected = values_discarded = 1
first_received_at = last_received_at = "2026-01-01"
points = visitors = sessions_new = sessions_changed = sessions_aliased = sessions_capped = 1
rebuilt_from = rebuilt_to = None
changes = SimpleNamespace(loads=[SimpleNamespace(run_id="run", reported_at="2026-01-01")])
