"""Settings of the collector, read once from the environment that the template sets."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from clickstream_stream.environment import EnvironmentSettingError


@dataclass(frozen=True)
class Environment:
    """Where events go, and where the sources are. `path_prefix` begins with `/` or is empty; `front_secret` may be."""

    stream: str
    raw_bucket: str
    sources_bucket: str
    sources_key: str
    path_prefix: str
    front_secret: str


def read_environment(variables: Mapping[str, str]) -> Environment:
    """Check `variables` and return them as an Environment; raises EnvironmentSettingError."""

    def text(name: str) -> str:
        value = variables.get(name, "").strip()
        if not value:
            raise EnvironmentSettingError(f"{name} is not set: the function's environment must name it")
        return value

    prefix = variables.get("CLICKSTREAM_COLLECTOR_PATH_PREFIX", "").strip().strip("/")
    return Environment(
        stream=text("CLICKSTREAM_STREAM"),
        raw_bucket=text("CLICKSTREAM_RAW_BUCKET"),
        sources_bucket=text("CLICKSTREAM_SOURCES_BUCKET"),
        sources_key=text("CLICKSTREAM_SOURCES_KEY"),
        path_prefix=f"/{prefix}" if prefix else "",
        front_secret=variables.get("CLICKSTREAM_COLLECTOR_FRONT_SECRET", ""),
    )


@cache
def environment() -> Environment:
    """Return the process's own settings, read on the first call."""
    return read_environment(os.environ)
