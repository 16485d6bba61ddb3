"""Firehose data transformation: ends every record with exactly one newline and keeps bad records out of data files."""

from typing import Any

from clickstream_stream.metrics import metric_line
from clickstream_stream.records import transform_batch


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Handle a Firehose transformation event; return `{"records": [{recordId, result, data}, ...]}`.

    Same ids, same order, same count. Logs one JSON line of counts, never payload text: the metrics Records and
    RefusedRecords.
    """
    batch = transform_batch(event["records"])
    summary = {
        "message": "transformed batch",
        "invocation_id": event.get("invocationId"),
        "records": len(batch.results),
        "ok": batch.ok,
        "failed": batch.failed,
    }
    refused = sum(batch.failed.values())
    print(metric_line({"Records": ("Count", len(batch.results)), "RefusedRecords": ("Count", refused)}, summary))
    return {"records": batch.results}
