"""
# Rebuild the tables of single events

Every message is in `lake.clickstream.events`, whole. So when the plan (`include/tracking_plan.yaml`) has a new property
or another type of a column, earlier rows can be rewritten by the plan as it is now: nothing is read from staging or the
archive, and no load waits.

- **rebuild** takes the messages of the range from `events`, one day after another, and updates their rows in
  `lake.clickstream_events`; a row that is missing is added, none is removed. Violations and discards that the plan now
  has are added, those that it had stay. The log has the messages of each day.

**Trigger it** by hand, after the first load with the new plan: that load adds the column. *From* and *to* say which
messages, by `received_at`; *event* takes one event, else every live one. On a machine with the local stack,
`make plan-rebuild EVENT="Order Completed" FROM=2026-11-01T00:00:00Z TO=2026-11-25T00:00:00Z` does the same.

**Loads may go on meanwhile.** It writes rows and never alters a table: it fails at once when a table is not yet as the
plan has it. Do not deploy another change of the plan while it runs.

**When it fails**: clear the run. Each table changes in one commit a day, and the same rows remain however often it
runs. When a long time does not fit into its hour, take it in parts.
"""

from datetime import timedelta

from airflow.sdk import dag

from clickstream.operators.dag_defaults import DAG_DEFAULTS, task_defaults
from clickstream.operators.forms import rebuild_typed_form
from clickstream.operators.typed_events import TrinoRebuildTypedEventsOperator


@dag(
    **DAG_DEFAULTS,
    schedule=None,
    tags=["clickstream", "lake"],
    default_args=task_defaults(execution_timeout=timedelta(hours=1)),
    params=rebuild_typed_form(),
    doc_md=__doc__,
)
def rebuild_typed_events():
    TrinoRebuildTypedEventsOperator(task_id="rebuild")


rebuild_typed_events()
