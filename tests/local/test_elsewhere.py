"""The commands of `local` for services that others started, and what the containers have beside them."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from local import secret_files, stack
from local.airflow_api import Airflow
from local.places import LocalError, Places, open_places

ROOT = Path(__file__).parents[2]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("CLICKSTREAM_STATE", str(tmp_path))
    monkeypatch.setenv("CLICKSTREAM_TRINO_URL", "http://trino:8080/")
    monkeypatch.setenv("CLICKSTREAM_AIRFLOW_URL", "http://airflow:8080")
    monkeypatch.setenv("CLICKSTREAM_AIRFLOW_UI", "http://127.0.0.1:9000")
    monkeypatch.delenv("CLICKSTREAM_AWS_URL", raising=False)
    monkeypatch.delenv("CLICKSTREAM_TRINO_UI", raising=False)
    return open_places()


def test_addresses_come_from_the_environment(elsewhere: Places) -> None:
    assert elsewhere.trino_url == "http://trino:8080"
    assert elsewhere.airflow_url == "http://airflow:8080"
    assert elsewhere.aws_url == f"http://127.0.0.1:{elsewhere.ports['aws']}"


def test_a_browser_may_need_another_address(elsewhere: Places) -> None:
    assert elsewhere.page("airflow") == "http://127.0.0.1:9000"
    assert elsewhere.page("trino") == "http://trino:8080"


@pytest.mark.parametrize("command", [stack.down, stack.clean])
def test_what_others_started_is_not_stopped_and_its_state_not_deleted(elsewhere: Places, command: Any) -> None:
    with pytest.raises(LocalError, match="trino, airflow were not started by this command"):
        command(print)
    assert (elsewhere.state / "ports.json").exists()


class AskingForPassword(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        right = (self.path, sent) == ("/auth/token", {"username": "admin", "password": "7kQ"})
        body = json.dumps({"access_token": "a token"}).encode()
        self.send_response(201 if right else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Nothing."""


@pytest.fixture
def airflow_with_password() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), AskingForPassword)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("password", "is_let_in"), [("7kQ", True), ("8kQ", False)])
def test_airflow_is_given_the_password_of_its_file(
    airflow_with_password: str, password: str, is_let_in: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = tmp_path / "passwords.json"
    passwords.write_text(json.dumps({"admin": password}))
    monkeypatch.setenv("CLICKSTREAM_AIRFLOW_PASSWORDS", str(passwords))
    places = Places(tmp_path, {}, {"airflow": airflow_with_password})

    if is_let_in:
        Airflow(places)
    else:
        with pytest.raises(LocalError, match="401"):
            Airflow(places)


def test_secrets_are_made_once_and_long_enough(tmp_path: Path) -> None:
    made = secret_files.make(tmp_path / "secrets")
    first = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    (tmp_path / "secrets" / "postgres_password").unlink()
    again = secret_files.make(tmp_path / "secrets")
    second = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}

    assert sorted(made) == sorted(first)
    assert again == ["postgres_password"]
    assert {name for name in first if first[name] != second[name]} == {"postgres_password"}
    assert min(map(len, first.values())) >= 32
    assert len(first["airflow_jwt_secret"]) >= 64
    Fernet(first["airflow_fernet_key"])


def test_airflow_gets_the_deployed_settings_but_none_that_is_set(tmp_path: Path) -> None:
    airflow = tmp_path / "airflow"
    airflow.write_text(
        f'#!/bin/sh\n"{sys.executable}" -c "import json, os; print(json.dumps(dict(os.environ)))"; echo "$@"\n'
    )
    airflow.chmod(0o755)
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"CLICKSTREAM_CRAWLER": "deployed", "CLICKSTREAM_NOTIFY": "deployed"}))
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}", "CLICKSTREAM_SETTINGS": str(settings), "CLICKSTREAM_NOTIFY": "set",
    }  # fmt: skip

    ran = subprocess.run(
        [sys.executable, str(ROOT / "docker" / "with_settings.py"), "dags", "list"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip

    seen, arguments = ran.stdout.splitlines()
    assert json.loads(seen)["CLICKSTREAM_CRAWLER"] == "deployed"
    assert json.loads(seen)["CLICKSTREAM_NOTIFY"] == "set"
    assert arguments == "dags list"
