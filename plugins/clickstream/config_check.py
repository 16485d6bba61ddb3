"""Whether an installation is set up as the pipeline needs it, decided from what its services answered.

Each check takes the facts of one area, as JSON would hold them, and gives findings: what was looked at, whether it is
right, and if not what is wrong and the exact fix. Where a service refused, the fact is {"error": "<code>: <message>"}.
What gathers them: clickstream.aws.facts, clickstream.trino_facts and clickstream.operators.config_check.
"""

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

from clickstream.notify import read_destinations
from clickstream.reconcile import RAW_PREFIX
from clickstream.settings import Settings, SettingsError, variable
from clickstream.table_shape import DestructiveChangeError, Kind, Name, TableColumn, changes

Facts = Mapping[str, Any]

# What the tests run on: requirements/airflow.lock and local/trino/pom.xml.
TESTED_AIRFLOW = (3, 3)
TESTED_TRINO = 483
PROVIDERS = ("amazon", "slack", "smtp", "trino")
MOST_SKEW_SECONDS = 60
_LONGEST_ERROR = 300
# What maintain_tables may be told to keep, at least.
SHORTEST_RETENTION_DAYS = 7


def observe(ask: Callable[[], Any]) -> Any:
    """What a service answers; {"error": "<why>"} when it refuses or cannot be reached, whatever the reason."""
    try:
        return ask()
    except Exception as error:
        text = str(error).splitlines()[0] if str(error) else ""
        return {"error": f"{type(error).__name__}: {text}"[:_LONGEST_ERROR]}


class Level(Enum):
    """How much a finding matters: a `FAIL` stops something, a `WARN` takes a safety net or a feature away."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `wrong` and `fix` are empty when it is right."""

    area: str
    checked: str
    level: Level = Level.OK
    wrong: str = ""
    fix: str = ""

    def text(self) -> str:
        """For a person: one line when it is right, three when it is not."""
        head = f"{self.level.value.upper():4}  {self.area:8}  {self.checked}"
        return head if self.level is Level.OK else f"{head}\n        wrong: {self.wrong}\n        fix:   {self.fix}"


class _Area:
    """Makes the findings of one area."""

    def __init__(self, name: str) -> None:
        self._name = name

    def ok(self, checked: str) -> Finding:
        return Finding(self._name, checked)

    def warn(self, checked: str, wrong: str, fix: str) -> Finding:
        return Finding(self._name, checked, Level.WARN, wrong, fix)

    def fail(self, checked: str, wrong: str, fix: str) -> Finding:
        return Finding(self._name, checked, Level.FAIL, wrong, fix)

    def unless(self, wrong: str, checked: str, fix: str, level: Level = Level.FAIL) -> Finding:
        """Right when nothing is `wrong`."""
        return Finding(self._name, checked, level, wrong, fix) if wrong else self.ok(checked)


def report(findings: Iterable[Finding]) -> str:
    """What was found, the worst last, where a log ends; then one line that counts."""
    order = list(Level)
    found = sorted(findings, key=lambda finding: order.index(finding.level))
    count = {level: sum(finding.level is level for finding in found) for level in Level}
    total = f"{count[Level.OK]} ok, {count[Level.WARN]} to look at, {count[Level.FAIL]} wrong"
    return "\n".join([*(finding.text() for finding in found), total])


def failed(findings: Iterable[Finding]) -> list[Finding]:
    """Those that stop something."""
    return [finding for finding in findings if finding.level is Level.FAIL]


# ---- settings --------------------------------------------------------------------------------------------------------

_SETTINGS = _Area("settings")
_WITHOUT = {
    "raw_bucket": "reconcile_raw and redrive_failed fail, and a lost S3 event stays lost",
    "stage_queue": "reconcile_raw fails, and a lost S3 event stays lost",
    "stage_dead_letter_queue": "nobody is told of objects that stage_object gave up on",
    "stream": "redrive_failed fails: refused records cannot be sent again",
    "archive_bucket": "a backfill reads staging only, which holds a day",
}
_DATABASES = (
    "staging_database", "lines_database", "lake_database", "work_database", "events_database", "segment_database",
)  # fmt: skip


