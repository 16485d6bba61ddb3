"""Events whose tables are compared with `events`."""

from types import SimpleNamespace

window = SimpleNamespace(earliest="2026-01-01", latest="2026-01-01")
events = [SimpleNamespace(event=SimpleNamespace(table="order_completed"), window=window)]
