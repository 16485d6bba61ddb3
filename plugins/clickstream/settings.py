"""The settings of one installation, read once from `CLICKSTREAM_*` environment variables."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,127}\Z")
_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9!.*'()-]*/\Z")
_FOLDERS = re.compile(r"([A-Za-z0-9!_.*'()-]+/)+\Z")
_WORKGROUP = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")
_LOCATION = re.compile(r"s3://[a-z0-9][a-z0-9.-]+/([A-Za-z0-9!_.*'()=-]+/)*\Z")

ENGINES = ("trino", "athena")

BOUNDS: Mapping[str, tuple[int, int]] = {
    "staging_retention_hours": (1, 8_784),
    "expiry_grace_hours": (1, 744),
    "expiry_max_objects": (1, 200_000),
    "dedupe_lookback_days": (1, 366),
    "load_max_objects": (1, 20_000),
    "backfill_max_objects": (1, 20_000),
    "schema_changes_max": (1, 10_000),
    "typed_load_threads": (1, 32),
    "reconcile_after_minutes": (1, 10_080),
    "reconcile_max_objects": (1, 100_000),
    "alarm_repeat_hours": (1, 744),
    "alarm_unloaded_hours": (1, 8_784),
    # The newest event is looked for in a week.
    "alarm_freshness_hours": (1, 168),
    "alarm_silence_hours": (1, 8_784),
    "alarm_reject_percent": (1, 100),
    "session_idle_minutes": (1, 1_440),
    "session_longest_hours": (1, 168),
    "session_late_days": (1, 366),
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
    only some DAGs need: `require` tells when one is missing.
    """

    staging_bucket: str
    lake_bucket: str
    crawler: str

    raw_bucket: str = ""
    stream: str = ""
    stage_queue: str = ""
    stage_dead_letter_queue: str = ""
    archive_bucket: str = ""

    engine: str = "trino"
    athena_workgroup: str = ""
    athena_result_location: str = ""
    staging_prefix: str = "staging/"
    archive_prefix: str = ""
    archive_integration: str = "Amazon Kinesis"
    staging_database: str = "clickstream_staging"
    lines_database: str = "clickstream_lines"
    lake_database: str = "clickstream"
    work_database: str = "clickstream_work"
    events_database: str = "clickstream_events"
    segment_database: str = "clickstream_segment"
    staging_catalog: str = "staging"
    lake_catalog: str = "lake"
    staging_table: str = "events_staging"
    aws_conn_id: str = "clickstream_aws"
    trino_conn_id: str = "clickstream_trino"
    staging_retention_hours: int = 24
    expiry_grace_hours: int = 2
    expiry_max_objects: int = 20_000
    dedupe_lookback_days: int = 30
    load_max_objects: int = 2_000
    backfill_max_objects: int = 4_000
    schema_changes_max: int = 500
    typed_load_threads: int = 4
    reconcile_after_minutes: int = 15
    reconcile_max_objects: int = 5_000
    notify: str = "log"
    smtp_conn_id: str = "clickstream_smtp"
    alarm_repeat_hours: int = 24
    alarm_unloaded_hours: int = 12
    alarm_freshness_hours: int = 3
    alarm_silence_hours: int = 24
    alarm_reject_percent: int = 1
    trino_ui: str = ""
    session_idle_minutes: int = 30
    session_longest_hours: int = 24
    session_late_days: int = 30
    session_conversion_events: str = ""
    identity_max_users: int = 5
    identity_max_devices: int = 100

    def __post_init__(self) -> None:
        for name in (
            "staging_database", "lines_database", "lake_database", "work_database", "events_database",
            "segment_database",
        ):  # fmt: skip
            self._check(name, _IDENTIFIER, "lower-case letters, digits and _")
        for name in ("staging_catalog", "lake_catalog", "staging_table"):
            self._check(name, _IDENTIFIER, "lower-case letters, digits and _")
        self._check("staging_prefix", _PREFIX, "one folder name and a slash, such as staging/")
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
        for name in ("load_max_objects", "backfill_max_objects"):
            if getattr(self, name) > ATHENA_MAX_OBJECTS:
                raise SettingsError(
                    f"{variable(name)}={getattr(self, name)}: must be {ATHENA_MAX_OBJECTS} or less, for a statement of "
                    "Athena's has 262,144 bytes at most and names every object"
                )

    @property
    def is_athena(self) -> bool:
        """Whether statements run on Amazon Athena, not on Trino."""
        return self.engine == "athena"

    def _check(self, name: str, pattern: re.Pattern[str], wanted: str) -> None:
        if not pattern.match(getattr(self, name)):
            raise SettingsError(f"{variable(name)}={getattr(self, name)!r}: must be {wanted}")

    def require(self, *names: str) -> None:
        """Raises SettingsError, naming every one of these fields that is empty."""
        missing = [variable(name) for name in names if not getattr(self, name)]
        if missing:
            raise _not_set(missing)

    @cached_property
    def archive_root(self) -> str:
        """The archive's folder of sources, with its slash at the end; Segment gives it its name."""
        return f"{self.archive_prefix}segment-logs/"

    @cached_property
    def archive_location(self) -> str:
        """The archive's folder of sources as an S3 address."""
        return f"s3://{self.archive_bucket}/{self.archive_root}"

    @cached_property
    def staging_location(self) -> str:
        """The staging folder as an S3 address, with its slash at the end."""
        return f"s3://{self.staging_bucket}/{self.staging_prefix}"


def variable(field: str) -> str:
    """The environment variable of a field of Settings."""
    return f"CLICKSTREAM_{field.upper()}"


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the environment.

    Raises SettingsError, naming every variable that is missing, or the first that cannot be used.
    """
    is_athena = environment.get(variable("engine")) == "athena"
    values: dict[str, str | int] = dict(_ATHENA_DEFAULTS) if is_athena else {}
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
_ATHENA_DEFAULTS: dict[str, str | int] = {
    "staging_catalog": "awsdatacatalog",
    "lake_catalog": "awsdatacatalog",
    "load_max_objects": ATHENA_MAX_OBJECTS,
    "backfill_max_objects": ATHENA_MAX_OBJECTS,
}


def _not_set(missing: list[str]) -> SettingsError:
    return SettingsError(
        f"not set: {', '.join(missing)}. They are outputs of lambdas/template.yaml; see README, 'On AWS'."
    )


def _number(field: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SettingsError(f"{variable(field)}={text!r}: must be a whole number") from None
