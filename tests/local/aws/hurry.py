"""Delivery that a test need not wait for."""

from typing import Any


def hurry(firehose: Any, delivery_stream: str) -> None:
    """Let a delivery stream deliver after a second, where the template has a quarter of an hour."""
    described = firehose.describe_delivery_stream(DeliveryStreamName=delivery_stream)["DeliveryStreamDescription"]
    firehose.update_destination(
        DeliveryStreamName=delivery_stream,
        CurrentDeliveryStreamVersionId=described["VersionId"],
        DestinationId=described["Destinations"][0]["DestinationId"],
        ExtendedS3DestinationUpdate={"BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 1}},
    )
