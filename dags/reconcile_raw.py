"""
# Stage what was missed

S3 notifies the function `stage_object` of every object that Firehose delivers. A notification can be lost; its object
would then stay in `raw/` and never be loaded.

- **reconcile** lists the objects under `raw/` that are older than 15 minutes and puts an S3 event for each on the
  function's queue. Only the function moves objects, with its retries and its dead-letter queue. If the notification was
  not lost but late, the second one has no effect: the function ignores an object that is gone. While the queue holds as
  many messages as `raw/` holds objects, it is only slow, and nothing is sent. One run sends 5,000 at most; the next one
  sends the rest.
- **check_dead_letters** looks for objects that the function gave up on after five tries. Their events are kept for 14
  days; reconcile tries the objects again while they are in `raw/`.

Both write an error to the log, with the count, when they find something. An object is staged within 35 minutes of its
delivery, and loaded by the next run of `load_events`.

**Trigger it** whenever you want; *older than* 0 takes everything in `raw/` at once. A run looks at the present state
only: to rerun, trigger it again.

**When it fails**: it could not reach S3 or SQS, or SQS refused some messages; the error names the first. The next run
sends them again.
"""

from datetime import timedelta

from airflow.sdk import Param, dag

from clickstream.operators.dag_defaults import DAG_DEFAULTS, task_defaults
from clickstream.operators.reconcile import SqsCheckDeadLettersOperator, SqsReconcileRawOperator
from clickstream.staging.reconcile import LONGEST_MINUTES


@dag(
    **DAG_DEFAULTS,
    schedule="*/15 * * * *",
    tags=["clickstream", "staging"],
    default_args=task_defaults(retry_delay=timedelta(seconds=30), execution_timeout=timedelta(minutes=10)),
    params={
        "after_minutes": Param(
            None,
            type=["null", "integer"],
            minimum=0,
            maximum=LONGEST_MINUTES,
            title="Older than",
            description="Minutes. Empty: 15.",
        )
    },
    doc_md=__doc__,
)
def reconcile_raw():
    SqsReconcileRawOperator(task_id="reconcile")
    SqsCheckDeadLettersOperator(task_id="check_dead_letters")


reconcile_raw()
