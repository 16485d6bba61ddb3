"""Spans of received_at that are read."""

from types import SimpleNamespace

spans = [SimpleNamespace(start="2026-01-01", end="2026-01-02")] * 2
