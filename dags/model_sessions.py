"""
# Model sessions

Turns events into sessions: what a visitor did without a longer pause. `docs/sessions.md` has the rules.

1. **create_tables** makes the tables that are missing and adds columns that they lack. **publish_views** then makes
   those views over them that are missing or out of date.
2. **model** takes every run of `load_events` that no run of this DAG has taken, finds the visitors whom it touched and
   models again what of their time can have changed, in one commit. The log and `session_runs` say how many sessions are
   new, changed, aliased (their id was replaced, since a late event came first) and capped (cut at the longest
   duration). Skipped when every load has been taken.
3. **check** runs the checks of these tables.

**When?** After each run of `load_events`, a backfill too. Nothing is lost when a run is missed: the next takes its
loads.

**Trigger it** with an empty form to take what is waiting, or with *from* and *to* to model all of that time again: when
a setting that decides what a session is was changed, do so for all time. The same events result in the same sessions,
however they arrived and however often this runs.

**When it fails**: clear the run. Readers see the sessions as they were until they are all replaced.
"""

from datetime import timedelta

from airflow.sdk import chain, dag

from clickstream.engine.sql import TableNames
from clickstream.operators.assets import EVENTS_LOADED
from clickstream.operators.checks import TrinoCheckSessionsOperator
from clickstream.operators.dag_defaults import DAG_DEFAULTS, task_defaults
from clickstream.operators.forms import rebuild_form
from clickstream.operators.sessions import TrinoModelSessionsOperator
from clickstream.operators.tables import TrinoCreateTablesOperator
from clickstream.operators.views import TrinoPublishSessionViewsOperator


@dag(
    **DAG_DEFAULTS,
    schedule=[EVENTS_LOADED],
    tags=["clickstream", "lake"],
    default_args=task_defaults(retries=3, retry_delay=timedelta(seconds=30), execution_timeout=timedelta(hours=1)),
    params=rebuild_form(),
    doc_md=__doc__,
)
def model_sessions():
    create_tables = TrinoCreateTablesOperator(task_id="create_tables", tables=TableNames.SESSION_TABLES)
    publish_views = TrinoPublishSessionViewsOperator(task_id="publish_views")
    model = TrinoModelSessionsOperator(task_id="model")
    check = TrinoCheckSessionsOperator(task_id="check")
    chain(create_tables, model, check)
    chain(create_tables, publish_views)


model_sessions()
