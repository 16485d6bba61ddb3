"""
# Crawl the staging folder

Keeps the table over the staging folder queryable: `staging.clickstream_staging.events_staging`.

1. **crawl** runs the Glue crawler over the folder, once a day (UTC), since a crawl is billed for 10 minutes at least.
   Skipped when there was one today, or nothing was staged since.
2. **patch** makes every column of the crawled table a string, so that a struct shows as its JSON text and no event can
   break a query, and adds the top-level keys that `load_events` has met (`schema_changes`). It runs after every crawl,
   since a new top-level key may arrive as a struct, and every hour, ten minutes after the loads. Nothing is sent when
   nothing changes.

**Trigger it** whenever you want; it has no parameters. It then crawls, also a second time a day, if anything was staged
since. A run looks at the present state only: to rerun, trigger it
again. Nothing that loads events waits for it: `load_events` reads the folder's lines.

**When it fails**: the message names the table or the crawler and what to do. Events go on being staged and loaded.
"""

from datetime import timedelta

from airflow.sdk import dag

from clickstream.operators.dag_defaults import DAG_DEFAULTS, task_defaults
from clickstream.operators.glue import GlueRunCrawlerOperator, GlueStringColumnsOperator


@dag(
    **DAG_DEFAULTS,
    schedule="10 * * * *",
    tags=["clickstream", "staging"],
    default_args=task_defaults(retry_delay=timedelta(seconds=30)),
    doc_md=__doc__,
)
def crawl_staging():
    crawl = GlueRunCrawlerOperator(
        task_id="crawl", crawl_timeout=timedelta(minutes=30), execution_timeout=timedelta(minutes=40)
    )
    patch = GlueStringColumnsOperator(
        task_id="patch", trigger_rule="none_failed", execution_timeout=timedelta(minutes=5)
    )
    crawl >> patch


crawl_staging()
