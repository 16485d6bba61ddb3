"""What Airflow's UI shows of Clickstream beside its DAGs. The only AirflowPlugin here."""

import os
from typing import ClassVar

from airflow.plugins_manager import AirflowPlugin

TRINO_UI = os.environ.get("CLICKSTREAM_TRINO_UI", "")


class ClickstreamPlugin(AirflowPlugin):
    """A link to Trino's own pages, if CLICKSTREAM_TRINO_UI names them. A task's link to its query is its operator's."""

    name = "clickstream"
    external_views: ClassVar = (
        [{"name": "Trino", "href": f"{TRINO_UI.rstrip('/')}/ui/", "destination": "nav", "url_route": "trino"}]
        if TRINO_UI
        else []
    )
