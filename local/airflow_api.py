"""The few calls to Airflow's REST API: start a run, follow it, read what it returned."""

import json
import os
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from local.places import LocalError, Places
from local.waiting import Report, wait_for

PATIENCE = 900.0
"""Seconds for which a run may stand still: longer than the longest pause before a retry."""

TIMEOUT = 300.0
"""Seconds for one answer of the API: on a busy machine it shares two cores with all that it has started."""

FINISHED = ("success", "failed")
DONE_TASKS = ("success", "failed", "skipped", "upstream_failed", "removed")


class BusyError(LocalError):
    """Airflow could not do it just now: its SQLite was locked for longer than it waits."""


class Airflow:
    """One Airflow, spoken to as its only user. Raises LocalError when it does not answer."""

    def __init__(self, places: Places) -> None:
        try:
            token = _token(places.airflow_url)
        except httpx.HTTPError as error:
            raise LocalError(f"Airflow does not answer at {places.airflow_url} ({error}): run `make up`") from error
        self.url = places.page("airflow")
        self._client = httpx.Client(
            base_url=f"{places.airflow_url}/api/v2", timeout=TIMEOUT, headers={"Authorization": f"Bearer {token}"}
        )

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None) -> str:
        """Start a manual run with its params in `conf`; return its run id. Raises LocalError."""
        if self._dag(dag_id)["is_paused"]:
            raise LocalError(f"{dag_id} is paused, so it would not run: unpause it at {self.url}/dags/{dag_id}")
        # With an id of ours, so that a repeated request does not start another.
        run_id = f"manual__{datetime.now(UTC).isoformat()}"
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf or {}}
        answer = self._ask("POST", f"/dags/{dag_id}/dagRuns", json=body)
        if answer.is_error and answer.status_code != httpx.codes.CONFLICT:
            raise LocalError(f"Airflow did not start {dag_id}: {answer.status_code} {answer.text[:300]}")
        return run_id

    def unpause(self, dag_id: str) -> str | None:
        """Let a DAG run; return the id of the run that its schedule then starts at once, None when none is due."""
        dag = self._dag(dag_id)
        if not dag["is_paused"]:
            return None
        due = dag["next_dagrun_run_after"]
        is_due = due is not None and datetime.fromisoformat(due) <= datetime.now(UTC)
        self._set_paused(dag_id, False)
        if not is_due:
            return None
        wanted = {"run_type": "scheduled", "run_after_gte": due, "limit": 1}
        found: list[str] = []

        def look() -> tuple[bool, str]:
            found.extend(run["dag_run_id"] for run in self._get(f"/dags/{dag_id}/dagRuns", wanted)["dag_runs"])
            return bool(found), "its scheduled run has not begun"

        wait_for(dag_id, look, lambda _: None, PATIENCE, f"{self.url}/dags/{dag_id}", pause=0.2)
        return found[0]

    def unpause_all(self, but: Collection[str] = ()) -> None:
        """Let every DAG run, but these."""
        paused = self._get("/dags", {"paused": True, "limit": 100})["dags"]
        for dag in paused:
            if dag["dag_id"] not in but:
                self._set_paused(dag["dag_id"], False)

    def backfill(self, dag_id: str, start: datetime, end: datetime, report: Report) -> list[str]:
        """Run start..end again, as Trigger -> Backfill does; return the ids of its runs when all have ended.

        Airflow takes the two as dates of runs, both included. Raises LocalError when a run fails or does not go on.
        """
        body = {
            "dag_id": dag_id, "from_date": start.isoformat(), "to_date": end.isoformat(),
            "reprocess_behavior": "completed", "max_active_runs": 1, "run_backwards": False, "dag_run_conf": {},
        }  # fmt: skip
        answer = self._client.post("/backfills", json=body)
        if answer.is_error:
            raise LocalError(f"Airflow did not backfill {dag_id}: {answer.status_code} {answer.text[:300]}")
        parameters = {"run_type": "backfill", "run_after_gte": start.isoformat(), "limit": 100}
        runs: list[str] = []

        def look() -> tuple[bool, str]:
            found = self._get(f"/dags/{dag_id}/dagRuns", parameters)["dag_runs"]
            runs[:] = [
                run["dag_run_id"] for run in found if start <= datetime.fromisoformat(run["logical_date"]) <= end
            ]
            return bool(runs), "its backfill has no run yet"

        wait_for(dag_id, look, report, PATIENCE, f"{self.url}/dags/{dag_id}")
        for run_id in runs:
            self.wait(dag_id, run_id, report)
        return runs

    def clear(self, dag_id: str, run_id: str, task_ids: Collection[str] = ()) -> None:
        """Run tasks of a run again, all unless some are named, as Clear in Airflow's pages does."""
        body: dict[str, Any] = {"dag_run_id": run_id, "dry_run": False, "only_failed": False, "reset_dag_runs": True}
        if task_ids:
            body["task_ids"] = list(task_ids)
        self._ask("POST", f"/dags/{dag_id}/clearTaskInstances", json=body).raise_for_status()

    def wait(self, dag_id: str, run_id: str, report: Report) -> None:
        """Wait for a run to end, reporting its tasks. Raises LocalError when it fails or does not go on."""
        state = ""

        def look() -> tuple[bool, str]:
            nonlocal state
            state = self._get(f"/dags/{dag_id}/dagRuns/{run_id}")["state"]
            return state in FINISHED, _progress(state, self.tasks(dag_id, run_id))

        wait_for(dag_id, look, report, PATIENCE, self.run_url(dag_id, run_id), pause=0.5)
        if state != "success":
            failed = [task["task_id"] for task in self.tasks(dag_id, run_id) if task["state"] == "failed"]
            raise LocalError(f"{dag_id} failed in {', '.join(failed) or 'no task'}: {self.run_url(dag_id, run_id)}")

    def runs(self, dag_id: str, since: datetime) -> list[str]:
        """Return the ids of the runs queued since then, oldest first."""
        parameters = {"run_after_gte": since.isoformat(), "order_by": "run_after", "limit": 100}
        answer = self._ask("GET", f"/dags/{dag_id}/dagRuns", params=parameters).raise_for_status()
        return [run["dag_run_id"] for run in answer.json()["dag_runs"]]

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return the tasks of a run, as the API returns them."""
        found: list[dict[str, Any]] = self._get(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return found

    def returned(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """Return what a task returned; None when it returned nothing or was skipped."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        answer = self._ask("GET", path, params={"deserialize": True})
        return None if answer.status_code == 404 else answer.raise_for_status().json()["value"]

    def run_url(self, dag_id: str, run_id: str) -> str:
        """Return the page of a run."""
        return f"{self.url}/dags/{dag_id}/runs/{run_id}"

    def _dag(self, dag_id: str) -> dict[str, Any]:
        """Return a DAG, as soon as Airflow has read its file."""
        found: list[dict[str, Any]] = []

        def look() -> tuple[bool, str]:
            answer = self._ask("GET", f"/dags/{dag_id}")
            if answer.status_code != httpx.codes.NOT_FOUND:
                found.append(answer.raise_for_status().json())
            return bool(found), "Airflow has not read its file"

        wait_for(dag_id, look, lambda _: None, PATIENCE, f"{self.url}/dags")
        return found[0]

    def _set_paused(self, dag_id: str, is_paused: bool) -> None:
        self._ask("PATCH", f"/dags/{dag_id}", json={"is_paused": is_paused}).raise_for_status()

    def _get(self, path: str, parameters: dict[str, Any] | None = None) -> Any:
        return self._ask("GET", path, params=parameters).raise_for_status().json()

    @retry(
        retry=retry_if_exception_type(BusyError),
        stop=stop_after_attempt(10),
        wait=wait_random_exponential(max=20),
        reraise=True,
    )
    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return the answer to an idempotent request. Raises BusyError after the tenth server error."""
        answer = self._client.request(method, path, **options)
        if answer.is_server_error:
            raise BusyError(f"Airflow answers {answer.status_code} to {method} {path}: {answer.text[:300]}")
        return answer


def _progress(state: str, tasks: list[dict[str, Any]]) -> str:
    """Return how far a run is, such as `running, 4 of 15 tasks done, now unpack (try 2)`."""
    done = sum(task["state"] in DONE_TASKS for task in tasks)
    running = [
        task["task_id"] + (f" (try {task['try_number']})" if task["try_number"] > 1 else "")
        for task in tasks
        if task["state"] in ("running", "up_for_retry")
    ]
    return f"{state}, {done} of {len(tasks)} tasks done" + (f", now {', '.join(running)}" if running else "")


def _token(url: str) -> str:
    """Return a token of the API. CLICKSTREAM_AIRFLOW_PASSWORDS names Airflow's file of users, if it needs one."""
    passwords = os.environ.get("CLICKSTREAM_AIRFLOW_PASSWORDS")
    if passwords is None:
        answer = httpx.get(f"{url}/auth/token", timeout=TIMEOUT)
    else:
        username, password = next(iter(json.loads(Path(passwords).read_text()).items()))
        answer = httpx.post(f"{url}/auth/token", json={"username": username, "password": password}, timeout=TIMEOUT)
    token: str = answer.raise_for_status().json()["access_token"]
    return token
