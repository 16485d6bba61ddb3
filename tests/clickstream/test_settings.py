"""Settings from the environment."""

from dataclasses import fields

import pytest

from clickstream.settings import Settings, SettingsError, load_settings, variable

DATABASES = ("staging", "lines", "lake", "work", "events", "segment")
REQUIRED = {
    "CLICKSTREAM_STAGING_BUCKET": "staging-bucket",
    "CLICKSTREAM_LAKE_BUCKET": "lake-bucket",
    "CLICKSTREAM_CRAWLER": "the-crawler",
}


def test_defaults() -> None:
    assert load_settings(REQUIRED) == Settings(
        staging_bucket="staging-bucket",
        lake_bucket="lake-bucket",
        crawler="the-crawler",
        database_prefix="clickstream",
        staging_catalog="staging",
        lake_catalog="lake",
        staging_retention_hours=24,
        expiry_grace_hours=2,
        dedupe_lookback_days=30,
        load_max_objects=2_000,
        raw_bucket="",
        stream="",
        stage_queue="",
        stage_dead_letter_queue="",
    )


def test_every_setting_can_be_given() -> None:
    given = {
        "DATABASE_PREFIX": "c",
        "STAGING_CATALOG": "e",
        "LAKE_CATALOG": "f",
        "STAGING_RETENTION_HOURS": "48",
        "EXPIRY_GRACE_HOURS": "3",
        "DEDUPE_LOOKBACK_DAYS": "5",
        "LOAD_MAX_OBJECTS": "6",
        "RAW_BUCKET": "j",
        "STREAM": "k",
        "STAGE_QUEUE": "l",
        "STAGE_DEAD_LETTER_QUEUE": "m",
    }

    settings = load_settings(REQUIRED | {f"CLICKSTREAM_{name}": value for name, value in given.items()})

    assert {name: str(getattr(settings, name.lower())) for name in given} == given


def test_one_prefix_names_every_database() -> None:
    settings = load_settings(REQUIRED | {"CLICKSTREAM_DATABASE_PREFIX": "ours"})

    assert {name: getattr(settings, f"{name}_database") for name in DATABASES} == {
        "staging": "ours_staging",
        "lines": "ours_lines",
        "lake": "ours",
        "work": "ours_work",
        "events": "ours_events",
        "segment": "ours_segment",
    }


def test_a_run_with_a_range_may_read_twice_as_many_objects_on_trino() -> None:
    assert load_settings(REQUIRED | {"CLICKSTREAM_LOAD_MAX_OBJECTS": "7"}).backfill_max_objects == 14


# Every variable of earlier versions that is gone, with words of what to do instead.
@pytest.mark.parametrize(
    ("name", "instead"),
    [
        *((f"{name.upper()}_DATABASE", "set CLICKSTREAM_DATABASE_PREFIX instead") for name in DATABASES),
        ("BACKFILL_MAX_OBJECTS", "set CLICKSTREAM_LOAD_MAX_OBJECTS instead"),
        ("STAGING_PREFIX", "always staging/"),
        ("STAGING_TABLE", "always events_staging"),
        ("AWS_CONN_ID", "always clickstream_aws"),
        ("TRINO_CONN_ID", "always clickstream_trino"),
        ("SMTP_CONN_ID", "always clickstream_smtp"),
        ("EXPIRY_MAX_OBJECTS", "always 20000"),
        ("RECONCILE_AFTER_MINUTES", "always 15"),
        ("RECONCILE_MAX_OBJECTS", "always 5000"),
        ("SCHEMA_CHANGES_MAX", "always 500"),
        ("TYPED_LOAD_THREADS", "always 4"),
        ("SESSION_LATE_DAYS", "always 30"),
    ],
)
def test_a_retired_setting_is_refused_by_name_with_what_to_do(name: str, instead: str) -> None:
    with pytest.raises(SettingsError, match=f"no longer settings: CLICKSTREAM_{name}: .*{instead}"):
        load_settings(REQUIRED | {f"CLICKSTREAM_{name}": "whatever"})
    assert load_settings(REQUIRED | {f"CLICKSTREAM_{name}": ""}) == load_settings(REQUIRED)


def test_all_that_are_retired_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        load_settings({"CLICKSTREAM_LAKE_DATABASE": "a", "CLICKSTREAM_AWS_CONN_ID": "b"})

    assert "CLICKSTREAM_LAKE_DATABASE" in str(error.value)
    assert "CLICKSTREAM_AWS_CONN_ID" in str(error.value)


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        load_settings({})

    assert [name for name in REQUIRED if name not in str(error.value)] == []
    assert "docs/settings.md" in str(error.value)


