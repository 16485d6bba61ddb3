"""Settings from the environment."""

from dataclasses import fields

import pytest

from clickstream.settings import Settings, SettingsError, load_settings, variable

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
        staging_prefix="staging/",
        staging_database="clickstream_staging",
        lines_database="clickstream_lines",
        lake_database="clickstream",
        work_database="clickstream_work",
        events_database="clickstream_events",
        staging_catalog="staging",
        lake_catalog="lake",
        staging_table="events_staging",
        aws_conn_id="clickstream_aws",
        trino_conn_id="clickstream_trino",
        staging_retention_hours=24,
        expiry_grace_hours=2,
        expiry_max_objects=20_000,
        dedupe_lookback_days=30,
        load_max_objects=2_000,
        typed_load_threads=4,
        raw_bucket="",
        stream="",
        stage_queue="",
        stage_dead_letter_queue="",
        reconcile_after_minutes=15,
        reconcile_max_objects=5_000,
    )


def test_every_setting_can_be_given() -> None:
    given = {
        "STAGING_PREFIX": "in/",
        "STAGING_DATABASE": "a",
        "LINES_DATABASE": "b",
        "LAKE_DATABASE": "c",
        "WORK_DATABASE": "d",
        "STAGING_CATALOG": "e",
        "LAKE_CATALOG": "f",
        "STAGING_TABLE": "g",
        "AWS_CONN_ID": "h",
        "TRINO_CONN_ID": "i",
        "STAGING_RETENTION_HOURS": "48",
        "EXPIRY_GRACE_HOURS": "3",
        "EXPIRY_MAX_OBJECTS": "4",
        "DEDUPE_LOOKBACK_DAYS": "5",
        "LOAD_MAX_OBJECTS": "6",
        "RAW_BUCKET": "j",
        "STREAM": "k",
        "STAGE_QUEUE": "l",
        "STAGE_DEAD_LETTER_QUEUE": "m",
        "RECONCILE_AFTER_MINUTES": "7",
        "RECONCILE_MAX_OBJECTS": "8",
    }

    settings = load_settings(REQUIRED | {f"CLICKSTREAM_{name}": value for name, value in given.items()})

    assert {name: str(getattr(settings, name.lower())) for name in given} == given


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        load_settings({})

    assert [name for name in REQUIRED if name not in str(error.value)] == []
    assert "README" in str(error.value)


@pytest.mark.parametrize("name", REQUIRED)
def test_only_what_is_missing_is_named_and_empty_is_missing(name: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(REQUIRED | {name: ""})

    assert [other for other in REQUIRED if other in str(error.value)] == [name]


@pytest.mark.parametrize("empty", ["CLICKSTREAM_STAGING_PREFIX", "CLICKSTREAM_EXPIRY_MAX_OBJECTS"])
def test_an_empty_variable_means_the_default(empty: str) -> None:
    assert load_settings(REQUIRED | {empty: ""}) == load_settings(REQUIRED)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("staging_prefix", "/"),
        ("staging_prefix", "staging"),
        ("staging_prefix", "/staging/"),
        ("staging_prefix", "_staging/"),
        ("staging_prefix", ".staging/"),
        ("staging_prefix", "a/b/"),
        ("staging_prefix", "staging/\n"),
        ("staging_prefix", "sta ging/"),
        ("staging_prefix", "staging//"),
        ("staging_database", "Clickstream"),
        ("lines_database", 'a"b'),
        ("lake_database", "a.b"),
        ("work_database", "1a"),
        ("events_database", "a-b"),
        ("work_database", "a" * 129),
        ("staging_catalog", "a;b"),
        ("lake_catalog", "a b"),
        ("staging_table", "a\n"),
        ("staging_table", "a'b"),
        ("staging_retention_hours", "0"),
        ("expiry_grace_hours", "-1"),
        ("expiry_max_objects", "many"),
        ("dedupe_lookback_days", "1.5"),
        ("load_max_objects", "0"),
        ("reconcile_after_minutes", "0"),
        ("reconcile_max_objects", "all"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(field: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(REQUIRED | {variable(field): value})

    assert variable(field) in str(error.value)
    assert value.strip() in str(error.value)


# By hand, from what each is for: a week of freshness is what the alarm looks at, 100 is all of a hundred.
NUMBERS = {
    "STAGING_RETENTION_HOURS": (1, 8784), "EXPIRY_GRACE_HOURS": (1, 744), "EXPIRY_MAX_OBJECTS": (1, 200_000),
    "DEDUPE_LOOKBACK_DAYS": (1, 366), "LOAD_MAX_OBJECTS": (1, 20_000), "BACKFILL_MAX_OBJECTS": (1, 20_000),
    "SCHEMA_CHANGES_MAX": (1, 10_000), "TYPED_LOAD_THREADS": (1, 32), "RECONCILE_AFTER_MINUTES": (1, 10_080),
    "RECONCILE_MAX_OBJECTS": (1, 100_000), "ALARM_REPEAT_HOURS": (1, 744), "ALARM_UNLOADED_HOURS": (1, 8784),
    "ALARM_FRESHNESS_HOURS": (1, 168), "ALARM_SILENCE_HOURS": (1, 8784), "ALARM_REJECT_PERCENT": (1, 100),
    "SESSION_IDLE_MINUTES": (1, 1440), "SESSION_LONGEST_HOURS": (1, 168), "SESSION_LATE_DAYS": (1, 366),
    "IDENTITY_MAX_USERS": (1, 10_000), "IDENTITY_MAX_DEVICES": (1, 100_000),
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


def test_an_empty_prefix_is_refused_in_code_too() -> None:
    with pytest.raises(SettingsError, match="CLICKSTREAM_STAGING_PREFIX"):
        Settings(staging_bucket="a", lake_bucket="b", crawler="c", staging_prefix="")


def test_the_staging_location_ends_with_its_slash() -> None:
    assert load_settings(REQUIRED).staging_location == "s3://staging-bucket/staging/"


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CLICKSTREAM_LAKE_DATABASE", "elsewhere")

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
        ("backfill_max_objects", "4000"),
    ],
)
def test_a_value_that_athena_cannot_use_is_named(field: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(ATHENA | {variable(field): value})

    assert variable(field) in str(error.value)
    assert value.strip() in str(error.value)
