"""The settings of one installation, read once from `CLICKSTREAM_*` environment variables."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import ClassVar

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,60}\Z")
_FOLDERS = re.compile(r"([A-Za-z0-9!_.*'()-]+/)+\Z")
_WORKGROUP = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")
_LOCATION = re.compile(r"s3://[a-z0-9][a-z0-9.-]+/([A-Za-z0-9!_.*'()=-]+/)*\Z")

ENGINES = ("trino", "athena")

BOUNDS: Mapping[str, tuple[int, int]] = {
    "staging_retention_hours": (1, 8_784),
    "expiry_grace_hours": (1, 744),
    "dedupe_lookback_days": (1, 366),
    "load_max_objects": (1, 20_000),
    "alarm_repeat_hours": (1, 744),
    "alarm_unloaded_hours": (1, 8_784),
    # The newest event is looked for in a week.
    "alarm_freshness_hours": (1, 168),
    "alarm_silence_hours": (1, 8_784),
    "alarm_reject_percent": (1, 100),
    "session_idle_minutes": (1, 1_440),
    "session_longest_hours": (1, 168),
    "identity_max_users": (1, 10_000),
    "identity_max_devices": (1, 100_000),
}
"""The least and the greatest value of each number: beyond it a run would not end in its time, or see nothing."""


class SettingsError(ValueError):
    """A setting is missing or cannot be used; the message names it and the fix."""


@dataclass(frozen=True)
class Settings:
    """Where things are. Each field is the variable CLICKSTREAM_<FIELD IN UPPER CASE>.

    The first group has no defaults: they are outputs of lambdas/template.yaml. So are those of the second group, which
    only some DAGs need: `require` raises when one is missing. The texts are those of docs/settings.md.
    """

    staging_bucket: str
    """Bucket of the staging folder. Used by: every DAG."""
    lake_bucket: str
    """Bucket of the tables, manifests and copies of quarantined objects. Used by: every DAG."""
    crawler: str
    """Name of the Glue crawler. Used by: `crawl_staging`."""

    raw_bucket: str = ""
    """Bucket that Firehose writes to. Required by `reconcile_raw` and `redrive_failed`; without it, `watch_pipeline`
    and `erase_person` do not look at it. Used by: `erase_person`, `reconcile_raw`, `redrive_failed`,
    `watch_pipeline`."""
    stream: str = ""
    """Name of the Kinesis stream. Required by `redrive_failed`. Used by: `redrive_failed`."""
    stage_queue: str = ""
    """Name of the queue of `stage_object`. Required by `reconcile_raw`. Used by: `reconcile_raw`, `watch_pipeline`."""
    stage_dead_letter_queue: str = ""
    """Name of its dead-letter queue; without it, dead letters raise no alarm. Used by: `reconcile_raw`,
    `watch_pipeline`."""
    archive_bucket: str = ""
    """Bucket of the archive, of Segment's S3 destination or `ArchiveBy`; without it, a backfill reads staging only.
    Used by: `erase_person`, `load_events`, `reconcile_archive`."""

    database_prefix: str = "clickstream"
    """Glue database of the tables, and first part of the names of the other five: `_staging`, `_lines`, `_work`,
    `_events`, `_segment`. Glue's databases are the schemas of Trino. Used by: every DAG."""
    staging_catalog: str = "staging"
    """Trino's catalog of staged objects, with the Hive connector. Used by: every DAG."""
    lake_catalog: str = "lake"
    """Trino's catalog of the tables, with the Iceberg connector. Used by: every DAG."""
    trino_ui: str = ""
    """Base address of Trino for a browser, such as `https://trino.example.com`, for the links of tasks and Airflow's
    menu. Without it, links are as Trino names itself. Used by: every DAG."""
    engine: str = "trino"
    """`trino`, or `athena` (experimental): every statement runs on Amazon Athena, see [athena.md](athena.md).
    Used by: every DAG."""
    athena_workgroup: str = ""
    """Workgroup of engine version 3; required with `athena`. Used by: every DAG."""
    athena_result_location: str = ""
    """Where the results of the workgroup go, such as `s3://bucket/`; required with `athena`. Used by: every DAG."""

    load_max_objects: int = 2_000
    """Maximum number of objects that a scheduled or manual run loads; the next run takes the rest. A run with a range
    may read twice as many (with `athena` the same number), and fails when there are more. Used by: `load_events`."""
    dedupe_lookback_days: int = 30
    """How far back a duplicate is found; each load reads the message ids of that many days. Used by: `load_events`,
    `reconcile_archive`."""
    archive_prefix: str = ""
    """Folder before `segment-logs/` in the archive's bucket, such as `prod/`. Used by: `load_events`,
    `reconcile_archive`."""
    archive_integration: str = "Amazon Kinesis"
    """The live path's destination in `integrations` of a message: a message of Segment's archive that has `false` there
    is not loaded. Used by: `load_events`, `reconcile_archive`."""

    staging_retention_hours: int = 24
    """How long a loaded object stays in staging. Used by: `expire_staging`."""
    expiry_grace_hours: int = 2
    """How much longer it stays; more than the longest query takes. Used by: `expire_staging`."""
    retention: str = ""
    """How long rows of tables are kept, where it differs: comma-separated `<table>=<days>` or `<table>=forever`, such
    as `events=400,sessions=400`. [retention.md](retention.md) has the tables. Used by: `maintain_tables`,
    `watch_pipeline`, `write_status`."""

    notify: str = "log"
    """Where alarms and failed runs are reported, comma-separated: `slack:<connection>`, `email:<address>`,
    `sns:<topic ARN>`; always in the log. Used by: every DAG."""
    alarm_repeat_hours: int = 24
    """After how long an alarm that is still open is reported again. Used by: `watch_pipeline`."""
    alarm_unloaded_hours: int = 12
    """Alarm when a staged object is older than this and not loaded. Used by: `watch_pipeline`."""
    alarm_freshness_hours: int = 3
    """Alarm when the newest event is older than this and something is staged. Used by: `watch_pipeline`."""
    alarm_silence_hours: int = 24
    """Alarm when nothing has arrived for this long: more than the longest usual pause of your senders, less than the
    stream keeps records (72). Used by: `watch_pipeline`."""
    alarm_reject_percent: int = 1
    """Alarm when more than this share of a run's lines is rejected, in percent. Used by: `watch_pipeline`."""

    session_idle_minutes: int = 30
    """The pause that ends a session. After a change, model all time again. Used by: `model_sessions`."""
    session_longest_hours: int = 24
    """The longest session. After a change, model all time again. Used by: `model_sessions`."""
    session_conversion_events: str = ""
    """Events (as in the column `event`) that count as conversions, comma-separated; empty takes those of the tracking
    plan. Used by: `model_sessions`."""
    identity_max_users: int = 5
    """Maximum number of users of a device; one with more is a hub, and joins no ids. Used by: `model_sessions`."""
    identity_max_devices: int = 100
    """Maximum number of devices of a user; one with more is a hub, and joins no ids. Used by: `model_sessions`."""

    # The same in every installation.
    staging_prefix: ClassVar[str] = "staging/"
    archive_hours_prefix: ClassVar[str] = "archive/"
    staging_table: ClassVar[str] = "events_staging"
    aws_conn_id: ClassVar[str] = "clickstream_aws"
    trino_conn_id: ClassVar[str] = "clickstream_trino"
    smtp_conn_id: ClassVar[str] = "clickstream_smtp"
    expiry_max_objects: ClassVar[int] = 20_000
    reconcile_after_minutes: ClassVar[int] = 15
    reconcile_max_objects: ClassVar[int] = 5_000
    schema_changes_max: ClassVar[int] = 500
    typed_load_threads: ClassVar[int] = 4
    session_late_days: ClassVar[int] = 30

    def __post_init__(self) -> None:
        for name in ("database_prefix", "staging_catalog", "lake_catalog"):
            self._check(name, _IDENTIFIER, "lower-case letters, digits and _")
        if self.archive_prefix:
            self._check("archive_prefix", _FOLDERS, "folders with a slash at the end, such as prod/")
        self._check_engine()
        for name, (least, greatest) in BOUNDS.items():
            if not least <= getattr(self, name) <= greatest:
                raise SettingsError(f"{variable(name)}={getattr(self, name)}: must be from {least} to {greatest}")

    def _check_engine(self) -> None:
        if self.engine not in ENGINES:
            raise SettingsError(f"{variable('engine')}={self.engine!r}: must be {' or '.join(ENGINES)}")
        if not self.is_athena:
            return
        missing = [variable(name) for name in _OF_ATHENA if not getattr(self, name)]
        if missing:
            raise SettingsError(
                f"not set: {', '.join(missing)}. {variable('engine')}=athena needs them; docs/athena.md"
            )
        self._check("athena_workgroup", _WORKGROUP, "letters, digits, '.', '_' and '-'")
        self._check("athena_result_location", _LOCATION, "s3://, a bucket and folders, with a slash at the end")
        if self.load_max_objects > ATHENA_MAX_OBJECTS:
            raise SettingsError(
                f"{variable('load_max_objects')}={self.load_max_objects}: must be {ATHENA_MAX_OBJECTS} or less, for a "
                "statement of Athena's has 262,144 bytes at most and names every object"
            )

    @property
    def is_athena(self) -> bool:
        """Whether statements run on Amazon Athena, not on Trino."""
        return self.engine == "athena"

    @property
    def backfill_max_objects(self) -> int:
        """The maximum number of objects that a run with a range reads."""
        return self.load_max_objects if self.is_athena else 2 * self.load_max_objects

    @property
    def staging_database(self) -> str:
        """The Glue database of the crawled table."""
        return f"{self.database_prefix}_staging"

    @property
    def lines_database(self) -> str:
        """The Glue database of staged and archived objects as raw lines."""
        return f"{self.database_prefix}_lines"

    @property
    def lake_database(self) -> str:
        """The Glue database of the lake tables."""
        return self.database_prefix

    @property
    def work_database(self) -> str:
        """The Glue database of the tables that a run makes and drops."""
        return f"{self.database_prefix}_work"

    @property
    def events_database(self) -> str:
        """The Glue database of the tables of single events."""
        return f"{self.database_prefix}_events"

    @property
    def segment_database(self) -> str:
        """The Glue database of the views in Segment's shape."""
        return f"{self.database_prefix}_segment"

    def _check(self, name: str, pattern: re.Pattern[str], wanted: str) -> None:
        if not pattern.match(getattr(self, name)):
            raise SettingsError(f"{variable(name)}={getattr(self, name)!r}: must be {wanted}")

    def require(self, *names: str) -> None:
        """Raise SettingsError, naming every one of these fields that is empty."""
        missing = [variable(name) for name in names if not getattr(self, name)]
        if missing:
            raise _not_set(missing)

    @cached_property
    def archive_root(self) -> str:
        """The archive's folder of sources, with its slash at the end; Segment names it."""
        return f"{self.archive_prefix}segment-logs/"

    @cached_property
    def archive_location(self) -> str:
        """The archive's folder of sources as an S3 address."""
        return f"s3://{self.archive_bucket}/{self.archive_root}"

    @cached_property
    def archive_hours_location(self) -> str:
        """The folder of the hours that the stack archives itself, as an S3 address."""
        return f"s3://{self.archive_bucket}/{self.archive_hours_prefix}"

    @cached_property
    def staging_location(self) -> str:
        """The staging folder as an S3 address, with its slash at the end."""
        return f"s3://{self.staging_bucket}/{self.staging_prefix}"


