"""A lake that faults are tried on: what was staged, and whether the tables hold what the model says of it."""

import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.model.compare import compare, compare_rejects
from tests.model.expected import Expected, StagedFile, expected_tables, staged_file
from tests.scratch import ScratchLake

# Columns that tell when or by whom something was done, or hold a digest of such a thing; they differ from run to run.
VOLATILE = {
    "loaded_at", "rejected_at", "reported_at", "discarded_at", "quarantined_at", "load_run_id", "run_id", "reject_id",
    "discard_id", "bytes",
}  # fmt: skip
TABLES = ("events", "rejects", "discards", "load_ledger", "load_runs", "quarantine")


class FaultyLake:
    """A scratch lake, the files staged in it, and the environment in which tasks work on it."""

    def __init__(self, lake: ScratchLake, environment: dict[str, str]) -> None:
        self.lake = lake
        self.settings = lake.settings
        self.s3 = lake.s3
        self.environment = environment
        self.files: list[StagedFile] = []

    def stage(self, name: str, lines: Sequence[bytes], at: datetime | None = None) -> str:
        """Stage lines as one gzip object, staged `at`, or now; its path."""
        at = at or datetime.now(UTC)
        body = gzip.compress(b"".join(line + b"\n" for line in lines))
        path = self.lake.stage(f"{at:%Y%m%dT%H%M%S}{at.microsecond // 1000:03}Z-{name}.gz", body)
        self.files.append(staged_file(path, body))
        return path

    def expected(self) -> Expected:
        """What the model makes of all that was staged."""
        return expected_tables(self.files)

    def differences(self) -> list[str]:
        """How the tables differ from the model; empty when they do not. Every object must add up in the ledger."""
        tables = self.expected()
        ledger = self.lake.query(
            f"""select source_path, run_id from {self.lake.t.load_ledger}
            where rows_read <> rows_loaded + rows_duplicate + rows_rejected"""
        )
        return [
            *compare(tables.events, self.lake.rows("events")),
            *compare_rejects(tables.rejects, self.lake.rows("rejects")),
            *(f"ledger: {row} does not add up" for row in ledger),
        ]

    def contents(self) -> dict[str, list[str]]:
        """Every row of every table as text, without what differs from run to run; comparable between lakes."""
        bucket = self.settings.staging_bucket
        return {
            table: sorted(_text(row).replace(bucket, "staging-bucket") for row in self.lake.rows(table))
            for table in TABLES
        }


def message(message_id: str, **members: Any) -> bytes:
    """A line that loads."""
    sent = {"messageId": message_id, "type": "track", "event": "Order Completed", "userId": f"u-{message_id}"}
    return json.dumps(sent | {"receivedAt": datetime.now(UTC).isoformat()} | members).encode()


def _text(row: dict[str, Any]) -> str:
    return json.dumps({name: value for name, value in row.items() if name not in VOLATILE}, default=str, sort_keys=True)
