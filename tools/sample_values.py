"""Values to render every file of include/sql with: for its tests, for the linter and for `make sql-render`."""

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plugins"))

from clickstream.engine.sql import SQL_DIR, TableNames, lake_tables
from clickstream.engine.table_shape import TableColumn
from clickstream.engine.tables import Retention
from clickstream.erase.tables import Rule, Searched
from clickstream.load.archive import ArchivedObject
from clickstream.load.manifest import Manifest
from clickstream.load.report import RunReport
from clickstream.load.unreadable import Unreadable
from clickstream.plan.file import parse_plan
from clickstream.plan.typed_tables import Present, declared, rule_pieces
from clickstream.reconcile.steps import Archive
from clickstream.sessions.model import Changes, Load, SessionReport, SessionRules
from clickstream.settings import Settings
from clickstream.staging.keys import StagedObject
from clickstream.upkeep.views import LiveFrom
from clickstream.watch.alarms import KeptAlarm
from clickstream.window import Bounds, Span, Window

FILES = sorted(str(path.relative_to(SQL_DIR)) for path in SQL_DIR.rglob("*.sql") if path.parent != SQL_DIR / "macros")

SETTINGS = Settings(staging_bucket="staging-bucket", lake_bucket="lake-bucket", crawler="the-crawler")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)

EVENT = parse_plan(
    """
version: 1
events:
  Order Completed:
    {description: "It's an order.", owner: shop, status: live, sources: [web], on_violation: block, properties: {
    "it's": {type: string}, gift: {properties: {wrapped: {type: boolean}}}}}
""",
    "plan",
).events[0]
WINDOW = Bounds(NOON, NOON)
LOAD = Load("run-1", NOON, NOON, NOON, 1)


def values(
    run_id: str = "manual__1", paths: tuple[str, ...] = ("s3://b/staging/1", "s3://b/staging/2")
) -> dict[str, Any]:
    """Return one value for each name that a file wants: with quotes, with both places, with every branch."""
    return {
        "run_id": run_id,
        "now": NOON,
        "archive_integration": "Amazon Kinesis",
        "staged_since": NOON,
        "known_sources": "[]",
        "runs_since": NOON,
        "arrived_since": NOON,
        "alarm": KeptAlarm("dead_letters", "", "critical", "it's", {}, NOON, NOON),
        "change_limit": 500,
        "key_limit": 500,
        "shape_limit": 5_000,
        "manifest": Manifest(
            run_id,
            (
                *(StagedObject(path, 10, NOON) for path in paths),
                *(ArchivedObject(path, 10, NOON, f"source/{number}") for number, path in enumerate(paths)),
            ),
            received=(Window(NOON, NOON + timedelta(hours=1)), Window(NOON + timedelta(hours=2), NOON)),
            rebuild=True,
            failing={"AB": "it's"},
        ),
        "message_key": -1,
        "project_ids": ("web_4f2a",),
        "step": "events",
        "reason": "it's",
        "bounds": Bounds(NOON, NOON, (Span(NOON, NOON), Span(NOON, NOON))),
        "staged": Bounds(NOON, NOON),
        "live_from": LiveFrom(NOON, "s3://staging-bucket/staging/20261124T120000"),
        "view": {"name": TableNames(SETTINGS).segment("pages"), "comment": "Pages.", "query": "select 1"},
        "partition_column": "received_at",
        "closed_before": NOON,
        "retention": timedelta(days=7),
        "keeps_unsettled": True,
        "day_limit": 400,
        "rejected_before": NOON,
        "alarm_name": "rejects_near_end",
        "batch_table": "batch_0123456789abcdef01234567",
        "query_id": "20261124_000000_00001_test",
        "paths": paths,
        "leftovers": "%/* clickstream 0 */%",
        "altering": "alter",
        "snapshots": ['"lake"."clickstream"."events$snapshots"', '"lake"."clickstream"."rejects$snapshots"'],
        "query_ids": ["20261124_000000_00001_test", "20261124_000000_00002_test"],
        "report": RunReport("run", first_received_at=NOON),
        "unreadable": Unreadable(paths[0], "s3://b/quarantine/1", 10, "cannot be read", NOON),
        "after": SimpleNamespace(rejected_at=NOON, reject_id="A1"),
        "until": NOON,
        "rules": SessionRules(30, 24, 30, ("order_completed",)),
        "limits": SETTINGS,
        "changes": Changes((LOAD,), Window(NOON, NOON + timedelta(hours=1)), 30),
        "received": Bounds(NOON, NOON, (Span(NOON, NOON), Span(NOON, NOON))),
        "most": 200,
        "seen_since": NOON,
        "costs_since": NOON,
        "sessions_since": NOON,
        "modelled_since": NOON,
        "reported_since": NOON,
        "depth_limit": 5,
        "place_limit": 10_000,
        "event_limit": 500,
        "run_limit": 24,
        "received_since": NOON,
        "differences_json": "[]",
        "session_report": SessionReport(run_id, Changes((LOAD,))),
        "reject_ids": ["A1", "it's"],
        "altered": ("clickstream", "events"),
        "column": TableColumn("a", "varchar", "It's new."),
        "comment": "What it's for.",
        "table": replace(lake_tables()["sessions"], retention=Retention(90, "ended_at", blank="visitor_id")),
        "catalog": "lake",
        "lines": "lines",
        "schemas": ["clickstream"],
        "event": EVENT,
        "window": WINDOW,
        "again": True,
        "of_batch": True,
        "declared": declared([EVENT]),
        "rule_pieces": rule_pieces([EVENT]),
        "column_types": ["object", "varchar"],
        "longest_text": 4_000,
        "compared": {"events": [Present(EVENT, 1, WINDOW)]},
        "ids": ["kim", "it's"],
        "earlier": ["0A"],
        "quoted_json": '["\\"kim\\""]',
        "digests_json": "[]",
        "places_json": "[]",
        "lines_json": "[]",
        "erasure_id": "0123456789ABCDEF01234567",
        "rule": Rule(("user_id",), "line", by_message=True, blank="line"),
        "searched": Searched(("user_id",), (("identified", "id"),), ("properties",)),
        "after_id": "A1",
        "span": Window(NOON, NOON + timedelta(days=1)),
        "before": NOON,
        "archive": Archive(("source/1", "2026/11/24/12"), (Window(NOON, NOON),), paths, ("AB",)),
        "cells_json": "[]",
        "hours_json": "[]",
        "line_limit": 1_000,
    }
