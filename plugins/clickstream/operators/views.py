"""The operators that make the views over the tables."""

from abc import abstractmethod
from collections.abc import Collection
from datetime import UTC, datetime

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk import Context

from clickstream.aws.s3 import list_staged
from clickstream.engine.sql import render
from clickstream.engine.table_shape import Name
from clickstream.operators.engine import connect
from clickstream.operators.plan import require_plan
from clickstream.operators.staging import LedgerReader
from clickstream.settings import Settings, load_settings
from clickstream.upkeep.views import View, event_views, live_from, load_views, outdated, session_views


class TrinoPublishViewsOperator(LedgerReader):
    """Makes those of its views that are missing or out of date."""

    def execute(self, context: Context) -> list[str]:
        """Gives the names of the views that were made."""
        settings = load_settings()
        self._runner = connect(settings)
        schemas = [settings.lake_database, settings.events_database, settings.segment_database]
        places = {"catalog": settings.lake_catalog, "schemas": schemas}
        found = self._runner.run(render("runtime/comments.sql", settings, places)).rows
        comments = {(row["schema_name"], row["table_name"]): row["comment"] for row in found}
        made = outdated(self._wanted(settings, comments), comments)
        for view in made:
            result = self._runner.run(view.statement)
            self.log.info("%s.%s: %s", view.schema, view.name, result.text())
        return [view.name for view in made]

    @abstractmethod
    def _wanted(self, settings: Settings, present: Collection[Name]) -> list[View]:
        """Its views, in an order in which they can be made; `present`: schema and name of what is there."""


class TrinoPublishLoadViewsOperator(TrinoPublishViewsOperator):
    """events_live, moved on to the oldest object that is not loaded, and the views of Segment's call types."""

    def _wanted(self, settings: Settings, present: Collection[Name]) -> list[View]:
        s3 = AwsBaseHook(settings.aws_conn_id, client_type="s3").get_conn()
        staged, _ = list_staged(s3, settings)
        return load_views(settings, live_from(staged, self.loaded_paths(settings, staged), datetime.now(UTC), settings))


class TrinoPublishEventViewsOperator(TrinoPublishViewsOperator):
    """A view in Segment's shape for each event of the tracking plan that has its table."""

    def _wanted(self, settings: Settings, present: Collection[Name]) -> list[View]:
        tables = {name for schema, name in present if schema == settings.events_database}
        return event_views(settings, require_plan(), tables)


class TrinoPublishSessionViewsOperator(TrinoPublishViewsOperator):
    """The views over `sessions`."""

    def _wanted(self, settings: Settings, present: Collection[Name]) -> list[View]:
        return session_views(settings)
