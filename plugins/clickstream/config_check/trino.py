"""Trino, as Airflow's connection finds it: catalogs, schemas, caches that hide what is new."""

from collections.abc import Iterator, Sequence
from typing import Any

from clickstream.config_check.finding import Area, Facts, Finding, Level, error_of
from clickstream.settings import Settings
from clickstream.upkeep.maintenance import SHORTEST_RETENTION_DAYS

# What the tests run on: local/trino/pom.xml.
TESTED_TRINO = 483
MOST_SKEW_SECONDS = 60

_TRINO = Area("trino")


def check_trino(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """Yield what Airflow's connection finds in Trino.

    `facts`: `server` (`version`, `zone`, `skew_seconds`), and unless that is an error `catalogs` (name to connector),
    `schemas` (catalog to names), `properties` (session property to value), `running`, `probe`, `newest` and `seen`
    (paths), `glue_columns` and `columns` (of the staging table).
    """
    server = facts["server"]
    refused = error_of(server)
    yield _TRINO.unless(
        refused,
        "it answers",
        f"correct host, port, user and password of the connection {settings.trino_conn_id}: docs/existing-airflow.md",
    )
    if refused:
        return
    yield from _server(server, settings)
    yield from _catalogs(facts, settings)
    yield from _retention(facts["properties"], settings)
    yield _TRINO.unless(
        error_of(facts["running"]),
        "it shows queries",
        "let the user see and end its own queries (system.runtime.queries, kill_query): a task that is retried "
        "ends what its earlier try left running",
        Level.WARN,
    )
    yield _TRINO.unless(
        error_of(facts["probe"]),
        f"it makes and drops a table in {settings.work_database}",
        f"let Trino's role write to s3://{settings.lake_bucket} and to Glue, and its user create and drop tables in "
        f"{settings.lake_catalog}.{settings.work_database}: docs/existing-trino.md",
    )
    yield from _staleness(facts, settings)


def _server(server: Facts, settings: Settings) -> Iterator[Finding]:
    digits = server["version"].split("-")[0]
    older = digits.isdecimal() and int(digits) < TESTED_TRINO
    yield _TRINO.unless(
        f"it is {server['version']}, and the tests run on {TESTED_TRINO}" if older or not digits.isdecimal() else "",
        "version",
        f"use Trino {TESTED_TRINO} or newer: docs/existing-trino.md",
        Level.WARN,
    )
    yield _TRINO.unless(
        "" if server["zone"] == "UTC" else f"it is {server['zone']}",
        "time zone of the connection",
        f'add {{"timezone": "UTC"}} to the extra of the connection {settings.trino_conn_id}',
    )
    late = abs(server["skew_seconds"])
    yield _TRINO.unless(
        f"they are {late:.0f} seconds apart" if late > MOST_SKEW_SECONDS else "",
        "the clocks of Trino and Airflow agree",
        "run a time service (chrony, Amazon Time Sync) on both",
    )


def _catalogs(facts: Facts, settings: Settings) -> Iterator[Finding]:
    wanted = {
        settings.staging_catalog: ("hive", ("staging_database", "lines_database")),
        settings.lake_catalog: ("iceberg", ("lake_database", "work_database", "events_database", "segment_database")),
    }
    if error_of(facts["catalogs"]):
        yield _TRINO.fail("catalogs", error_of(facts["catalogs"]), "let the user read system.metadata.catalogs")
        return
    for catalog, (connector, databases) in wanted.items():
        found = facts["catalogs"].get(catalog)
        absent = "there is no such catalog" if found is None else f"its connector is {found}, not {connector}"
        yield _TRINO.unless(
            "" if found == connector else absent,
            f"catalog {catalog}",
            f"add etc/catalog/{catalog}.properties with connector.name={connector}: docs/existing-trino.md; or correct "
            "CLICKSTREAM_STAGING_CATALOG, CLICKSTREAM_LAKE_CATALOG",
        )
        if found == connector:
            yield from _schemas(catalog, databases, facts["schemas"][catalog], settings)


def _schemas(catalog: str, databases: Sequence[str], found: Any, settings: Settings) -> Iterator[Finding]:
    for name in databases:
        schema = getattr(settings, name)
        missing = "" if error_of(found) or schema in found else "it is not there"
        yield _TRINO.unless(
            error_of(found) or missing,
            f"schema {catalog}.{schema}",
            "deploy lambdas/template.yaml, which makes the Glue database; let Trino's role and user read it: "
            "docs/existing-trino.md",
        )


def _retention(properties: Facts, settings: Settings) -> Iterator[Finding]:
    """Yield nothing where the properties were refused: they only confirm."""
    for name in ("expire_snapshots_min_retention", "remove_orphan_files_min_retention"):
        value = properties.get(f"{settings.lake_catalog}.{name}", f"{SHORTEST_RETENTION_DAYS}.00d")
        yield _TRINO.unless(
            f"it is {value}: maintain_tables, set to keep {SHORTEST_RETENTION_DAYS} days, is refused"
            if _days(value) > SHORTEST_RETENTION_DAYS
            else "",
            f"{settings.lake_catalog}.{name}",
            f"set iceberg.{name.replace('_min', '.min').replace('_', '-')}=7d in the catalog of the lake",
            Level.WARN,
        )
    for catalog in (settings.staging_catalog, settings.lake_catalog):
        name = f"{catalog}.query_partition_filter_required"
        yield _TRINO.unless(
            "every query over a partitioned table needs a filter" if properties.get(name) == "true" else "",
            name,
            "take query-partition-filter-required out of the catalog: the checks count whole tables",
        )


def _days(duration: str) -> float:
    """Return the days of a duration as Trino writes it, such as 7.00d; 0 for what is less than hours."""
    number, unit = duration[:-1], duration[-1]
    return float(number) / {"d": 1, "h": 24}[unit] if unit in "dh" else 0


def _staleness(facts: Facts, settings: Settings) -> Iterator[Finding]:
    checked = "it sees the newest staged objects"
    if error_of(facts["seen"]):
        yield _TRINO.warn(checked, error_of(facts["seen"]), "trigger load_events once, which makes the table over them")
    else:
        unseen = sorted(set(facts["newest"]) - set(facts["seen"]))
        yield _TRINO.unless(
            f"{len(unseen)} of {len(facts['newest'])} it does not, such as {unseen[0]}" if unseen else "",
            checked,
            f"take hive.file-status-cache-tables out of the catalog {settings.staging_catalog}: a cached listing hides "
            "what was staged since",
        )
    hidden = [name for name in facts["glue_columns"] if name not in facts["columns"]]
    yield _TRINO.unless(
        f"{len(hidden)} are missing, such as {hidden[0]}" if hidden else "",
        f"it sees the columns of {settings.staging_table} as Glue has them",
        f"take hive.metastore-cache-ttl out of the catalog {settings.staging_catalog}, or call its "
        "system.flush_metadata_cache()",
    )
