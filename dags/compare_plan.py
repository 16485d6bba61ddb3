"""
# Compare what is sent with the tracking plan

`include/tracking_plan.yaml` says which events there are and what their properties are. Once a day, this DAG writes the
differences to `lake.clickstream.plan_diff`: what is sent and not declared, declared and not sent, or sent with another
type, each with counts, an example, and the entry to paste into the plan. See `docs/tracking-plan.md`.

1. **create_tables** makes the table, and those that are read, if they are missing.
2. **compare** reads the last *days* of `events` once, and replaces the rows of the run before.
3. **check** runs the check of the table.

**Trigger it** after the plan was changed, to see what is left; *days* is how far back it looks, and what it costs. On a
machine with the local stack, `make plan-diff` shows the same at once and `make plan-suggest` writes the entries.

**When it fails**: a mistake in the plan is named with its line. Otherwise clear the run: readers see the differences of
the run before until they are all replaced.
"""

from datetime import timedelta

from airflow.sdk import chain, dag

from clickstream.engine.sql import TableNames
from clickstream.operators.checks import TrinoCheckTablesOperator
from clickstream.operators.dag_defaults import DAG_DEFAULTS, task_defaults
from clickstream.operators.forms import compare_form
from clickstream.operators.plan_diff import TrinoComparePlanOperator
from clickstream.operators.tables import TrinoCreateTablesOperator

# Those that are read may be missing before the first load.
READ = ("events", "load_ledger")


@dag(
    **DAG_DEFAULTS,
    schedule="10 4 * * *",
    tags=["clickstream", "lake"],
    default_args=task_defaults(execution_timeout=timedelta(hours=1)),
    params=compare_form(),
    doc_md=__doc__,
)
def compare_plan():
    create_tables = TrinoCreateTablesOperator(task_id="create_tables", tables=TableNames.PLAN_TABLES, others=READ)
    compare = TrinoComparePlanOperator(task_id="compare")
    check = TrinoCheckTablesOperator(task_id="check")
    chain(create_tables, compare, check)


compare_plan()
