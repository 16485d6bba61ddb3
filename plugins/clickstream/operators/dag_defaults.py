"""What the DAGs have in common, so that a file in dags/ shows what differs."""

from datetime import UTC, datetime, timedelta
from typing import Any

from clickstream.operators.notify import notify_failure

DAG_DEFAULTS: dict[str, Any] = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "max_active_runs": 1,
    "on_failure_callback": notify_failure,
}


def task_defaults(**others: Any) -> dict[str, Any]:
    """Return the `default_args` of a DAG: those of every DAG, and `others`, which come before them."""
    return {"owner": "data-platform", "retries": 2, "retry_delay": timedelta(minutes=1)} | others
