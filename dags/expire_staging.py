"""
# Expire staged objects

The staging folder holds 24 hours. **create_ledger** makes the ledger if it is missing, then **expire** deletes the
objects that are older than that plus a grace period **and** that a run of `load_events` has loaded; nothing else. If
loading stops, staging grows and the task says so.

- The grace (`CLICKSTREAM_EXPIRY_GRACE_HOURS`, 2 by default) is longer than the longest query may run, so that no query
  loses a file that it is reading.
- Every run deletes from an explicit list of this folder, 20,000 objects at most, and keeps the list
  under `manifests/expire_staging/` in the lake bucket.

**Trigger it** with *dry run* on to see in the log what would be deleted. A run looks at the present state only: to
rerun, trigger it again.
"""

from datetime import timedelta

from airflow.sdk import Param, chain, dag

from clickstream.operators.dag_defaults import DAG_DEFAULTS, task_defaults
from clickstream.operators.staging import S3ExpireStagingOperator
from clickstream.operators.tables import TrinoCreateTablesOperator


@dag(
    **DAG_DEFAULTS,
    schedule="20 * * * *",
    tags=["clickstream", "staging"],
    default_args=task_defaults(),
    params={"dry_run": Param(False, type="boolean", title="Dry run", description="Only log what would be deleted.")},
    doc_md=__doc__,
)
def expire_staging():
    create_ledger = TrinoCreateTablesOperator(
        task_id="create_ledger", others=["load_ledger", "quarantine"], execution_timeout=timedelta(minutes=5)
    )
    expire = S3ExpireStagingOperator(
        task_id="expire", dry_run="{{ params.dry_run }}", execution_timeout=timedelta(minutes=30)
    )
    chain(create_ledger, expire)


expire_staging()
