"""Settings of `stage_object`, read once from the environment that the template sets."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

ARCHIVE_BY = ("Copy", "Firehose", "None")


class EnvironmentSettingError(ValueError):
    """A setting is missing or would make the function feed itself; the message names the variable and the fix."""


@dataclass(frozen=True)
class Environment:
    """Where objects are read and written. Prefixes end in `/` and do not start with one.

    `archive_by`: `Copy`, `Firehose` or `None`, who writes the archive in `archive_bucket`.
    """

    raw_bucket: str
    raw_prefix: str
    staging_bucket: str
    staging_prefix: str
    archive_by: str = "None"
    archive_bucket: str = ""


def _text(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name, "").strip()
    if not value:
        raise EnvironmentSettingError(f"{name} is not set: the function's environment must name it")
    return value


def _prefix(variables: Mapping[str, str], name: str) -> str:
    value = _text(variables, name)
    if not value.endswith("/") or value.startswith("/"):
        raise EnvironmentSettingError(f"{name} is {value!r}: it must end in '/' but not start with it, as 'staging/'")
    return value


def read_environment(variables: Mapping[str, str]) -> Environment:
    """Check `variables` and return them as an Environment; raises EnvironmentSettingError."""
    archive_by = variables.get("CLICKSTREAM_ARCHIVE_BY", "None")
    if archive_by not in ARCHIVE_BY:
        raise EnvironmentSettingError(f"CLICKSTREAM_ARCHIVE_BY is {archive_by!r}: it must be {' or '.join(ARCHIVE_BY)}")
    read = Environment(
        raw_bucket=_text(variables, "CLICKSTREAM_RAW_BUCKET"),
        raw_prefix=_prefix(variables, "CLICKSTREAM_RAW_PREFIX"),
        staging_bucket=_text(variables, "CLICKSTREAM_STAGING_BUCKET"),
        staging_prefix=_prefix(variables, "CLICKSTREAM_STAGING_PREFIX"),
        archive_by=archive_by,
        archive_bucket="" if archive_by == "None" else _text(variables, "CLICKSTREAM_ARCHIVE_BUCKET"),
    )
    nested = read.raw_prefix.startswith(read.staging_prefix) or read.staging_prefix.startswith(read.raw_prefix)
    if read.raw_bucket == read.staging_bucket and nested:
        raise EnvironmentSettingError(
            f"CLICKSTREAM_STAGING_PREFIX {read.staging_prefix!r} and CLICKSTREAM_RAW_PREFIX {read.raw_prefix!r} overlap"
            f" in bucket {read.raw_bucket!r}: staged objects would trigger the function again"
        )
    return read


@cache
def environment() -> Environment:
    """Return the process's own settings, read on the first call."""
    return read_environment(os.environ)
