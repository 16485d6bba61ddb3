"""What Airflow's UI shows of Clickstream beside its DAGs. The only AirflowPlugin here."""

import os
from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

TRINO_UI = os.environ.get("CLICKSTREAM_TRINO_UI", "")


class Pages:
    """The pages of clickstream.operators.pages, imported at the first request: all parts of Airflow read this file."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as that application does (ASGI)."""
        from clickstream.operators.pages import app  # noqa: PLC0415

        await app(scope, receive, send)


class ClickstreamPlugin(AirflowPlugin):
    """The status page in the menu, the report of a run as a tab, and a link to Trino, if CLICKSTREAM_TRINO_UI names it.

    Addresses are relative, as Airflow may be below any path. A task's link to its query is its operator's.
    """

    name = "clickstream"
    fastapi_apps: ClassVar = [{"app": Pages(), "url_prefix": "/clickstream", "name": "Clickstream"}]
    external_views: ClassVar = [
        {
            "name": "Clickstream", "href": "clickstream/", "destination": "nav", "url_route": "clickstream",
            "nav_top_level": True,
        },
        {
            "name": "Run report", "href": "clickstream/run?dag_id={DAG_ID}&run_id={RUN_ID}", "destination": "dag_run",
            "url_route": "run-report",
        },
        *(
            [{"name": "Trino", "href": f"{TRINO_UI.rstrip('/')}/ui/", "destination": "nav", "url_route": "trino"}]
            if TRINO_UI
            else []
        ),
    ]  # fmt: skip
