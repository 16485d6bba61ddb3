"""The operator that compares what is sent with the tracking plan."""

from datetime import timedelta

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from clickstream.form import FormError, read_whole
from clickstream.operators.base import EngineOperator
from clickstream.operators.plan import require_plan
from clickstream.plan.diff import LONGEST_DAYS, counts, differences, fitting
from clickstream.plan.seen import look


class TrinoComparePlanOperator(EngineOperator):
    """Compare the last days of `events`, the run's param `days`, with the plan; write `plan_diff`."""

    def execute(self, context: Context) -> dict[str, int]:
        """Return the number of differences by kind."""
        _, run, values = self.prepare(context)
        plan = require_plan()
        try:
            days = read_whole(context["params"], "days", 1, LONGEST_DAYS)
        except FormError as error:
            raise AirflowFailException(str(error)) from None
        since = values["now"] - timedelta(days=days)
        seen = look(run, since)
        found = differences(plan, seen)
        if seen.is_cut:
            self.log.warning("rare properties were not checked: does a sender use ids as keys?")
        stored, count = fitting(found)
        if count < len(found):
            self.log.warning("%d of %d differences are stored", count, len(found))
        run("lake/plan_diff/load.sql", **values, differences_json=stored, seen_since=since)
        return counts(found)
