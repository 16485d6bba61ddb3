"""Who may see the pages, and what they show: Airflow's own users and tokens, a document in S3 in memory."""

import base64
import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow import settings
from airflow.api_fastapi.app import init_auth_manager, purge_cached_app
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.models import import_all_models
from airflow.models.base import Base
from airflow.models.dagrun import DagRun
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from botocore.exceptions import EndpointConnectionError
from clickstream_plugin import ClickstreamPlugin
from fastapi import FastAPI
from fastapi.testclient import TestClient

from clickstream.operators import pages
from clickstream.status.look import KEY
from tests.clickstream.memory_aws import MemoryS3
from tests.clickstream.status.test_page import FULL, Page
from tests.dags.conftest import AIRFLOW, ROOT

ADDRESSES = ["/clickstream/", "/clickstream/run?run_id=manual__1", "/clickstream/docs/runbooks/redrive.md"]


def unsigned(*parts: dict[str, str]) -> str:
    """A JSON Web Token without a signature."""
    return "".join(f"{base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip('=')}." for part in parts)


@pytest.fixture(scope="module")
def airflow_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """An application of Airflow's API server, as far as a plugin meets it, with the tables of an empty Airflow."""
    users = {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "viewer:viewer",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(tmp_path_factory.mktemp("users") / "passwords.json"),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in users.items():
            patch.setenv(name, value)
        import_all_models()
        Base.metadata.create_all(settings.engine)
        app = FastAPI()
        init_auth_manager(app)
        for one in ClickstreamPlugin.fastapi_apps:
            app.mount(one["url_prefix"], one["app"], one["name"])
        yield app
        purge_cached_app()
        Base.metadata.drop_all(settings.engine)


@pytest.fixture(autouse=True)
def document(aws: None, s3: MemoryS3) -> None:
    s3.buckets["lake-bucket"][KEY] = FULL.encode()


def client(app: FastAPI, role: str | None = None, root: str = "") -> TestClient:
    token = (
        app.state.auth_manager.generate_jwt(SimpleAuthManagerUser(username="a", role=role))
        if role is not None
        else None
    )
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return TestClient(app, headers=headers, root_path=root)


@pytest.mark.parametrize("address", ADDRESSES)
def test_nobody_sees_a_page_without_signing_in(airflow_app: FastAPI, address: str) -> None:
    answer = client(airflow_app).get(address)

    assert answer.status_code == 401
    assert "not signed in" in answer.text
    assert "order_completed" not in answer.text


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("token", ["", "none", unsigned({"alg": "none"}, {"sub": "a", "role": "ADMIN"})])
def test_a_token_that_airflow_did_not_make_is_refused(airflow_app: FastAPI, address: str, token: str) -> None:
    answer = TestClient(airflow_app, headers={"Authorization": f"Bearer {token}"}).get(address)

    assert answer.status_code in (401, 403)
    assert "order_completed" not in answer.text


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_user_without_the_right_to_read_runs_is_refused(airflow_app: FastAPI, address: str) -> None:
    answer = client(airflow_app, role="").get(address)

    assert answer.status_code == 403
    assert "the right to read runs of load_events" in answer.text


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_user_who_may_read_runs_sees_the_page(airflow_app: FastAPI, address: str) -> None:
    answer = client(airflow_app, role="viewer").get(address)

    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_every_address_of_the_pages_is_tried_here(airflow_app: FastAPI) -> None:
    paths = {getattr(route, "path", "") for route in pages.app.routes}

    assert paths == {"/", "/run", "/docs/{name:path}"}


@pytest.mark.parametrize("root", ["", "/team/airflow"])
def test_the_way_to_sign_in_is_below_the_path_of_airflow(airflow_app: FastAPI, root: str) -> None:
    for address in ADDRESSES:
        answer = client(airflow_app, root=root).get(f"{root}{address}")

        (link,) = [part.partition('"')[0] for part in answer.text.split('href="')[1:]]
        assert str(answer.url.join(link)) == f"http://testserver{root}/api/v2/auth/login"


def test_a_missing_document_and_one_that_is_broken_are_pages_too(airflow_app: FastAPI, s3: MemoryS3) -> None:
    viewer = client(airflow_app, role="viewer")
    for text, said in (("{", "is no JSON"), (None, "There is no document yet")):
        if text is None:
            del s3.buckets["lake-bucket"][KEY]
        else:
            s3.buckets["lake-bucket"][KEY] = text.encode()

        answer = viewer.get("/clickstream/")

        assert answer.status_code == 200
        assert said in answer.text


@pytest.mark.parametrize("missing", ["CLICKSTREAM_LAKE_BUCKET", "clickstream_aws", "S3"])
def test_what_keeps_the_document_from_the_page_is_said(
    airflow_app: FastAPI, s3: MemoryS3, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    def fail(*_: Any) -> None:
        if missing == "S3":
            raise EndpointConnectionError(endpoint_url="S3")
        raise AirflowNotFoundException("The conn_id `clickstream_aws` isn't defined")

    if missing == "CLICKSTREAM_LAKE_BUCKET":
        monkeypatch.delenv(missing)
    else:
        monkeypatch.setattr(AwsBaseHook, "get_conn", fail)

    answer = client(airflow_app, role="viewer").get("/clickstream/")

    assert answer.status_code == 503
    assert missing in answer.text


def test_only_who_asks_for_a_page_imports_its_application() -> None:
    """All parts of Airflow read the plugin, and each task does."""
    program = "import sys, clickstream_plugin; print([name for name in sys.modules if name.startswith('clickstream.')])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False,
        env={"PATH": "", "PYTHONPATH": str(ROOT / "plugins")} | AIRFLOW,
    )  # fmt: skip

    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr


def test_the_page_names_the_runs_that_failed_or_are_long(airflow_app: FastAPI) -> None:
    """As Airflow's database has them: a run that is killed reports nothing."""
    now = datetime.now(UTC)
    runs = [
        ("failed", "load_events", "failed", 3, "failed"),
        ("long", "load_events", "running", 30, "running"),
        ("short", "load_events", "running", 0.5, None),
        ("old", "load_events", "failed", 25, None),
        ("good", "load_events", "success", 3, None),
        ("other", "model_sessions", "failed", 3, None),
    ]
    with settings.Session() as session:
        session.add_all(
            DagRun(
                dag_id=dag_id, run_id=run_id, run_type="manual", state=state, start_date=now - timedelta(hours=hours),
                run_after=now,
            )
            for run_id, dag_id, state, hours, _ in runs
        )  # fmt: skip
        session.commit()

    text = client(airflow_app, role="viewer").get("/clickstream/").text

    rows = [said for _, said in Page(text).all("tr") if said.startswith(tuple(run_id for run_id, *_ in runs))]
    assert [row.partition("20")[0] for row in rows] == ["failedfailed", "longrunning"]
    assert "as Airflow says now" in text


def test_a_report_is_what_the_task_of_the_run_returned(airflow_app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    report = json.loads(FULL)["runs"][0]
    monkeypatch.setattr(pages, "_returned", lambda session, run_id, task_id: {"a report": report}.get(f"a {task_id}"))
    viewer = client(airflow_app, role="viewer")

    assert "5,607" in viewer.get("/clickstream/run", params={"run_id": "a"}).text
    other = viewer.get("/clickstream/run", params={"run_id": "a", "dag_id": "expire_staging"}).text
    assert "Only runs of load_events have a report" in other


def test_a_report_that_cannot_be_shown_is_said_to_be_one(airflow_app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_returned", lambda *_: {"rows_read": "many"})

    answer = client(airflow_app, role="viewer").get("/clickstream/run", params={"run_id": "a"})

    assert answer.status_code == 503
    assert "The report of the run a cannot be shown" in answer.text


def test_addresses_in_airflows_menu_are_relative_and_answered(airflow_app: FastAPI) -> None:
    for view in ClickstreamPlugin.external_views:
        address = view["href"].replace("{DAG_ID}", "load_events").replace("{RUN_ID}", "manual__1")
        assert not address.startswith("/")
        assert client(airflow_app, role="viewer").get(f"/{address}").status_code == 200
