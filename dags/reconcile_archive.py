"""
# Compare the live tables with the archive, and heal what misses

Finds out whether `events` has what the archive has, by hour received and source, and loads what it misses. What the
states mean, and what equal hours prove, is in docs/reconcile-archive.md.

1. **create_tables** makes the tables that are missing.
2. **compare** counts both sides in buckets of message ids, reads ids only of buckets that differ, and writes a row for
   each hour and source to `archive_reconciliations`. Its log has the report. Skipped where no archive is set. **check**
   runs the checks of that table.
3. **plan_healing** decides which hours to load from the archive: those that miss messages here, from the first one
   *hours* long. An hour that misses more than 10 % of its messages is left to a person, who switches *large gaps* on.
   Skipped when there is nothing to heal.
4. **heal** triggers `load_events` over these hours, as a person would, and waits for it: in a *dry run* the log of its
   **preview** says what it would load.
5. **compare_again** compares the hours that were loaded. Skipped in a dry run.

**Each day at 06:00** it compares the UTC day before, when late objects have come, and once more the hours of seven
days, 24 at most, that missed messages or were late. These runs are dry runs: they change nothing but
`archive_reconciliations`. The alarm `archive_differs` says when a person should look.

**Trigger it** with *from* and *to* for other hours, and with *dry run* off to heal. An empty form is yesterday.

**Loads may go on meanwhile.** What is staged and not loaded yet makes its hours *late*, not missing.

**When it fails**: clear the failed task. An object of the archive that cannot be read is named: load its hours once
with `load_events`, which sets it aside. When **heal** fails, look at the run of `load_events` that it names; a cleared
**heal** runs that one again, and starts no second one.
"""

from datetime import timedelta

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import chain, dag

from clickstream.engine.sql import TableNames
from clickstream.operators.dag_defaults import DAG_DEFAULTS, task_defaults
from clickstream.operators.forms import reconcile_form
from clickstream.operators.reconcile_archive import (
    TrinoCheckReconciledOperator,
    TrinoCompareAgainOperator,
    TrinoCompareArchiveOperator,
    TrinoPlanHealingOperator,
)
from clickstream.operators.tables import TrinoCreateTablesOperator


@dag(
    **DAG_DEFAULTS,
    schedule="0 6 * * *",
    tags=["clickstream", "repair"],
    default_args=task_defaults(execution_timeout=timedelta(hours=1)),
    params=reconcile_form(),
    doc_md=__doc__,
)
def reconcile_archive():
    create_tables = TrinoCreateTablesOperator(
        task_id="create_tables", tables=TableNames.RECONCILE_TABLES, others=TableNames.LAKE_TABLES
    )
    compare = TrinoCompareArchiveOperator(task_id="compare")
    check = TrinoCheckReconciledOperator(task_id="check")
    plan_healing = TrinoPlanHealingOperator(task_id="plan_healing")
    heal = TriggerDagRunOperator(
        task_id="heal",
        trigger_dag_id="load_events",
        conf="{{ ti.xcom_pull(task_ids='plan_healing') | tojson }}",
        # One run of load_events for these hours, however often this task is tried: a later try runs it again.
        trigger_run_id="{{ run_id }}_{{ ti.xcom_pull(task_ids='plan_healing')['from'] }}",
        reset_dag_run=True,
        wait_for_completion=True,
        poke_interval=30,
        retries=1,
        # For a load that waits for the hourly one. It goes on when this task has given up waiting.
        execution_timeout=timedelta(minutes=110),
    )
    compare_again = TrinoCompareAgainOperator(task_id="compare_again", planned="plan_healing")

    chain(create_tables, compare, plan_healing, heal, compare_again)
    chain(compare, check)


reconcile_archive()
