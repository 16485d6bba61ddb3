"""Links of tasks to other pages."""

from typing import Any

from airflow.sdk import BaseOperatorLink


class TrinoQueryLink(BaseOperatorLink):
    """To the page of the latest query that a task ran. Worked out when the task ends, and kept as its XCom."""

    name = "Trino query"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address; empty for a task that ran no query."""
        return str(getattr(operator, "query_url", ""))
