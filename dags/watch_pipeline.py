"""
# Watch the pipeline

Every 15 minutes, **create_tables** makes the tables that are missing, and **watch** decides from figures what is
wrong, keeps it in `lake.clickstream.alarms`, and tells whoever `CLICKSTREAM_NOTIFY` names. What each alarm means and
what to do is in docs/alarms.md.

- What lasts (raw objects not staged, nothing arriving, staged data not loaded, events not fresh, dead letters, refused
  records, the reject rate of a day) is told when it begins, again after `CLICKSTREAM_ALARM_REPEAT_HOURS`, and when it
  is over. Refused records are new for three days and settled after that.
- What happened in a run of `load_events` (reject rate, unreadable objects, new keys and types) is told once. The
  runs of three days are looked at, so a watch that was down for a weekend misses none.
- Every message is in the task's log too.

**Trigger it** whenever you want. Only the moment matters: to rerun, trigger it again.

**When it fails**: a destination was not told. The log has the message and the reason; the next run tries it again.
Or it could not reach S3, SQS or Trino.
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
