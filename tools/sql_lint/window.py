"""When messages were received."""

from types import SimpleNamespace

earliest = latest = "2026-01-01"
spans = [SimpleNamespace(start="2026-01-01", end="2026-01-02")] * 2
