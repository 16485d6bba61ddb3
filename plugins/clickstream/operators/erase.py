"""The operators of erase_person: each runs one step of clickstream.erase. None logs or returns an id."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from clickstream.aws.erase_objects import AwsEraseObjects
from clickstream.erase import steps
from clickstream.erase.job import Job, request_key
from clickstream.erase.person import Asked, TooManyIdsError, read_asked
from clickstream.erase.steps import Erasure, NotErasedError, UndecidedError
from clickstream.form import FormError, read_flag
from clickstream.operators.base import EngineOperator
from clickstream.operators.plan import require_plan
from clickstream.sessions.model import with_conversions


class _EraseOperator(EngineOperator):
    """What the steps share: the run's job, which is an object of the lake bucket and no XCom."""

    def erasure(self, context: Context, job: Job | None = None) -> Erasure:
        """Return what a step takes, with the run's job or another one. Raises AirflowFailException when it has none."""
        settings, run, values = self.prepare(context)
        objects = AwsEraseObjects(self.client, settings)
        job = job or steps.load_job(objects, values["run_id"])
        if job is None:
            raise AirflowFailException("the run has no job any more: trigger another one with the same ids")
        return Erasure(run, objects, settings, values["run_id"], values["now"], job)


class TrinoFindPersonOperator(_EraseOperator):
    """Find the ids of the person in the run's form, or in the object that `request` names, which is then deleted.

    Fails when somebody has to decide on some of them first, unless it is a dry run.
    """

    def execute(self, context: Context) -> str:
        """Return the address of the job, which has the ids."""
        params = context["params"]
        erasure = self.erasure(context, Job(Asked()))
        kept = steps.load_job(erasure.objects, erasure.run_id)
        try:
            asked = self._asked(erasure, params, kept)
            erasure.job = replace(kept or Job(asked), dry_run=read_flag(params, "dry_run", True))
            address = steps.find(erasure, asked)
        except (FormError, TooManyIdsError, UndecidedError) as error:
            raise AirflowFailException(str(error)) from None
        if params.get("request"):
            erasure.objects.delete_text(request_key(params["request"]))
        return address

    def _asked(self, erasure: Erasure, params: Mapping[str, Any], kept: Job | None) -> Asked:
        name = params.get("request")
        if not name:
            return read_asked(params)
        text = erasure.objects.read_text(request_key(str(name)))
        if text is not None:
            return read_asked(json.loads(text))
        if kept is None:
            raise FormError("request: there is no such object under erasures/requests/ in the lake bucket")
        return kept.asked


class TrinoPreviewErasureOperator(_EraseOperator):
    """Count, in a dry run, what there is of the person; skipped in any other."""

    def execute(self, context: Context) -> dict[str, int]:
        """Return the rows and lines found, by place."""
        erasure = self.erasure(context)
        if not erasure.job.dry_run:
            raise AirflowSkipException("no dry run")
        return steps.preview(erasure)


def _model_sessions(erasure: Erasure) -> int:
    return steps.model_sessions(erasure, with_conversions(erasure.settings, lambda: require_plan().conversions))


_STEPS: Mapping[str, Callable[[Erasure], Any]] = {
    "suppress": steps.suppress,
    "clean_objects": steps.clean_objects,
    "clean_tables": steps.clean_tables,
    "model_sessions": _model_sessions,
    "rewrite_files": steps.rewrite_files,
    "prove": steps.prove,
    "forget": steps.forget,
}


class TrinoEraseStepOperator(_EraseOperator):
    """Run one of the steps; skipped in a dry run. `step`: its name in clickstream.erase.steps."""

    def __init__(self, *, step: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.step = step

    def execute(self, context: Context) -> Any:
        """Return what the step returns: counts by place, or names of tables."""
        erasure = self.erasure(context)
        if erasure.job.dry_run:
            raise AirflowSkipException("dry run: nothing is erased")
        try:
            done = _STEPS[self.step](erasure)
        except NotErasedError as error:
            raise AirflowFailException(str(error)) from None
        self.log.info("%s: %s", self.step, done)
        return done
