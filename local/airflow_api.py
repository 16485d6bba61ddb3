"""The few calls to Airflow's REST API: start a run, follow it, read what it returned."""

import json
import os
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from local.places import LocalError, Places

FINISHED = ("success", "failed")
RUNNING_TASKS = ("running", "queued", "scheduled", "deferred", "up_for_retry", "restarting")


class Airflow:
    """One Airflow, spoken to as its only user. Raises LocalError when it does not answer."""

    def __init__(self, places: Places) -> None:
        try:
            token = _token(places.airflow_url)
        except httpx.HTTPError as error:
            raise LocalError(f"Airflow does not answer at {places.airflow_url} ({error}): run `make up`") from error
        self.url = places.page("airflow")
        self._client = httpx.Client(
            base_url=f"{places.airflow_url}/api/v2", timeout=30, headers={"Authorization": f"Bearer {token}"}
        )

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None, patience: float = 60) -> str:
        """Start a manual run with its params in `conf`; give its run id.

        Waits up to `patience` seconds for Airflow to have read the DAG file. Raises LocalError.
        """
        deadline = time.monotonic() + patience
        while True:
            answer = self._client.post(f"/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf or {}})
            if answer.status_code != 404 or time.monotonic() > deadline:
                break
            time.sleep(1)
        if answer.is_error:
            raise LocalError(f"Airflow did not start {dag_id}: {answer.status_code} {answer.text[:300]}")
        run_id: str = answer.json()["dag_run_id"]
        return run_id

    def backfill(
        self, dag_id: str, start: datetime, end: datetime, report: Callable[[str], None], patience: float = 900
    ) -> list[str]:
        """Run start..end anew, as Trigger -> Backfill does; give the ids of its runs when all have ended.

        Airflow takes the two as dates of runs, both included. Raises LocalError when a run fails or is too slow.
        """
        body = {
            "dag_id": dag_id, "from_date": start.isoformat(), "to_date": end.isoformat(),
            "reprocess_behavior": "completed", "max_active_runs": 1, "run_backwards": False, "dag_run_conf": {},
        }  # fmt: skip
        answer = self._client.post("/backfills", json=body)
        if answer.is_error:
            raise LocalError(f"Airflow did not backfill {dag_id}: {answer.status_code} {answer.text[:300]}")
        parameters = {"run_type": "backfill", "run_after_gte": start.isoformat(), "limit": 100}
        runs: list[dict[str, Any]] = []
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and not runs:
            found = self._client.get(f"/dags/{dag_id}/dagRuns", params=parameters).raise_for_status().json()["dag_runs"]
            runs = [run for run in found if start <= datetime.fromisoformat(run["logical_date"]) <= end]
            time.sleep(0.5)
        for run in runs:
            self.wait(dag_id, run["dag_run_id"], report, patience)
        return [run["dag_run_id"] for run in runs]

    def wait(self, dag_id: str, run_id: str, report: Callable[[str], None], patience: float = 900) -> None:
        """Wait for a run to end, reporting each task as it starts. Raises LocalError when it fails or is too slow."""
        deadline = time.monotonic() + patience
        seen: set[str] = set()
        while time.monotonic() < deadline:
            state = self._get(f"/dags/{dag_id}/dagRuns/{run_id}")["state"]
            for task in self.tasks(dag_id, run_id):
                if task["state"] == "running" and task["task_id"] not in seen:
                    seen.add(task["task_id"])
                    report(f"{dag_id}: {task['task_id']}")
            if state in FINISHED:
                break
            time.sleep(0.5)
        else:
            raise LocalError(f"{dag_id} did not end within {patience:.0f} s: {self.run_url(dag_id, run_id)}")
        if state != "success":
            failed = [task["task_id"] for task in self.tasks(dag_id, run_id) if task["state"] == "failed"]
            raise LocalError(f"{dag_id} failed in {', '.join(failed) or 'no task'}: {self.run_url(dag_id, run_id)}")

    def runs(self, dag_id: str, since: datetime) -> list[str]:
        """The ids of the runs queued since then, oldest first."""
        parameters = {"run_after_gte": since.isoformat(), "order_by": "run_after", "limit": 100}
        answer = self._client.get(f"/dags/{dag_id}/dagRuns", params=parameters).raise_for_status()
        return [run["dag_run_id"] for run in answer.json()["dag_runs"]]

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The tasks of a run, as the API gives them."""
        found: list[dict[str, Any]] = self._get(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return found

    def returned(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """What a task returned; None when it returned nothing or was skipped."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        answer = self._client.get(path, params={"deserialize": True})
        return None if answer.status_code == 404 else answer.raise_for_status().json()["value"]

    def run_url(self, dag_id: str, run_id: str) -> str:
        """The page of a run."""
        return f"{self.url}/dags/{dag_id}/runs/{run_id}"

    def _get(self, path: str) -> Any:
        return self._client.get(path).raise_for_status().json()


def _token(url: str) -> str:
    """A token of the API. CLICKSTREAM_AIRFLOW_PASSWORDS names Airflow's file of users, if it wants a password."""
    passwords = os.environ.get("CLICKSTREAM_AIRFLOW_PASSWORDS")
    if passwords is None:
        answer = httpx.get(f"{url}/auth/token", timeout=30)
    else:
        username, password = next(iter(json.loads(Path(passwords).read_text()).items()))
        answer = httpx.post(f"{url}/auth/token", json={"username": username, "password": password}, timeout=30)
    token: str = answer.raise_for_status().json()["access_token"]
    return token
