"""Which permissions a call needs, and a record of who was allowed what; for when permissions are checked.

ministack evaluates policies. What it takes for the resource of a Glue call is not what AWS takes: it takes a crawler
for a table, and a table for its database alone. Nor does it know that batches of SQS have no permissions of their own.
"""

import json
import threading
from pathlib import Path
from typing import Any

# Actions on the catalog as such, whose permissions AWS requires on every database.
_ALL_DATABASES = ("GetDatabases", "SearchTables")
_CRAWLERS = ("GetCrawler", "StartCrawler", "StopCrawler", "UpdateCrawler", "DeleteCrawler", "CreateCrawler")
# Calls for which AWS requires the permission of another: a batch needs what its single call needs.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
PERMISSIONS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}


def glue_resources(action: str, request: dict[str, Any], account: str, region: str) -> list[str]:
    """Return the ARNs on which a caller needs permission for this Glue call: a resource and everything that it is in.

    https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
    """
    root = f"arn:aws:glue:{region}:{account}"
    if action in _CRAWLERS:
        return [f"{root}:crawler/{request.get('Name')}"]
    if "Crawler" in action:
        return [f"{root}:crawler/*"]
    if action in _ALL_DATABASES:
        return [f"{root}:catalog", f"{root}:database/*"]
    database = request.get("DatabaseName") or request.get("Name") or (request.get("DatabaseInput") or {}).get("Name")
    found = [f"{root}:catalog", f"{root}:database/{database}"]
    if "DatabaseName" in request:
        table = request.get("TableName") or request.get("Name") or (request.get("TableInput") or {}).get("Name")
        found.append(f"{root}:table/{database}/{table or '*'}")
    return found


class Decisions:
    """Every distinct decision, once, as a line of JSON in a file: `who`, `action`, `resource`, `allowed`."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._path = path
        self._lock = threading.Lock()
        self._known: set[tuple[str, str, str, bool]] = set()

    def add(self, who: str, action: str, resource: str, allowed: bool) -> None:
        """Write it down, if it is new."""
        with self._lock:
            if (who, action, resource, allowed) in self._known:
                return
            self._known.add((who, action, resource, allowed))
            line = {"who": who, "action": action, "resource": resource, "allowed": allowed}
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
