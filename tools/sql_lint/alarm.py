"""One alarm that is kept."""

name = subject = severity = text = figures_json = told_json = "x"
opened_at = last_seen_at = closed_at = "2026-01-01"
