"""
# Write the status page

Every 15 minutes, two minutes after `watch_pipeline` begins, **create_tables** makes the tables that are missing, and
**write** gathers what the page *Clickstream* of Airflow's menu shows into one JSON document, `status/status.json` in
the lake bucket. The page only renders that document: it works while Trino sleeps, and opening it costs one read of S3.
What each part of the page means is in docs/status-page.md. `watch_pipeline` decides from it which events are silent.

What changes with a load (hours by source and event, rejects, violations) is read again after a load, and once an hour
while nothing waits for one; else it is taken from the document before. So are the sessions of yesterday, which are read
every six hours. Every statement reads a bounded part of its table, by its partitions.

The document holds names that senders sent, of events, properties and pages, which may hold personal data: see *Who sees
it* in docs/status-page.md.

**Trigger it** whenever you want the page to be as of now. To rerun, trigger it again: a run replaces the document.

**When it fails**, the page shows the last document, and how old it is. The cause is S3, SQS or Trino: see the log.
"""

from datetime import timedelta

from airflow.sdk import chain, dag

from clickstream.engine.sql import TableNames
from clickstream.operators.dag_defaults import DAG_DEFAULTS, task_defaults
from clickstream.operators.status import TrinoWriteStatusOperator
from clickstream.operators.tables import TrinoCreateTablesOperator


@dag(
    **DAG_DEFAULTS,
    schedule="2-59/15 * * * *",
    tags=["clickstream", "alarms"],
    default_args=task_defaults(retries=1, execution_timeout=timedelta(minutes=10)),
    doc_md=__doc__,
)
def write_status():
    create_tables = TrinoCreateTablesOperator(task_id="create_tables", others=TableNames.LAKE_TABLES)
    write = TrinoWriteStatusOperator(task_id="write")
    chain(create_tables, write)


write_status()
