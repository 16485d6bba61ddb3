"""
# Load staged events

Unpacks staged objects into `lake.clickstream.events`, one row a message, each message once.

1. **create_tables** makes the tables that are missing and adds columns that they lack.
2. **take_manifest** decides which staged objects this run reads and writes the list down; a retry reads the same list.
   Skipped, and the rest with it, when there is nothing to load.
3. **unpack** reads those objects line by line into a batch table: every line typed, or with the reason why not. An
   object that is damaged, or with which the batch fails, is set aside: a copy under quarantine/ in the lake bucket, a
   row in `quarantine`. In a dry run, **preview** then reports what the load would do, and the tasks below are skipped.
4. **load_events** merges the batch into `events`, deduplicated by `message_id` within it and against the table.
5. **load_discards**, after it, keeps single values that did not fit their column, in `discards`; beside that,
   **load_rejects** keeps the lines that could not be read, whole, in `rejects`, and **record_schema_changes** keys, and
   types of values, that were never met before, in `schema_changes`.
6. **write_ledger**, after those, writes what became of every line to `load_ledger`. **publish_views** then moves
   `events_live` on to the oldest object that is not loaded, and makes views that are missing.
7. **load_typed_events**, beside the ledger, fills the table of each live event of `include/tracking_plan.yaml`, and
   `violations`, out of `events`. A mistake in the plan fails this task and no other; a table that cannot be
   filled does not stop the others, and the report and an alarm name it. **publish_event_views** then
   makes the view of each event in Segment's shape, where it is missing or the plan has changed.
8. **report** prints the run report, stores it in `load_runs`, fails the run when rows read are not loaded + duplicate
   + rejected, and else announces the load, so that `model_sessions` begins.
9. **check** runs all checks of each table (`include/sql/lake/<table>/checks`): a `warn` is logged, a `fail` fails the
   run with the ids of its rows.
10. **drop_batch** drops the batch table.

**Which objects?** A scheduled run, and a manual run with an empty form, takes all that is staged and not yet loaded, so
after an outage nothing is to be done. A manual run with *from* and *to*, and a **backfill** (Trigger → Backfill, a
range of hours), take that time, loaded before or not: from staging where it is still there, else from Segment's
archive. *Dry run* only reports what would happen, in the log of **preview**. *Rebuild* also updates rows that are there
and would be different now; no row is ever removed. Any run may be cleared and run again: the same rows remain.

**When it fails**: clear the run. Nothing is half loaded: each table changes in one commit, and staged objects are kept.
"""

from datetime import timedelta

from airflow.sdk import CronDataIntervalTimetable, chain, dag

from clickstream.engine.sql import TableNames
from clickstream.operators.assets import EVENTS_LOADED
from clickstream.operators.base import TrinoStatementOperator
from clickstream.operators.checks import TrinoCheckLoadOperator
from clickstream.operators.dag_defaults import DAG_DEFAULTS, task_defaults
from clickstream.operators.forms import load_form
from clickstream.operators.load import (
    S3TakeManifestOperator,
    TrinoLoadTableOperator,
    TrinoPreviewLoadOperator,
    TrinoRecordSchemaChangesOperator,
    TrinoReportRunOperator,
    TrinoUnpackOperator,
)
from clickstream.operators.tables import TrinoCreateTablesOperator
from clickstream.operators.typed_events import TrinoLoadTypedEventsOperator
from clickstream.operators.views import TrinoPublishEventViewsOperator, TrinoPublishLoadViewsOperator


@dag(
    **DAG_DEFAULTS,
    schedule=CronDataIntervalTimetable("@hourly", "UTC"),
    tags=["clickstream", "lake"],
    default_args=task_defaults(
        retries=3,
        retry_delay=timedelta(seconds=30),
        retry_exponential_backoff=2.0,
        max_retry_delay=timedelta(minutes=10),
        execution_timeout=timedelta(hours=1),
    ),
    params=load_form(),
    doc_md=__doc__,
)
def load_events():
    create_tables = TrinoCreateTablesOperator(
        task_id="create_tables",
        lines=True,
        tables=TableNames.LOAD_TABLES,
    )
    take_manifest = S3TakeManifestOperator(task_id="take_manifest")
    unpack = TrinoUnpackOperator(task_id="unpack")
    preview = TrinoPreviewLoadOperator(task_id="preview")
    load_events = TrinoLoadTableOperator(task_id="load_events", table="events")
    load_rejects = TrinoLoadTableOperator(task_id="load_rejects", table="rejects")
    load_discards = TrinoLoadTableOperator(task_id="load_discards", table="discards")
    record_schema_changes = TrinoRecordSchemaChangesOperator(task_id="record_schema_changes")
    write_ledger = TrinoLoadTableOperator(task_id="write_ledger", table="load_ledger")
    publish_views = TrinoPublishLoadViewsOperator(task_id="publish_views")
    load_typed_events = TrinoLoadTypedEventsOperator(task_id="load_typed_events")
    publish_event_views = TrinoPublishEventViewsOperator(task_id="publish_event_views")
    report = TrinoReportRunOperator(task_id="report", outlets=[EVENTS_LOADED])
    check = TrinoCheckLoadOperator(task_id="check")
    drop_batch = TrinoStatementOperator(
        task_id="drop_batch", sql=["work/batch/drop.sql"], trigger_rule="none_failed_min_one_success"
    )

    # load_events is skipped in a dry run, and with it all that follows. Both load_discards and load_typed_events write
    # to `discards`; the others stand side by side.
    chain(create_tables, take_manifest, unpack, load_events, load_discards, load_typed_events, report)
    chain(load_events, [load_rejects, load_discards, record_schema_changes], write_ledger, report, check, drop_batch)
    chain(unpack, preview, drop_batch)
    chain(write_ledger, publish_views)
    chain(load_typed_events, publish_event_views)


load_events()