@pytest.mark.parametrize("name", REQUIRED)
def test_only_what_is_missing_is_named_and_empty_is_missing(name: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(REQUIRED | {name: ""})

    assert [other for other in REQUIRED if other in str(error.value)] == [name]


@pytest.mark.parametrize("empty", ["CLICKSTREAM_STAGING_CATALOG", "CLICKSTREAM_LOAD_MAX_OBJECTS"])
def test_an_empty_variable_means_the_default(empty: str) -> None:
    assert load_settings(REQUIRED | {empty: ""}) == load_settings(REQUIRED)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("database_prefix", "Clickstream"),
        ("database_prefix", 'a"b'),
        ("database_prefix", "a.b"),
        ("database_prefix", "1a"),
        ("database_prefix", "a-b"),
        ("database_prefix", "a\n"),
        ("database_prefix", "a" * 62),
        ("staging_catalog", "a;b"),
        ("lake_catalog", "a b"),
        ("archive_prefix", "/"),
        ("archive_prefix", "prod"),
        ("archive_prefix", "/prod/"),
        ("archive_prefix", "prod//"),
        ("archive_prefix", "pr od/"),
        ("staging_retention_hours", "0"),
        ("expiry_grace_hours", "-1"),
        ("dedupe_lookback_days", "1.5"),
        ("load_max_objects", "0"),
        ("load_max_objects", "many"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(field: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(REQUIRED | {variable(field): value})

    assert variable(field) in str(error.value)
    assert value.strip() in str(error.value)


# By hand, from what each is for: a week of freshness is what the alarm looks at, 100 is all of a hundred.
NUMBERS = {
    "STAGING_RETENTION_HOURS": (1, 8784), "EXPIRY_GRACE_HOURS": (1, 744), "DEDUPE_LOOKBACK_DAYS": (1, 366),
    "LOAD_MAX_OBJECTS": (1, 20_000), "ALARM_REPEAT_HOURS": (1, 744), "ALARM_UNLOADED_HOURS": (1, 8784),
    "ALARM_FRESHNESS_HOURS": (1, 168), "ALARM_SILENCE_HOURS": (1, 8784), "ALARM_REJECT_PERCENT": (1, 100),
    "SESSION_IDLE_MINUTES": (1, 1440), "SESSION_LONGEST_HOURS": (1, 168), "IDENTITY_MAX_USERS": (1, 10_000),
    "IDENTITY_MAX_DEVICES": (1, 100_000),
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_taken_to_its_bounds_and_refused_beyond(name: str) -> None:
    least, greatest = NUMBERS[name]
    for value in (least, greatest):
        assert getattr(load_settings(REQUIRED | {f"CLICKSTREAM_{name}": str(value)}), name.lower()) == value
    for value in (least - 1, greatest + 1, -(10**30), 10**30):
        with pytest.raises(SettingsError) as error:
            load_settings(REQUIRED | {f"CLICKSTREAM_{name}": str(value)})
        assert str(error.value) == f"CLICKSTREAM_{name}={value}: must be from {least} to {greatest}"


def test_every_number_has_bounds() -> None:
    assert {field.name.upper() for field in fields(Settings) if field.type is int} == NUMBERS.keys()


def test_the_staging_location_ends_with_its_slash() -> None:
    assert load_settings(REQUIRED).staging_location == "s3://staging-bucket/staging/"


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CLICKSTREAM_DATABASE_PREFIX", "elsewhere")

    assert load_settings().lake_database == "elsewhere"


def test_what_only_some_dags_need_is_asked_for_by_them() -> None:
    settings = load_settings(REQUIRED | {"CLICKSTREAM_STREAM": "the-stream"})

    settings.require("stream", "staging_bucket")
    with pytest.raises(SettingsError, match=r"CLICKSTREAM_RAW_BUCKET, CLICKSTREAM_STAGE_QUEUE\. .*template") as error:
        settings.require("raw_bucket", "stream", "stage_queue")
    assert "CLICKSTREAM_STREAM" not in str(error.value)


ATHENA = REQUIRED | {
    "CLICKSTREAM_ENGINE": "athena",
    "CLICKSTREAM_ATHENA_WORKGROUP": "clickstream",
    "CLICKSTREAM_ATHENA_RESULT_LOCATION": "s3://results/clickstream/",
}


def test_trino_is_the_engine_unless_another_is_asked_for() -> None:
    assert load_settings(REQUIRED).engine == "trino"
    assert not load_settings(REQUIRED).is_athena
    assert load_settings(ATHENA).is_athena


def test_athena_has_one_catalog_and_takes_fewer_objects_at_once() -> None:
    settings = load_settings(ATHENA)

    assert (settings.staging_catalog, settings.lake_catalog) == ("awsdatacatalog", "awsdatacatalog")
    assert (settings.load_max_objects, settings.backfill_max_objects) == (800, 800)
    assert load_settings(ATHENA | {"CLICKSTREAM_LOAD_MAX_OBJECTS": "5"}).load_max_objects == 5


def test_what_athena_needs_is_named_at_once() -> None:
    with pytest.raises(
        SettingsError, match=r"CLICKSTREAM_ATHENA_WORKGROUP, CLICKSTREAM_ATHENA_RESULT_LOCATION\. .*docs/athena\.md"
    ):
        load_settings(REQUIRED | {"CLICKSTREAM_ENGINE": "athena"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("engine", "presto"),
        ("engine", "Athena"),
        ("athena_workgroup", "a b"),
        ("athena_workgroup", "a\n"),
        ("athena_result_location", "results/"),
        ("athena_result_location", "s3://results"),
        ("athena_result_location", "s3://results/a b/"),
        ("load_max_objects", "801"),
    ],
)
def test_a_value_that_athena_cannot_use_is_named(field: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(ATHENA | {variable(field): value})

    assert variable(field) in str(error.value)
    assert value.strip() in str(error.value)
