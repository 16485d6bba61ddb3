"""The tracking plan as a task reads it."""

from airflow.sdk.exceptions import AirflowFailException

from clickstream.plan.file import TrackingPlan, TrackingPlanError, read_plan


def require_plan() -> TrackingPlan:
    """Read include/tracking_plan.yaml. A mistake in it fails the task for good: a retry would read the same file."""
    try:
        return read_plan()
    except TrackingPlanError as error:
        raise AirflowFailException(str(error)) from None
