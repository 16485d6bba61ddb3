"""One pass of model_sessions."""

from types import SimpleNamespace

run_id = "x"
points = visitors = sessions_new = sessions_changed = sessions_aliased = sessions_capped = 1
rebuilt_from = rebuilt_to = first_started_at = last_started_at = None
changes = SimpleNamespace(loads_json="[]")
