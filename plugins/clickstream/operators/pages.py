"""The pages that Airflow serves below /clickstream: the status page, the report of a run, the docs.

Airflow does not protect what plugins serve: each page asks for a signed-in user who may read runs of load_events. None
asks Trino anything. The plugin imports this at the first request.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import requires_access_dag
from airflow.models.dagrun import DagRun
from airflow.models.xcom import XComModel
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk.exceptions import AirflowException
from airflow.utils.state import DagRunState
from botocore.exceptions import BotoCoreError, ClientError
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import and_, or_, select

from clickstream.aws.s3 import read_text
from clickstream.settings import SettingsError, load_settings
from clickstream.status.docs import MEDIA_TYPES, find
from clickstream.status.look import KEY, RUNS
from clickstream.status.page import (
    Choice,
    DocumentError,
    TroubledRun,
    docs_page,
    message_page,
    report_page,
    status_page,
)
from clickstream.window import DAY, HOUR

DAG_ID = "load_events"

# Nothing of a page comes from elsewhere, and nothing of it is a script.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'self'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}

app = FastAPI(
    title="Clickstream", docs_url=None, redoc_url=None, openapi_url=None,
    dependencies=[Depends(requires_access_dag("GET", DagAccessEntity.RUN, DAG_ID))],
)  # fmt: skip


@app.get("/")
def status(session: SessionDep, event: Annotated[str, Query(max_length=200)] = "", all: str = "") -> HTMLResponse:
    """Return the status page; one that says why, if the document cannot be fetched."""
    try:
        settings = load_settings()
        s3 = AwsBaseHook(settings.aws_conn_id, client_type="s3").get_conn()
        text = read_text(s3, settings.lake_bucket, KEY)
    except (SettingsError, AirflowException, BotoCoreError, ClientError) as error:
        where = (
            "The API server cannot fetch the document of this page from S3. docs/existing-airflow.md says what it needs"
        )
        return _html(message_page("Clickstream", f"{where}. {type(error).__name__}: {error}"), 503)
    now = datetime.now(UTC)
    return _html(status_page(text, now, Choice(event, bool(all)), _troubled(session, now)))


@app.get("/run")
def run(run_id: str, session: SessionDep, dag_id: str = DAG_ID) -> HTMLResponse:
    """Return the report of a run, or what its dry run would do."""
    if dag_id != DAG_ID:
        return _html(message_page("Run report", f"Only runs of {DAG_ID} have a report."))
    try:
        return _html(report_page(run_id, _returned(session, run_id, "report"), _returned(session, run_id, "preview")))
    except DocumentError as error:
        return _html(message_page("Run report", str(error)), 503)


@app.get("/docs/{name:path}")
def docs(name: str) -> Response:
    """Return a page of docs/, or a picture of one."""
    file = find(name)
    if file is None:
        raise HTTPException(
            404, f"docs/{name} is not here. Deploy docs/ beside include/, or read it in the repository."
        )
    if file.suffix == ".md":
        return _html(docs_page(name, file.read_text(encoding="utf-8")))
    return Response(file.read_bytes(), media_type=MEDIA_TYPES[file.suffix], headers=HEADERS)


@app.exception_handler(HTTPException)
def refuse(request: Request, error: HTTPException) -> HTMLResponse:
    """Say to a person why there is no page, and how to sign in."""
    if error.status_code != 401:
        text = f"You may not see this: it takes the right to read runs of {DAG_ID}." if error.status_code == 403 else ""
        return _html(message_page("Clickstream", text or str(error.detail)), error.status_code)
    # Relative, as a proxy may have Airflow below any path: from here to its root.
    root = "../" * request.url.path.removeprefix(request.scope["root_path"]).count("/")
    login = f"{root}api/v2/auth/login"
    return _html(message_page("Clickstream", "You are not signed in to Airflow.", login, "Sign in"), 401)


def _troubled(session: Any, now: datetime) -> list[TroubledRun]:
    """Return the runs that failed in a day, and those that have run for over an hour: the newest first."""
    is_troubled = or_(
        and_(DagRun.state == DagRunState.FAILED, DagRun.start_date >= now - DAY),
        and_(DagRun.state == DagRunState.RUNNING, DagRun.start_date < now - HOUR),
    )
    query = (
        select(DagRun.run_id, DagRun.state, DagRun.start_date, DagRun.end_date)
        .where(DagRun.dag_id == DAG_ID, is_troubled)
        .order_by(DagRun.start_date.desc())
        .limit(RUNS)
    )
    return [
        TroubledRun(run_id, str(state), started_at.isoformat(), ended_at.isoformat() if ended_at else None)
        for run_id, state, started_at, ended_at in session.execute(query)
    ]


def _returned(session: Any, run_id: str, task_id: str) -> dict[str, Any] | None:
    """Return what a task of the run returned; None when it did not."""
    query = select(XComModel).where(
        XComModel.dag_id == DAG_ID,
        XComModel.run_id == run_id,
        XComModel.task_id == task_id,
        XComModel.key == "return_value",
    )
    found = session.scalars(query).first()
    value = XComModel.deserialize_value(found) if found else None
    return value if isinstance(value, dict) else None


def _html(text: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(text, status, headers=HEADERS)
