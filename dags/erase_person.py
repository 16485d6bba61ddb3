"""
# Erase a person

Takes a person's data out of everything that this pipeline keeps, and keeps it out: `docs/runbooks/delete-user-data.md`
says what to do before and after.

1. **create_tables** makes the tables that are missing.
2. **find_ids** finds all ids of the person by the view `identities`. An id that others used too, such as a shared
   device or a test account, is not taken: it is listed as `undecided` in the object that the log names, and the run
   fails until each of these is in *include* or *exclude*.
3. **preview** counts rows and lines by place, in a dry run only. It reads every object of the archive.
4. **suppress** writes digests of the ids to `suppressions`: from now on no load takes their messages. They are counted
   as rejected lines with the reason `suppressed`, so that a report still adds up, and nothing of them is kept.
5. **clean_objects** takes the person's lines out of raw, processing-failed, refused, staging, archive and quarantine,
   older versions of objects too. All other lines stay byte for byte.
6. **clean_tables** takes the rows out of every table that has personal data, and out of the batches of runs that failed
   or still go on.
7. **model_sessions** takes the person's sessions away, and models those of shared devices again.
8. **rewrite_files** writes the files anew that had the rows. States of the tables from before stay readable until
   `maintain_tables` has let them go, 8 days later.
9. **prove** searches every place anew, in another way, and writes what it found to `erasures`. It fails if anything is
   left.
10. **forget** deletes what the run kept of the ids, and the status page's document, which `write_status` writes anew.

**Trigger it** with *user id*, *anonymous id* or both, first with *dry run* on. **Run it again after 8 days**: it should
find nothing, and `erasures.old_states` should be 0.

**The form's values stay in Airflow's database**, with the run and in the audit log. Use *request* in place of them, or
delete the run afterwards: the runbook says how.

**Loads may go on meanwhile.** A run that had read its objects before goes on without the person; its check may fail
once, then clear it.

**When it fails**: clear the failed task. Each step goes on where it was; **preview** and **prove** begin again, so that
one try of a step that reads every object may take 24 hours. Unreadable objects are named in the log of
**clean_objects** and counted in `erasures`: look at them by hand.
"""

from datetime import timedelta

from airflow.sdk import chain, dag

from clickstream.engine.sql import TableNames
from clickstream.operators.dag_defaults import DAG_DEFAULTS, task_defaults
from clickstream.operators.erase import TrinoEraseStepOperator, TrinoFindPersonOperator, TrinoPreviewErasureOperator
from clickstream.operators.forms import erase_form
from clickstream.operators.tables import TrinoCreateTablesOperator

READS_EVERYTHING = {"clean_objects", "prove"}
TIME_TO_READ = timedelta(hours=24)
"""For one try of a step that reads every object of the archive."""

STEPS = ("suppress", "clean_objects", "clean_tables", "model_sessions", "rewrite_files", "prove", "forget")


@dag(
    **DAG_DEFAULTS,
    schedule=None,
    tags=["clickstream", "repair"],
    default_args=task_defaults(retries=5, execution_timeout=timedelta(hours=1)),
    params=erase_form(),
    doc_md=__doc__,
)
def erase_person():
    create_tables = TrinoCreateTablesOperator(
        task_id="create_tables", tables=TableNames.ERASE_TABLES, others=TableNames.LAKE_TABLES
    )
    find_ids = TrinoFindPersonOperator(task_id="find_ids")
    preview = TrinoPreviewErasureOperator(task_id="preview", execution_timeout=TIME_TO_READ)
    steps = [
        TrinoEraseStepOperator(
            task_id=step, step=step, **({"execution_timeout": TIME_TO_READ} if step in READS_EVERYTHING else {})
        )
        for step in STEPS
    ]

    chain(create_tables, find_ids, [preview, steps[0]])
    chain(*steps)


erase_person()