def variable(field: str) -> str:
    """Return the environment variable of a field of Settings."""
    return f"CLICKSTREAM_{field.upper()}"


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings from the environment.

    Raises SettingsError, naming every variable that is retired or missing, or the first that cannot be used.
    """
    retired = [name for name in RETIRED if environment.get(name)]
    if retired:
        raise _no_longer_settings(retired)
    is_athena = environment.get(variable("engine")) == "athena"
    values: dict[str, str | int] = dict(ATHENA_DEFAULTS) if is_athena else {}
    missing = []
    for field in fields(Settings):
        text = environment.get(variable(field.name), "")
        if text:
            values[field.name] = _number(field.name, text) if field.type is int else text
        elif field.name in _REQUIRED:
            missing.append(variable(field.name))
    if missing:
        raise _not_set(missing)
    return Settings(**values)  # type: ignore[arg-type]


_REQUIRED = ("staging_bucket", "lake_bucket", "crawler")
_OF_ATHENA = ("athena_workgroup", "athena_result_location")

ATHENA_MAX_OBJECTS = 800
# Athena reads Glue as one catalog of this name.
ATHENA_DEFAULTS: dict[str, str | int] = {
    "staging_catalog": "awsdatacatalog",
    "lake_catalog": "awsdatacatalog",
    "load_max_objects": ATHENA_MAX_OBJECTS,
}

# Variables of earlier versions, and what to do with each.
RETIRED = {
    **{
        variable(f"{kind}_database"): f"set {variable('database_prefix')} instead"
        for kind in ("staging", "lines", "lake", "work", "events", "segment")
    },
    variable("backfill_max_objects"): f"set {variable('load_max_objects')} instead, half of it with Trino",
    **{
        variable(name): f"remove it, it is always {getattr(Settings, name)}"
        for name in Settings.__annotations__
        if name not in {field.name for field in fields(Settings)}
    },
}


def _not_set(missing: list[str]) -> SettingsError:
    return SettingsError(
        f"not set: {', '.join(missing)}. They are outputs of lambdas/template.yaml; see docs/settings.md."
    )


def _no_longer_settings(retired: list[str]) -> SettingsError:
    by_advice: dict[str, list[str]] = {}
    for name in retired:
        by_advice.setdefault(RETIRED[name], []).append(name)
    advice = "; ".join(f"{', '.join(names)}: {advice}" for advice, names in by_advice.items())
    return SettingsError(f"no longer settings: {advice}. See docs/settings.md.")


def _number(field: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SettingsError(f"{variable(field)}={text!r}: must be a whole number") from None
