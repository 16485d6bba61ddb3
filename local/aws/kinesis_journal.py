"""A journal of Kinesis records: one JSON line a record, written before PutRecord(s) is answered.

ministack keeps records in memory and writes all of them on a clean stop. Writing them all for each put would cost
more with every record; a line a record does not. At start, lines that the last full snapshot lacks are put back.
"""

import json
import logging
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from local.aws.atomic_files import append_whole

logger = logging.getLogger("local.aws.kinesis_journal")

# A journal this large is replaced by a snapshot.
SNAPSHOT_BYTES = 64 * 1024 * 1024


class KinesisJournal:
    """Append accepted records to one file and put them back into ministack's streams."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.lock = threading.RLock()

    def append(
        self, scope: tuple[str, str, str], sent: Iterable[dict[str, Any]], answered: Iterable[dict[str, Any]]
    ) -> int:
        """Store the records of one answered call; returns the file's size in bytes.

        `scope` is (account, region, stream name), `sent` the request's records, `answered` the answer's.
        Raises OSError, having stored none, when the disk refuses.
        """
        now = round(time.time(), 3)
        lines = [
            json.dumps([*scope, done["ShardId"], done["SequenceNumber"], now, record["PartitionKey"], record["Data"]])
            for record, done in zip(sent, answered, strict=True)
        ]
        return append_whole(self._path, "".join(line + "\n" for line in lines))

    def clear(self) -> None:
        """Forget everything: a snapshot now holds it. The caller holds `lock`."""
        self._path.unlink(missing_ok=True)

    def replay(self, streams: Any) -> int:
        """Put records back that `streams` (ministack's store) lacks; returns how many."""
        restored = 0
        with suppress(FileNotFoundError), self._path.open() as file:
            for line in file:
                # The last line is cut short if the process was killed in the middle: that put was not answered.
                with suppress(ValueError):
                    restored += self._restore(streams, json.loads(line))
        if restored:
            logger.warning("put back %d Kinesis records after an unclean stop", restored)
        return restored

    @staticmethod
    def _restore(streams: Any, line: list[Any]) -> int:
        account, region, name, shard_id, sequence, when, key, data = line
        stream = streams.get_scoped(account, region, name)
        shard = stream["shards"].get(shard_id) if stream else None
        if shard is None or sequence <= shard["starting_sequence_number"]:
            return 0
        records = shard["records"]
        if records and sequence <= records[-1]["SequenceNumber"]:
            return 0
        records.append(
            {"SequenceNumber": sequence, "ApproximateArrivalTimestamp": when, "Data": data, "PartitionKey": key}
        )
        return 1
