"""Operators on the Glue crawler and the table that it makes."""

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowSkipException

from clickstream.aws.glue import crawl, last_crawl_start, patch_staging_table
from clickstream.aws.s3 import look_at_staging
from clickstream.load.steps import keys_met
from clickstream.operators.base import EngineOperator
from clickstream.settings import load_settings
from clickstream.staging.glue_schema import is_crawl_due


class GlueRunCrawlerOperator(BaseOperator):
    """Crawl the staging folder and wait; skipped when no crawl is due: see clickstream.staging.glue_schema.

    Ours and not the provider's, whose wait takes an earlier crawl's result for this one's: see docs/adr/0004.
    """

    def __init__(self, *, crawl_timeout: timedelta = timedelta(minutes=30), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.crawl_timeout = crawl_timeout

    def execute(self, context: Context) -> str:
        """Return when the crawl started, in ISO 8601."""
        settings = load_settings()
        glue = AwsBaseHook(settings.aws_conn_id, client_type="glue").get_conn()
        s3 = AwsBaseHook(settings.aws_conn_id, client_type="s3").get_conn()
        staged, strays, newest = look_at_staging(s3, settings)
        if strays:
            self.log.warning("%d keys are not staged objects and are not loaded, first %s", len(strays), strays[0])
        before = last_crawl_start(glue, settings.crawler, succeeded=True)
        is_manual = context["dag_run"].run_type == "manual"
        if not staged or newest is None or not is_crawl_due(before, newest, datetime.now(UTC), is_manual):
            raise AirflowSkipException(f"nothing was staged since the crawl of {before}, or that was today")
        return crawl(glue, settings.crawler, newest, self.crawl_timeout, log=self.log.info).isoformat()


class GlueStringColumnsOperator(EngineOperator):
    """Make every column of the crawled staging table a string, and add the keys that loads have met; send nothing when
    nothing changes.

    Fails when the crawl left no table, more than one, or a deprecated or partitioned one.
    """

    def execute(self, context: Context) -> dict[str, list[str]]:
        """Return the names of the columns changed, by kind of change."""
        settings, run, _ = self.prepare(context)
        glue = self.client("glue")
        if last_crawl_start(glue, settings.crawler) is None:
            raise AirflowSkipException("nothing has been crawled yet")
        patch = patch_staging_table(glue, settings, keys_met(run))
        self.log.info("%s.%s: %s", settings.staging_database, settings.staging_table, patch.text())
        return {
            "structs": list(patch.structs),
            "retyped": list(patch.retyped),
            "added": list(patch.added),
            "folded": list(patch.folded),
        }
