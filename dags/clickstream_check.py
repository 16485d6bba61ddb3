"""
# Check the installation

Trigger it after a deployment, after an upgrade, or when something fails without a visible reason. Each task looks at
one area, and its log lists what was looked at, the worst at the end: what is wrong, and the exact fix.

- **check_settings**: the `CLICKSTREAM_*` variables.
- **check_airflow**: its version, the providers, the connections, `include/`, and whether every DAG file can be read.
- **check_aws**: credentials, buckets, Glue databases, the crawler's settings, the queues, the stream. One small object
  is put into the lake bucket under `_clickstream_check/`, read and deleted.
- **check_trino**: version, clock, catalogs and their connectors, schemas, and caches that hide what was just staged.
  One table is made and dropped.
- **check_athena**: instead of check_trino with `CLICKSTREAM_ENGINE=athena`: the workgroup, and whether the newest
  staged objects are seen. One table is made and dropped.
- **check_tables**: whether each lake table is there and of this version.

A `WARN` means that a safeguard or a feature is missing; a `FAIL` stops something, and the task fails.
`make check-config` prints the same without Airflow.

**When it fails**: do what the line `fix:` says and trigger it again. When a setting is missing, only check_settings
reports it; the other tasks have nothing to check.
"""

from datetime import timedelta

from airflow.sdk import dag

from clickstream.operators.config_check import AREAS, ClickstreamCheckOperator
from clickstream.operators.dag_defaults import DAG_DEFAULTS, task_defaults


@dag(
    **DAG_DEFAULTS,
    schedule=None,
    tags=["clickstream", "repair"],
    default_args=task_defaults(retries=1, execution_timeout=timedelta(minutes=10)),
    doc_md=__doc__,
)
def clickstream_check():
    for area in AREAS:
        ClickstreamCheckOperator(task_id=f"check_{area}", area=area)


clickstream_check()
