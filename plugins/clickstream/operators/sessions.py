"""The operator that models sessions."""

from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from clickstream.form import FormError, read_window
from clickstream.operators.base import EngineOperator
from clickstream.operators.plan import require_plan
from clickstream.sessions.model import model_pending, model_range, with_conversions


class TrinoModelSessionsOperator(EngineOperator):
    """Model every load that has not been, or all of the range in the run's form; skipped when there is neither."""

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Return a report a pass as plain values."""
        settings, run, values = self.prepare(context)
        try:
            window = read_window(context["params"])
        except FormError as error:
            raise AirflowFailException(str(error)) from error
        rules = with_conversions(settings, lambda: require_plan().conversions)
        run_id, now = values["run_id"], values["now"]
        passes = model_range(run, rules, run_id, now, window) if window else model_pending(run, rules, run_id, now)
        reports = [report.to_dict() for report in passes]
        if not reports:
            raise AirflowSkipException("every load has been modelled")
        return reports
