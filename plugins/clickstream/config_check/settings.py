"""The settings: what is missing, used twice or misspelt."""

import difflib
from collections.abc import Iterator
from dataclasses import fields

from clickstream.config_check.finding import Area, Facts, Finding, Level
from clickstream.engine.retention import read_retention
from clickstream.settings import Settings, SettingsError, variable
from clickstream.watch.notify import read_destinations

DATABASES = (
    "staging_database", "lines_database", "lake_database", "work_database", "events_database", "segment_database",
)  # fmt: skip

_SETTINGS = Area("settings")
_WITHOUT = {
    "raw_bucket": "reconcile_raw and redrive_failed fail, a lost S3 event stays lost, and no alarm is on raw/",
    "stage_queue": "reconcile_raw fails, and a lost S3 event stays lost",
    "stage_dead_letter_queue": "no alarm names objects that stage_object gave up on",
    "stream": "redrive_failed fails: refused records cannot be sent again",
    "archive_bucket": "a backfill reads staging only, which holds a day",
}


def check_settings(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """Check the settings. `facts`: `environment`, the names of the CLICKSTREAM_* variables that are set."""
    for name, consequence in _WITHOUT.items():
        yield _SETTINGS.unless(
            "" if getattr(settings, name) else f"not set: {consequence}",
            variable(name),
            f"set it to the output {_output(name)} of the stack of lambdas/template.yaml, or leave it if you do "
            "without that",
            Level.WARN,
        )
    yield _SETTINGS.unless(
        "both catalogs are one" if settings.staging_catalog == settings.lake_catalog and not settings.is_athena else "",
        "the catalogs of Trino are two",
        "staging is read by the Hive connector, the lake by Iceberg's: set CLICKSTREAM_STAGING_CATALOG and "
        "CLICKSTREAM_LAKE_CATALOG",
    )
    yield _SETTINGS.unless(
        refusal(settings.notify), "CLICKSTREAM_NOTIFY", "see docs/alarms.md, 'Destinations', for its entries"
    )
    yield _SETTINGS.unless(
        _refused_retention(settings), variable("retention"), "write it as docs/retention.md says, or leave it empty"
    )
    known = {variable(field.name) for field in fields(Settings)}
    for name in sorted(set(facts["environment"]) - known):
        for meant in difflib.get_close_matches(name, known, n=1, cutoff=0.9):
            yield _SETTINGS.warn(name, "no setting has this name, so it does nothing", f"did you mean {meant}?")


def unusable(error: SettingsError) -> Finding:
    """Return the finding when there are no settings to check."""
    return _SETTINGS.fail(
        "settings can be read", str(error), "correct what is named, where Airflow's workers get their environment"
    )


def _output(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def refusal(notify: str) -> str:
    """Return why CLICKSTREAM_NOTIFY cannot be read; '' when it can."""
    try:
        read_destinations(notify)
    except SettingsError as error:
        return str(error)
    return ""


def _refused_retention(settings: Settings) -> str:
    try:
        read_retention(settings)
    except SettingsError as error:
        return str(error)
    return ""
