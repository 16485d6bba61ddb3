"""Bring every table to what this version wants, outside a run: the same steps that the DAGs take before they write."""

from clickstream.engine.evolution import Run, bring_up_to_date, create_lines, create_tables, lake_shapes, present_shapes
from clickstream.engine.sql import LINES, TableNames
from clickstream.engine.table_shape import changes
from clickstream.plan.file import TrackingPlan
from clickstream.plan.typed_tables import RunEach, create_missing, wanted_shapes
from clickstream.settings import Settings


class MigrationError(RuntimeError):
    """Tables of events could not be made or altered; the message says which and why. The others are done."""


def migrate(run: Run, run_each: RunEach, plan: TrackingPlan, settings: Settings) -> list[str]:
    """Create missing tables, then add missing columns and comments to the others.

    Return what was done, as `<what> <schema>.<table>[.<column>]`; nothing the second time. No DAG may write meanwhile.
    Raises DestructiveChangeError, which names every table, before anything is done; MigrationError and
    trino.exceptions.Error.
    """
    lake = lake_shapes(TableNames.LAKE_TABLES, settings)
    wanted = {**lake, **wanted_shapes(plan, settings)}
    present = present_shapes(run, settings, [settings.lake_database, settings.events_database])
    changes(wanted, present)
    replaced = create_lines(run, LINES, settings)
    create_tables(run, TableNames.LAKE_TABLES, settings)
    made = [f"create {'.'.join(table)}" for table in lake if table not in present]
    done = bring_up_to_date(run, TableNames.LAKE_TABLES, settings)
    of_events = create_missing(run, run_each, plan, settings)
    if of_events.failed:
        raise MigrationError("\n".join(f"{table}: {reason}" for table, reason in of_events.failed.items()))
    return [*replaced, *made, *done, *of_events.done]
