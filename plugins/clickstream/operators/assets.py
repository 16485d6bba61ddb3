"""The assets by which DAGs start each other: the one place that names them."""

from airflow.sdk import Asset

EVENTS_LOADED = Asset("clickstream_events_loaded")
"""A run of load_events has been reported: its rows are in `events`, its report in `load_runs`."""
