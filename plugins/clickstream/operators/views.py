"""The operators that make the views over the tables."""

from abc import abstractmethod
from collections.abc import Collection
from datetime import datetime

from airflow.sdk import Context

from clickstream.aws.s3 import list_staged
from clickstream.engine.evolution import Run
from clickstream.engine.table_shape import Name
from clickstream.load.take import loaded_paths
from clickstream.operators.base import EngineOperator
from clickstream.operators.plan import require_plan
from clickstream.settings import Settings
from clickstream.upkeep.views import View, event_views, live_from, load_views, outdated, session_views


class TrinoPublishViewsOperator(EngineOperator):
    """Create those of its views that are missing or out of date."""

    def execute(self, context: Context) -> list[str]:
        """Return the names of the views that were made."""
        settings, run, values = self.prepare(context)
        schemas = [settings.lake_database, settings.events_database, settings.segment_database]
        found = run("runtime/comments.sql", catalog=settings.lake_catalog, schemas=schemas).rows
        comments = {(row["schema_name"], row["table_name"]): row["comment"] for row in found}
        made = outdated(self._wanted(settings, run, values["now"], comments), comments)
        for view in made:
            self._run_statement(view.statement, f"{view.schema}.{view.name}", settings)
        return [view.name for view in made]

    @abstractmethod
    def _wanted(self, settings: Settings, run: Run, now: datetime, present: Collection[Name]) -> list[View]:
        """Return its views, in an order in which they can be made; `present`: schema and name of what is there."""


class TrinoPublishLoadViewsOperator(TrinoPublishViewsOperator):
    """events_live, moved on to the oldest object that is not loaded, and the views of Segment's call types."""

    def _wanted(self, settings: Settings, run: Run, now: datetime, present: Collection[Name]) -> list[View]:
        staged, _ = list_staged(self.client("s3"), settings)
        return load_views(settings, live_from(staged, loaded_paths(run, staged), now, settings))


class TrinoPublishEventViewsOperator(TrinoPublishViewsOperator):
    """A view in Segment's shape for each event of the tracking plan that has its table."""

    def _wanted(self, settings: Settings, run: Run, now: datetime, present: Collection[Name]) -> list[View]:
        tables = {name for schema, name in present if schema == settings.events_database}
        return event_views(settings, require_plan(), tables)


class TrinoPublishSessionViewsOperator(TrinoPublishViewsOperator):
    """The views over `sessions`."""

    def _wanted(self, settings: Settings, run: Run, now: datetime, present: Collection[Name]) -> list[View]:
        return session_views(settings)
