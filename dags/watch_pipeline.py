"""
# Watch the pipeline

Every 15 minutes, **create_tables** makes the tables that are missing, and **watch** finds what is wrong, keeps it in
`lake.clickstream.alarms`, and notifies the destinations in `CLICKSTREAM_NOTIFY`. What each alarm means and what to do
is in docs/alarms.md.

- A lasting state (raw objects not staged, nothing arriving, staged data not loaded, events not fresh, dead letters,
  refused records, the reject rate of a day, an event that fell silent, hours that differ from the archive) is reported
  when it begins, again after `CLICKSTREAM_ALARM_REPEAT_HOURS`, and when it is over. Refused records are new for three
  days and settled after that.
- What happened in a run of `load_events` (reject rate, unreadable objects, new keys and types) is reported once. The
  runs of three days are looked at, so a watch that was down for a weekend misses none.
- Every message is in the task's log too.

**Trigger it** whenever you want. A run looks at the present state only: to rerun, trigger it again.

**When it fails**: a destination could not be notified. The log has the message and the reason; the next run tries it
again. Or it could not reach S3, SQS or Trino.
"""

from datetime import timedelta

from airflow.sdk import chain, dag

from clickstream.engine.sql import TableNames
from clickstream.operators.alarms import TrinoWatchPipelineOperator
from clickstream.operators.dag_defaults import DAG_DEFAULTS, task_defaults
from clickstream.operators.tables import TrinoCreateTablesOperator


@dag(
    **DAG_DEFAULTS,
    schedule="*/15 * * * *",
    tags=["clickstream", "alarms"],
    default_args=task_defaults(retries=1, execution_timeout=timedelta(minutes=10)),
    doc_md=__doc__,
)
def watch_pipeline():
    create_tables = TrinoCreateTablesOperator(task_id="create_tables", others=TableNames.LAKE_TABLES)
    watch = TrinoWatchPipelineOperator(task_id="watch")
    chain(create_tables, watch)


watch_pipeline()
