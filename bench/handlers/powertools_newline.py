"""newline_transform with the logger and the EMF metrics of Powertools in place of its one line of JSON."""

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from clickstream_stream.records import transform_batch

logger = Logger(service="newline_transform")
metrics = Metrics(namespace="Clickstream", service="newline_transform")


@metrics.log_metrics
def lambda_handler(event, context):
    """Do as newline_transform does."""
    batch = transform_batch(event["records"])
    metrics.add_metric(name="Records", unit=MetricUnit.Count, value=len(batch.results))
    metrics.add_metric(name="Failed", unit=MetricUnit.Count, value=sum(batch.failed.values()))
    logger.info("transformed batch", extra={"ok": batch.ok, "failed": batch.failed})
    return {"records": batch.results}