def check_settings(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """The settings. `facts`: `environment`, the names of the CLICKSTREAM_* variables that are set."""
    for name, consequence in _WITHOUT.items():
        yield _SETTINGS.unless(
            "" if getattr(settings, name) else f"not set: {consequence}",
            variable(name),
            f"set it to the output {_output(name)} of the stack of lambdas/template.yaml, or leave it if you do "
            "without that",
            Level.WARN,
        )
    databases = [getattr(settings, name) for name in _DATABASES]
    yield _SETTINGS.unless(
        _twice(databases),
        "every Glue database has its own name",
        f"give each of {', '.join(map(variable, _DATABASES))} another value",
    )
    yield _SETTINGS.unless(
        "both catalogs are one" if settings.staging_catalog == settings.lake_catalog else "",
        "the catalogs of Trino are two",
        "staging is read by the Hive connector, the lake by Iceberg's: set CLICKSTREAM_STAGING_CATALOG and "
        "CLICKSTREAM_LAKE_CATALOG",
    )
    yield _SETTINGS.unless(
        _refusal(settings.notify), "CLICKSTREAM_NOTIFY", "see docs/alarms.md, 'Whom to tell', for its entries"
    )
    known = {variable(field.name) for field in fields(Settings)}
    for name in sorted(set(facts["environment"]) - known):
        for meant in difflib.get_close_matches(name, known, n=1, cutoff=0.9):
            yield _SETTINGS.warn(name, "no setting has this name, so it does nothing", f"did you mean {meant}?")


def unusable(error: SettingsError) -> Finding:
    """The finding when there are no settings to check."""
    return _SETTINGS.fail(
        "settings can be read", str(error), "set what is named, where Airflow's workers get their environment"
    )


def _output(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _twice(names: Sequence[str]) -> str:
    several = sorted({name for name in names if names.count(name) > 1})
    return f"used for more than one: {', '.join(several)}" if several else ""


def _refusal(notify: str) -> str:
    try:
        read_destinations(notify)
    except SettingsError as error:
        return str(error)
    return ""


# ---- Airflow ---------------------------------------------------------------------------------------------------------

_AIRFLOW = _Area("airflow")


def check_airflow(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """Airflow.

    `facts`: `version`; `providers`, name to version or None; `connections`, id to its type or an error;
    `import_errors`, DAG file to message; `missing_files`, those of include/ that are not where the code looks.
    """
    version = tuple(int(part) for part in facts["version"].split(".")[:2])
    tested = ".".join(map(str, TESTED_AIRFLOW))
    yield _AIRFLOW.unless(
        "" if version == TESTED_AIRFLOW else f"it is {facts['version']}, and the tests run on {tested}",
        "version",
        f"use Airflow {tested}, or run this project's tests with yours: docs/existing-airflow.md",
        Level.WARN if version[0] == TESTED_AIRFLOW[0] else Level.FAIL,
    )
    for name in PROVIDERS:
        package = f"apache-airflow-providers-{name}"
        yield _AIRFLOW.unless(
            "" if facts["providers"].get(name) else "not installed",
            package,
            f"pip install {package}, in the version of requirements/airflow.lock",
        )
    for name, wanted in wanted_connections(settings).items():
        yield _connection(name, wanted, facts["connections"].get(name))
    yield _AIRFLOW.unless(
        f"not there: {', '.join(facts['missing_files'])}" if facts["missing_files"] else "",
        "include/ is beside plugins/ or in it",
        "deploy include/ as a sibling of plugins/: docs/existing-airflow.md, 'Where the folders go'",
    )
    for file, message in sorted(facts["import_errors"].items()):
        yield _AIRFLOW.fail(f"{file} can be read", message, "deploy dags/, plugins/ and include/ of one version")
    if not facts["import_errors"]:
        yield _AIRFLOW.ok("every DAG file can be read")


def wanted_connections(settings: Settings) -> dict[str, str]:
    """The connections that these settings name, each with its type."""
    wanted = {settings.aws_conn_id: "aws", settings.trino_conn_id: "trino"}
    destinations = [] if _refusal(settings.notify) else read_destinations(settings.notify)
    for destination in destinations:
        if destination.kind.value == "slack":
            wanted[destination.target] = "slackwebhook"
        if destination.kind.value == "email":
            wanted[settings.smtp_conn_id] = "smtp"
    return wanted


def _connection(name: str, wanted: str, found: Any) -> Finding:
    wrong = _error(found) or ("" if found == wanted else f"it is of type {found!r}, not {wanted!r}")
    return _AIRFLOW.unless(
        wrong,
        f"connection {name}",
        f"make a connection {name} of type {wanted}, such as AIRFLOW_CONN_{name.upper()} in the environment: "
        "docs/existing-airflow.md, 'Connections'",
    )


# ---- AWS -------------------------------------------------------------------------------------------------------------

_AWS = _Area("aws")
# What the pipeline does in each bucket, for whoever writes the policy.
_BUCKET_ACTIONS = {
    "raw": "s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject (reconcile_raw, redrive_failed)",
    "staging": "s3:ListBucket, s3:GetObject, s3:DeleteObject",
    "lake": "s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject",
    "archive": "s3:ListBucket, s3:GetObject",
}


def check_aws(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """What Airflow's role finds in AWS.

    `facts`: `identity`, and unless that is an error `buckets` (name to `list`, `read`, `write`, each true or an
    error), `lifecycle`, `notification`, `databases`, `crawler`, `tables`, `queue`, `dead_letters`, `stream`.
    """
    refused = _error(facts["identity"])
    yield _AWS.unless(
        refused,
        "credentials",
        f"give the connection {settings.aws_conn_id} a role or keys, and a region: docs/existing-airflow.md",
    )
    if refused:
        return
    yield from _buckets(facts["buckets"], settings)
    yield _backstop(facts["lifecycle"], settings)
    yield from _databases(facts["databases"], settings)
    yield from _crawler(facts["crawler"], settings)
    if settings.stage_queue:
        yield from _queue(facts["queue"], facts["dead_letters"], settings)
        if settings.raw_bucket:
            yield _notification(facts["notification"], settings)
    if settings.stream:
        yield _AWS.unless(
            _error(facts["stream"]),
            f"stream {settings.stream}",
            "allow kinesis:DescribeStreamSummary and kinesis:PutRecords on it, or correct CLICKSTREAM_STREAM",
        )


def _buckets(buckets: Facts, settings: Settings) -> Iterator[Finding]:
    for name, tried in buckets.items():
        bucket = getattr(settings, f"{name}_bucket")
        for what, result in tried.items():
            yield _AWS.unless(
                _error(result),
                f"{what} in bucket {bucket}",
                f"allow Airflow's role {_BUCKET_ACTIONS[name]}; or correct {variable(f'{name}_bucket')}",
            )


def _backstop(rules: Any, settings: Settings) -> Finding:
    checked, hours = "lifecycle rule of the staging folder", settings.staging_retention_hours
    if _error(rules):
        return _AWS.warn(checked, _error(rules), "allow s3:GetLifecycleConfiguration to have this looked at")
    days = [
        rule["Expiration"]["Days"]
        for rule in rules
        if rule["Status"] == "Enabled"
        and "Days" in rule.get("Expiration", {})
        and settings.staging_prefix.startswith(rule.get("Filter", {}).get("Prefix", rule.get("Prefix", "")))
    ]
    if not days:
        return _AWS.warn(
            checked, "there is none: if expire_staging stops, nothing deletes what it left",
            "deploy lambdas/template.yaml, which has one (StagingRetentionDays)",
        )  # fmt: skip
    least = hours + settings.expiry_grace_hours
    wrong = f"objects go after {min(days)} days, loaded or not; expire_staging keeps them for {least} hours"
    return _AWS.unless(
        wrong if min(days) * 24 < max(least, settings.alarm_unloaded_hours) else "",
        checked,
        "raise StagingRetentionDays of lambdas/template.yaml, or lower CLICKSTREAM_STAGING_RETENTION_HOURS",
    )


def _databases(databases: Facts, settings: Settings) -> Iterator[Finding]:
    for name in _DATABASES:
        database = getattr(settings, name)
        yield _AWS.unless(
            _error(databases[database]),
            f"Glue database {database}",
            f"deploy lambdas/template.yaml, which makes it; or allow glue:GetDatabase; or correct {variable(name)}",
        )


def _crawler(crawler: Any, settings: Settings) -> Iterator[Finding]:
    checked = f"crawler {settings.crawler}"
    if _error(crawler):
        yield _AWS.fail(
            checked, _error(crawler), "allow glue:GetCrawler and glue:StartCrawler, or correct CLICKSTREAM_CRAWLER"
        )
        return
    redeploy = "deploy lambdas/template.yaml, which sets it; do not edit the crawler by hand"
    for what, found, wanted in _crawler_settings(crawler, settings):
        wrong = "" if found == wanted else f"it is {found!r}, not {wanted!r}"
        yield _AWS.unless(wrong, f"{checked}: {what}", redeploy)


def _crawler_settings(crawler: Facts, settings: Settings) -> Iterator[tuple[str, Any, Any]]:
    configuration = json.loads(crawler.get("Configuration") or "{}")
    grouping = configuration.get("Grouping", {})
    tables = configuration.get("CrawlerOutput", {}).get("Tables", {})
    targets = [target["Path"].rstrip("/") + "/" for target in crawler["Targets"].get("S3Targets", [])]
    yield "target", targets, [settings.staging_location]
    yield "database", crawler["DatabaseName"], settings.staging_database
    folder = settings.staging_prefix.rstrip("/")
    yield "table name", f"{crawler.get('TablePrefix', '')}{folder}", settings.staging_table
    yield "AddOrUpdateBehavior", tables.get("AddOrUpdateBehavior"), "MergeNewColumns"
    yield "TableGroupingPolicy", grouping.get("TableGroupingPolicy"), "CombineCompatibleSchemas"
    yield "TableLevelConfiguration", grouping.get("TableLevelConfiguration"), 2
    policy = crawler.get("SchemaChangePolicy", {})
    yield "UpdateBehavior", policy.get("UpdateBehavior"), "UPDATE_IN_DATABASE"
    yield "DeleteBehavior", policy.get("DeleteBehavior"), "LOG"


def _queue(queue: Any, dead_letters: Any, settings: Settings) -> Iterator[Finding]:
    checked = f"queue {settings.stage_queue}"
    refused = _error(queue)
    yield _AWS.unless(
        refused,
        checked,
        "allow sqs:GetQueueUrl, sqs:GetQueueAttributes and sqs:SendMessage on it, or correct CLICKSTREAM_STAGE_QUEUE",
    )
    target = "" if refused else json.loads(queue.get("RedrivePolicy", "{}")).get("deadLetterTargetArn", "")
    if not refused and not target:
        yield _AWS.fail(
            f"{checked}: dead letters", "it has no dead-letter queue: a message that fails is tried until it expires",
            "deploy lambdas/template.yaml, which sets its RedrivePolicy",
        )  # fmt: skip
    if not settings.stage_dead_letter_queue:
        return
    name = settings.stage_dead_letter_queue
    other = f"dead letters go to {target}" if target and not target.endswith(f":{name}") else ""
    yield _AWS.unless(
        _error(dead_letters) or other,
        f"queue {name}",
        "allow sqs:GetQueueUrl and sqs:GetQueueAttributes on it, or correct CLICKSTREAM_STAGE_DEAD_LETTER_QUEUE",
    )


def _notification(notification: Any, settings: Settings) -> Finding:
    checked = f"bucket {settings.raw_bucket} tells queue {settings.stage_queue}"
    if _error(notification):
        return _AWS.warn(checked, _error(notification), "allow s3:GetBucketNotification to have this looked at")
    tells = any(
        one["QueueArn"].endswith(f":{settings.stage_queue}")
        and any(event.startswith("s3:ObjectCreated:") for event in one["Events"])
        and RAW_PREFIX.startswith(_prefix(one))
        for one in notification.get("QueueConfigurations", [])
    )
    return _AWS.unless(
        "" if tells else f"it does not, for objects created under {RAW_PREFIX}: nothing reaches staging",
        checked,
        "deploy lambdas/template.yaml; another tool may have replaced the bucket's notifications",
    )


def _prefix(configuration: Facts) -> str:
    rules = configuration.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return next((rule["Value"] for rule in rules if rule["Name"].lower() == "prefix"), "")


# ---- Trino -----------------------------------------------------------------------------------------------------------

_TRINO = _Area("trino")


def check_trino(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """What Airflow's connection finds in Trino.

    `facts`: `server` (`version`, `zone`, `skew_seconds`), and unless that is an error `catalogs` (name to connector),
    `schemas` (catalog to names), `properties` (session property to value), `running`, `probe`, `newest` and `seen`
    (paths), `glue_columns` and `columns` (of the staging table).
    """
    server = facts["server"]
    refused = _error(server)
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
        _error(facts["running"]),
        "it shows queries",
        "let the user see and end its own queries (system.runtime.queries, kill_query): a task that is tried again "
        "ends what its earlier try left running",
        Level.WARN,
    )
    yield _TRINO.unless(
        _error(facts["probe"]),
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
    if _error(facts["catalogs"]):
        yield _TRINO.fail("catalogs", _error(facts["catalogs"]), "let the user read system.metadata.catalogs")
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
        missing = "" if _error(found) or schema in found else "it is not there"
        yield _TRINO.unless(
            _error(found) or missing,
            f"schema {catalog}.{schema}",
            "deploy lambdas/template.yaml, which makes the Glue database; let Trino's role and user read it: "
            "docs/existing-trino.md",
        )


def _retention(properties: Facts, settings: Settings) -> Iterator[Finding]:
    """Nothing where the properties were refused: they only confirm."""
    for name in ("expire_snapshots_min_retention", "remove_orphan_files_min_retention"):
        value = properties.get(f"{settings.lake_catalog}.{name}", f"{SHORTEST_RETENTION_DAYS}.00d")
        yield _TRINO.unless(
            f"it is {value}: maintain_tables, told to keep {SHORTEST_RETENTION_DAYS} days, is refused"
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
    """The days of a duration as Trino writes it, such as 7.00d; 0 for what is less than hours."""
    number, unit = duration[:-1], duration[-1]
    return float(number) / {"d": 1, "h": 24}[unit] if unit in "dh" else 0


def _staleness(facts: Facts, settings: Settings) -> Iterator[Finding]:
    checked = "it sees the newest staged objects"
    if _error(facts["seen"]):
        yield _TRINO.warn(checked, _error(facts["seen"]), "trigger load_events once, which makes the table over them")
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


# ---- tables ----------------------------------------------------------------------------------------------------------

_TABLES = _Area("tables")


def check_tables(wanted: Mapping[Name, Sequence[TableColumn]], present: Any) -> Iterator[Finding]:
    """The lake tables against their create.sql. `present`: the columns of each table that is there, or an error."""
    if _error(present):
        yield _TABLES.fail("tables can be seen", _error(present), "mend what is wrong with Trino first")
        return
    for table, columns in wanted.items():
        name = ".".join(table)
        if table not in present:
            yield _TABLES.warn(name, "it is not there yet", "trigger load_events: its task create_tables makes it")
            continue
        yield _table(name, table, columns, present)


def _table(name: str, table: Name, columns: Sequence[TableColumn], present: Any) -> Finding:
    try:
        todo = changes({table: columns}, present)
    except DestructiveChangeError as error:
        return _TABLES.fail(
            name, str(error), "see docs/runbooks/upgrade.md, 'A change is refused'; until then every load fails"
        )
    late = [f"{change.kind.value} {change.column.name}" for change in todo if change.kind is not Kind.COMMENT]
    return _TABLES.unless(
        f"it is of an earlier version: {', '.join(late)}" if late else "",
        name,
        "trigger load_events (model_sessions for tables of sessions): the task create_tables brings it up to date",
        Level.WARN,
    )


def _error(fact: Any) -> str:
    return str(fact["error"]) if isinstance(fact, Mapping) and set(fact) == {"error"} else ""


Check = Callable[[Facts, Settings], Iterator[Finding]]
CHECKS: Mapping[str, Check] = {
    "settings": check_settings,
    "airflow": check_airflow,
    "aws": check_aws,
    "trino": check_trino,
}
