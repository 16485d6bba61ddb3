"""Firehose data transformation: ends every record with exactly one newline and keeps bad records out of data files."""

import json
from typing import Any

from clickstream_stream.records import transform_batch


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take a Firehose transformation event and answer `{"records": [{recordId, result, data}, ...]}`.

    Same ids, same order, same count. Logs one JSON line of counts, never payload text.
    """
    batch = transform_batch(event["records"])
    summary = {
        "message": "transformed batch",
        "invocation_id": event.get("invocationId"),
        "records": len(batch.results),
        "ok": batch.ok,
        "failed": batch.failed,
        # One number, for the metric filter RefusedRecords of the template.
        "refused": sum(batch.failed.values()),
    }
    print(json.dumps(summary))
    return {"records": batch.results}
