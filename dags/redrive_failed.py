"""
# Load refused records again

After a fix, puts records that were refused on the Kinesis stream again, as they were, so that they take the whole path
once more. A record that is refused again is kept in the same place, with a new address.

- **redrive_processing_failed** takes the objects under `processing-failed/`: records that the transform refused, or
  whose batch it could not answer. When all records of an object are on the stream, the object is moved to
  `processing-failed-redriven/`. An object that cannot be read stays, and an error in the log names it.
- **redrive_refused** does the same with `refused/`, where the collector keeps what it refused, and
  `refused-redriven/`. The transform checks what the stream brings: a message that is no JSON object goes on to
  `processing-failed/`.
- **redrive_rejects** takes the lines of `lake.clickstream.rejects` and notes in `redriven_at` which were sent, so that
  a line is sent once. A line with a missing newline is sent as the objects in it. Left as they are: blank lines and
  lines that were no UTF-8.

Only one of the three runs, by *source*; the others are skipped.

**Trigger it** by hand, first with *dry run* on: the log and the task's return value say what would be sent, as
`objects` (objects or lines), `read` (records), `sent` and `skipped` (objects or lines). *From* and *to* limit the time
at which the record was refused: from <= refused < to; empty is open.

**When it fails**: clear it, or trigger it again. What was sent is moved or noted; if the run was killed between the
sending and the note, one object or one page of 500 lines is sent twice, and `load_events` counts those as duplicates.
"""

from datetime import timedelta

from airflow.sdk import Param, dag

from clickstream.operators.dag_defaults import DAG_DEFAULTS, task_defaults
from clickstream.operators.forms import instant
from clickstream.operators.redrive import (
    KinesisRedriveFailedOperator,
    KinesisRedriveRefusedOperator,
    KinesisRedriveRejectsOperator,
)


@dag(
    **DAG_DEFAULTS,
    schedule=None,
    tags=["clickstream", "repair"],
    default_args=task_defaults(retries=1, execution_timeout=timedelta(hours=1)),
    params={
        "source": Param("processing-failed", enum=["processing-failed", "refused", "rejects"], title="Source"),
        "from": instant("From", "Refused then or later. Empty is open."),
        "to": instant("To", "Refused before then. Empty is open."),
        "dry_run": Param(True, type="boolean", title="Dry run", description="Only count what would be sent."),
    },
    doc_md=__doc__,
)
def redrive_failed():
    KinesisRedriveFailedOperator(task_id="redrive_processing_failed")
    KinesisRedriveRefusedOperator(task_id="redrive_refused")
    KinesisRedriveRejectsOperator(task_id="redrive_rejects")


redrive_failed()
