"""The operator that makes the views over the tables."""

from datetime import UTC, datetime

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.trino.hooks.trino import TrinoHook
from airflow.sdk import Context

from clickstream.aws.s3 import list_staged
from clickstream.operators.staging import LedgerReader
from clickstream.query import QueryRunner
from clickstream.settings import load_settings
from clickstream.sql import render
from clickstream.views import definitions, live_from, outdated


class TrinoPublishViewsOperator(LedgerReader):
    """Makes the views that are missing or out of date, and moves events_live on to the oldest object not loaded."""

    def execute(self, context: Context) -> list[str]:
        """Gives the names of the views that were made."""
        settings = load_settings()
        s3 = AwsBaseHook(settings.aws_conn_id, client_type="s3").get_conn()
        staged, _ = list_staged(s3, settings)
        start = live_from(staged, self.loaded_paths(settings, staged), datetime.now(UTC), settings)
        self._runner = self._runner or QueryRunner(TrinoHook(settings.trino_conn_id).get_conn())
        places = {"catalog": settings.lake_catalog, "schemas": [settings.lake_database, settings.segment_database]}
        found = self._runner.run(render("runtime/comments.sql", settings, places)).rows
        comments = {(row["schema_name"], row["table_name"]): row["comment"] for row in found}
        made = outdated(definitions(settings, start), comments)
        for view in made:
            result = self._runner.run(view.statement)
            self.log.info("%s.%s: %s", view.schema, view.name, result.text())
        return [view.name for view in made]
