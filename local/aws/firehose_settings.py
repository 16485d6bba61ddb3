"""What a delivery stream is configured to do, read from ministack's description of it (pure).

Field names and limits: Firehose API, ExtendedS3DestinationConfiguration, BufferingHints, Processor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MIB = 1024 * 1024


class UnsupportedDeliveryError(ValueError):
    """The delivery stream needs something this stand-in does not do."""


@dataclass(frozen=True)
class LambdaProcessor:
    """The transform: which function, how much is sent to it at once, how often a failed call is repeated."""

    function_arn: str
    retries: int = 3
    buffer_bytes: int = 1 * MIB
    buffer_seconds: float = 60.0


@dataclass(frozen=True)
class DeliverySettings:
    """One delivery stream with an S3 destination. Sizes in bytes, times in seconds."""

    name: str
    arn: str
    role: str
    version: int
    bucket: str
    prefix: str
    error_prefix: str
    buffer_bytes: int
    buffer_seconds: float
    gzip: bool
    extension: str
    time_zone: str
    kinesis_arn: str | None
    created_at: float
    transform: LambdaProcessor | None
    delimiter: bytes


def read_settings(stream: Mapping[str, Any]) -> DeliverySettings:
    """Return the settings of one ministack delivery stream record.

    Raises UnsupportedDeliveryError for another destination than S3, a compression other than GZIP, or a
    processor other than Lambda and AppendDelimiterToRecord.
    """
    config = _s3_destination(stream)
    compression = config.get("CompressionFormat") or "UNCOMPRESSED"
    if compression not in ("GZIP", "UNCOMPRESSED"):
        raise UnsupportedDeliveryError(f"CompressionFormat {compression} is not done locally")
    hints = config.get("BufferingHints") or {}
    transform, delimiter = _processors(config.get("ProcessingConfiguration") or {})
    source = stream.get("kinesis_source") or {}
    return DeliverySettings(
        name=stream["name"],
        arn=stream["arn"],
        role=config.get("RoleARN") or "",
        version=int(stream.get("version", 1)),
        bucket=config["BucketARN"].rsplit(":", 1)[-1],
        prefix=config.get("Prefix") or "",
        error_prefix=config.get("ErrorOutputPrefix") or "",
        buffer_bytes=int(float(hints.get("SizeInMBs", 5)) * MIB),
        buffer_seconds=float(hints.get("IntervalInSeconds", 300)),
        gzip=compression == "GZIP",
        extension=config.get("FileExtension") or (".gz" if compression == "GZIP" else ""),
        time_zone=config.get("CustomTimeZone") or "UTC",
        kinesis_arn=source.get("KinesisStreamARN"),
        created_at=float(stream.get("created_at", 0)),
        transform=transform,
        delimiter=delimiter,
    )


def _s3_destination(stream: Mapping[str, Any]) -> Mapping[str, Any]:
    for destination in stream.get("destinations", []):
        config = destination.get("config") or {}
        if destination.get("type") in ("ExtendedS3", "S3") and config.get("BucketARN"):
            return config  # type: ignore[no-any-return]
    raise UnsupportedDeliveryError("only an S3 destination is delivered locally")


def _processors(processing: Mapping[str, Any]) -> tuple[LambdaProcessor | None, bytes]:
    if str(processing.get("Enabled", "false")).lower() != "true":
        return None, b""
    transform, delimiter = None, b""
    for processor in processing.get("Processors") or []:
        kind = processor.get("Type")
        values = {p["ParameterName"]: str(p["ParameterValue"]) for p in processor.get("Parameters") or []}
        if kind == "Lambda":
            transform = _lambda_processor(values)
        elif kind == "AppendDelimiterToRecord":
            delimiter = values.get("Delimiter", "\\n").replace("\\n", "\n").encode()
        else:
            raise UnsupportedDeliveryError(f"processor {kind} is not done locally")
    return transform, delimiter


def _lambda_processor(values: Mapping[str, str]) -> LambdaProcessor:
    if "LambdaArn" not in values:
        raise UnsupportedDeliveryError("the Lambda processor has no LambdaArn")
    return LambdaProcessor(
        function_arn=values["LambdaArn"],
        retries=int(values.get("NumberOfRetries", 3)),
        buffer_bytes=int(float(values.get("BufferSizeInMBs", 1)) * MIB),
        buffer_seconds=float(values.get("BufferIntervalInSeconds", 60)),
    )
