"""Events whose tables are compared with `events`."""

from types import SimpleNamespace

window = SimpleNamespace(spans=[SimpleNamespace(start="2026-01-01", end="2026-01-02")] * 2)
events = [SimpleNamespace(event=SimpleNamespace(table="order_completed"), window=window)]
