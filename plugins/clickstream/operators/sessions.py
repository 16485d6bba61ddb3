"""The operator that models sessions."""

from dataclasses import replace
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from clickstream.form import FormError, read_window
from clickstream.operators.base import EngineOperator
from clickstream.operators.plan import require_plan
from clickstream.sessions.model import SessionRules, model_pending, model_range


class TrinoModelSessionsOperator(EngineOperator):
    """Model every load that has not been, or all of the range in the run's form; skipped when there is neither."""

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Return a report a pass as plain values."""
        _, run, values = self.prepare(context)
        try:
            window = read_window(context["params"])
        except FormError as error:
            raise AirflowFailException(str(error)) from error
        rules, run_id, now = self._with_conversions(values["rules"]), values["run_id"], values["now"]
        passes = model_range(run, rules, run_id, now, window) if window else model_pending(run, rules, run_id, now)
        reports = [report.to_dict() for report in passes]
        if not reports:
            raise AirflowSkipException("every load has been modelled")
        return reports

    def _with_conversions(self, rules: SessionRules) -> SessionRules:
        """Return the rules with the conversions of the tracking plan, unless a setting names others."""
        if rules.conversion_events:
            return rules
        return replace(rules, conversion_events=tuple(sorted(require_plan().conversions)))
