"""The one call to Kinesis."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from clickstream.staging.redrive import partition_key

# https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
CALL_RECORDS = 500
CALL_BYTES = 5 * 1024 * 1024
ATTEMPTS = 10


class PutError(RuntimeError):
    """Kinesis did not accept every record; the message says how many it accepted."""


def put_records(client: Any, stream: str, records: Sequence[bytes], sleep: Callable[[float], None] = time.sleep) -> int:
    """Put each record on the stream, byte for byte; return how many. Each must fit: see redrive.fits.

    Records that Kinesis refuses in a call that else succeeds, which botocore does not retry, are sent again with
    growing pauses, in seconds. Raises PutError when some are still refused after 10 attempts.
    """
    done = 0
    for batch in _batches([{"Data": record, "PartitionKey": partition_key(record)} for record in records]):
        waiting, error = batch, ""
        for attempt in range(ATTEMPTS):
            if attempt:
                sleep(min(0.1 * 2**attempt, 5) * random.uniform(0.5, 1))  # noqa: S311 - no secret
            answers = client.put_records(StreamName=stream, Records=waiting)["Records"]
            refused = [(entry, answer) for entry, answer in zip(waiting, answers, strict=True) if "ErrorCode" in answer]
            done += len(waiting) - len(refused)
            waiting = [entry for entry, _ in refused]
            if not waiting:
                break
            error = refused[0][1]["ErrorCode"]
        else:
            raise PutError(
                f"{len(waiting)} records refused {ATTEMPTS} times by stream {stream} ({error}); {done} accepted"
            )
    return done


def _batches(entries: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for entry in entries:
        weight = len(entry["Data"]) + len(entry["PartitionKey"].encode())
        if batch and (len(batch) == CALL_RECORDS or size + weight > CALL_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += weight
    if batch:
        yield batch
