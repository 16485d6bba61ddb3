"""What Trino, or Athena, answers to clickstream.config_check. Nothing stays: one table is made and dropped."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from clickstream.config_check.finding import observe
from clickstream.engine.evolution import Run, present_shapes
from clickstream.settings import Settings

Client = Callable[[str], Any]


def trino_facts(run: Run, settings: Settings, run_id: str, newest: Sequence[str]) -> dict[str, Any]:
    """Return the facts that check_trino reads, but those of staging_facts. `run_id` names the probe's table.

    Only `server` when that is refused.
    """
    server = observe(lambda: _server(run))
    if "error" in server:
        return {"server": server}
    catalogs = observe(lambda: {row["catalog_name"]: row["connector_name"] for row in run("runtime/catalogs.sql").rows})
    names = (settings.staging_catalog, settings.lake_catalog)
    return {
        "server": server,
        "catalogs": catalogs,
        "schemas": {name: observe(partial(_schemas, run, name)) for name in names},
        "properties": observe(lambda: {row["Name"]: row["Value"] for row in run("runtime/properties.sql").rows}),
        "running": observe(lambda: run("runtime/running.sql").rows[0]["queries"]),
        "probe": observe(lambda: _probe(run, run_id)),
        "seen": observe(lambda: _seen(run, newest)),
        "columns": observe(lambda: _staging_columns(run, settings)),
    }


def athena_facts(client: Client, run: Run, settings: Settings, run_id: str, newest: Sequence[str]) -> dict[str, Any]:
    """Return the facts that check_athena reads, but `newest`. Only `workgroup` when that is refused."""
    workgroup = observe(lambda: client("athena").get_work_group(WorkGroup=settings.athena_workgroup)["WorkGroup"])
    if "error" in workgroup:
        return {"workgroup": workgroup}
    return {
        "workgroup": workgroup,
        "probe": observe(lambda: _probe(run, run_id)),
        "seen": observe(lambda: _seen(run, newest)),
    }


def _server(run: Run) -> dict[str, Any]:
    before = datetime.now(UTC)
    row = run("runtime/server.sql").rows[0]
    # Half of the answer's way: Trino's clock was read somewhere between the two.
    middle = before + (datetime.now(UTC) - before) / 2
    skew = (row["read_at"] - middle).total_seconds()
    return {"version": row["node_version"], "zone": row["time_zone"], "skew_seconds": skew}


def _schemas(run: Run, catalog: str) -> list[str]:
    return [row["schema_name"] for row in run("runtime/schemas.sql", catalog=catalog).rows]


def _probe(run: Run, run_id: str) -> bool:
    run("work/batch/probe.sql", run_id=run_id)
    run("work/batch/drop.sql", run_id=run_id)
    return True


def _seen(run: Run, newest: Sequence[str]) -> list[str]:
    return [row["path"] for row in run("staging/lines/seen.sql", paths=newest).rows] if newest else []


def _staging_columns(run: Run, settings: Settings) -> list[str]:
    shapes = present_shapes(run, settings, [settings.staging_database], settings.staging_catalog)
    columns = shapes.get((settings.staging_database, settings.staging_table), [])
    return [column.name for column in columns]
