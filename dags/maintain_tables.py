"""
# Maintain the lake tables

Hourly loads leave many small files and snapshots. Once a day, rows are removed that are older than their table keeps
them, and each table is compacted.

1. **maintain_events**, **maintain_rejects**, **maintain_discards**, **maintain_quarantine**, **maintain_load_ledger**,
   **maintain_load_runs**, **maintain_schema_changes**, **maintain_alarms**, **maintain_violations**,
   **maintain_sessions**, **maintain_session_runs**, **maintain_plan_diff**, **maintain_suppressions**,
   **maintain_erasures** and **maintain_archive_reconciliations**, one table after another, and
   **maintain_typed_events** for the table of every event. Each removes the rows that are older than the table's own
   retention, which docs/retention.md lists and `CLICKSTREAM_RETENTION` changes: whole days, and at most 400 of them a
   run. Each compacts the partitions that the hourly load is done with, expires snapshots older than *Retention*, and
   removes files that no snapshot names. A task is skipped while its table does not exist.
2. **drop_stray_batches** drops the work tables that failed runs left behind more than a day ago.

The size of each table before and after (files, bytes, snapshots), and how many rows were removed, are in the task's log
and its XCom. Until its snapshots expire, `for timestamp as of` still finds a removed row.

**Trigger it** whenever you want. *Retention* says how many days a snapshot stays, and so how far back a query with
`for timestamp as of` can look: 7 days at least, since younger files may belong to a write that still runs. A run looks
at the present state only: to rerun, trigger it again.

**Loads may go on meanwhile.** When two commits meet, the later one is tried again.

**When it fails**: clear the task. Each step is a commit of its own, so nothing is half done. The tasks do not wait for
each other's success.
"""

from datetime import timedelta

from airflow.sdk import Param, dag

from clickstream.engine.sql import TableNames
from clickstream.operators.dag_defaults import DAG_DEFAULTS, task_defaults
from clickstream.operators.maintenance import (
    TrinoDropStrayBatchesOperator,
    TrinoMaintainTableOperator,
    TrinoMaintainTypedEventsOperator,
)
from clickstream.upkeep.maintenance import LONGEST_RETENTION_DAYS, SHORTEST_RETENTION_DAYS


@dag(
    **DAG_DEFAULTS,
    schedule="40 3 * * *",
    max_active_tasks=1,
    tags=["clickstream", "lake"],
    default_args=task_defaults(execution_timeout=timedelta(hours=1)),
    params={
        "retention_days": Param(
            SHORTEST_RETENTION_DAYS,
            type="integer",
            minimum=SHORTEST_RETENTION_DAYS,
            maximum=LONGEST_RETENTION_DAYS,
            title="Retention",
            description="Days that a snapshot stays.",
        )
    },
    doc_md=__doc__,
)
def maintain_tables():
    for table in TableNames.LAKE_TABLES:
        TrinoMaintainTableOperator(task_id=f"maintain_{table}", table=table)
    TrinoMaintainTypedEventsOperator(task_id="maintain_typed_events")
    TrinoDropStrayBatchesOperator(task_id="drop_stray_batches")


maintain_tables()
