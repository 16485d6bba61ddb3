"""One pass of model_sessions."""

from types import SimpleNamespace

run_id = "x"
points = visitors = sessions_new = sessions_changed = sessions_aliased = sessions_capped = 1
rebuilt_from = rebuilt_to = None
changes = SimpleNamespace(loads=[SimpleNamespace(run_id="run", reported_at="2026-01-01")])
