"""A lake that faults are tried on: what was staged, and whether the tables hold what the model says of it."""

import gzip
import json
import os
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from clickstream.aws.s3 import list_staged
from clickstream.engine.spent import Spent
from local.lake.scratch import ScratchLake
from local.places import ROOT
from local.segment.events import generate_day
from tests.faults.figures import FIGURES
from tests.model.compare import compare, compare_rejects
from tests.model.expected import Expected, StagedFile, expected_tables, staged_file

# When something was done, digests of paths, and what a run cost differ from lake to lake.
TIMES = {"loaded_at", "rejected_at", "reported_at", "discarded_at", "quarantined_at"}
COSTS = {"spent", "dollars", "forecast_dollars", "seconds", *(field.name for field in fields(Spent))}
VOLATILE = {"reject_id", *TIMES, *COSTS}
# The day that is staged ends now; one instant for all lakes, so that they can be compared.
NOW = datetime.now(UTC)
SEED = 20261124
OBJECTS = 3
TABLES = ("events", "rejects", "discards", "load_ledger", "load_runs", "quarantine")


class FaultyLake:
    """A scratch lake, the files staged in it, and the environment in which tasks work on it."""

    def __init__(self, lake: ScratchLake, environment: dict[str, str]) -> None:
        self.lake = lake
        self.settings = lake.settings
        self.s3 = lake.s3
        self.environment = environment
        self.files: list[StagedFile] = []

    def stage(self, name: str, lines: Sequence[bytes], at: datetime = NOW) -> str:
        """Stage lines as one gzip object, staged `at`; its path."""
        body = gzip.compress(b"".join(line + b"\n" for line in lines), mtime=0)
        path = self.lake.stage(f"{at:%Y%m%dT%H%M%S}{at.microsecond // 1000:03}Z-{name}.gz", body)
        self.files.append(staged_file(path, body))
        return path

    def stage_day(self, at: datetime = NOW, seed: int = SEED) -> None:
        """Stage a small day: three objects with every kind of event, duplicates within and across them, and rejects."""
        lines = list(generate_day(seed, NOW, users=6))
        lines += lines[::9]
        for number in range(OBJECTS):
            self.stage(f"day-{number}", lines[number::OBJECTS], at)

    def staged_paths(self) -> set[str]:
        """What lies in the staging folder."""
        return {item.path for item in list_staged(self.s3, self.settings)[0]}

    def environment_of_a_process(self) -> dict[str, str]:
        """The environment for a task in a process of its own."""
        folders = os.pathsep.join(str(ROOT / folder) for folder in ("", "plugins", "dags"))
        return {**os.environ, **self.environment, "PYTHONPATH": folders}

    def expected(self) -> Expected:
        """What the model makes of all that was staged."""
        return expected_tables(self.files)

    def differences(self) -> list[str]:
        """How the tables differ from the model; empty when they do not. Every object must add up in the ledger."""
        tables = self.expected()
        events, rejects = self.lake.rows("events"), self.lake.rows("rejects")
        FIGURES.comparisons += 1
        FIGURES.lines += tables.line_count
        FIGURES.duplicates += tables.duplicate_count
        FIGURES.caught += tables.line_count - len(events) - len(rejects)
        ledger = self.lake.query(
            f"""select source_path, run_id from {self.lake.t.load_ledger}
            where rows_read <> rows_loaded + rows_duplicate + rows_rejected"""
        )
        return [
            *compare(tables.events, events),
            *compare_rejects(tables.rejects, rejects),
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
    return json.dumps(sent | {"receivedAt": NOW.isoformat()} | members).encode()


def _text(row: dict[str, Any]) -> str:
    return json.dumps({name: value for name, value in row.items() if name not in VOLATILE}, default=str, sort_keys=True)
