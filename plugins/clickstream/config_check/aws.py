"""AWS, as Airflow's role finds it: buckets, Glue, the crawler, queues, the stream."""

import json
from collections.abc import Iterator
from typing import Any

from clickstream.config_check.finding import Area, Facts, Finding, error_of
from clickstream.config_check.settings import DATABASES
from clickstream.settings import Settings, variable
from clickstream.staging.reconcile import RAW_PREFIX

_AWS = Area("aws")
# What the pipeline does in each bucket, for the author of the policy.
_BUCKET_ACTIONS = {
    "raw": "s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject (reconcile_raw, redrive_failed)",
    "staging": "s3:ListBucket, s3:GetObject, s3:DeleteObject",
    "lake": "s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject",
    "archive": "s3:ListBucket, s3:GetObject",
}
# Between the alarm on what is not loaded and S3's deleting it: longer than a team is away.
DAYS_AFTER_ALARM = 14


def check_aws(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """Yield what Airflow's role finds in AWS.

    `facts`: `identity`, and unless that is an error `buckets` (name to `list`, `read`, `write`, each true or an
    error), `lifecycle`, `notification`, `databases`, `crawler`, `tables`, `queue`, `dead_letters`, `stream`.
    """
    refused = error_of(facts["identity"])
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
            error_of(facts["stream"]),
            f"stream {settings.stream}",
            "allow kinesis:DescribeStreamSummary and kinesis:PutRecords on it, or correct CLICKSTREAM_STREAM",
        )


def _buckets(buckets: Facts, settings: Settings) -> Iterator[Finding]:
    for name, tried in buckets.items():
        bucket = getattr(settings, f"{name}_bucket")
        for what, result in tried.items():
            yield _AWS.unless(
                error_of(result),
                f"{what} in bucket {bucket}",
                f"allow Airflow's role {_BUCKET_ACTIONS[name]}; or correct {variable(f'{name}_bucket')}",
            )


def _backstop(rules: Any, settings: Settings) -> Finding:
    checked, hours = "lifecycle rule of the staging folder", settings.staging_retention_hours
    if error_of(rules):
        return _AWS.warn(checked, error_of(rules), "allow s3:GetLifecycleConfiguration to have this checked")
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
    least, alarm = hours + settings.expiry_grace_hours, settings.alarm_unloaded_hours
    gone = f"objects go after {min(days)} days, loaded or not"
    if min(days) * 24 >= max(least, alarm) and min(days) < alarm / 24 + DAYS_AFTER_ALARM:
        return _AWS.warn(
            checked,
            f"{gone}; the alarm unloaded_near_expiry after {alarm} hours leaves less than {DAYS_AFTER_ALARM} days",
            "raise StagingRetentionDays of lambdas/template.yaml",
        )
    return _AWS.unless(
        f"{gone}; expire_staging keeps them for {least} hours" if min(days) * 24 < max(least, alarm) else "",
        checked,
        "raise StagingRetentionDays of lambdas/template.yaml, or lower CLICKSTREAM_STAGING_RETENTION_HOURS",
    )


def _databases(databases: Facts, settings: Settings) -> Iterator[Finding]:
    for name in DATABASES:
        database = getattr(settings, name)
        yield _AWS.unless(
            error_of(databases[database]),
            f"Glue database {database}",
            "deploy lambdas/template.yaml, which makes it; or allow glue:GetDatabase; or correct "
            "CLICKSTREAM_DATABASE_PREFIX",
        )


def _crawler(crawler: Any, settings: Settings) -> Iterator[Finding]:
    checked = f"crawler {settings.crawler}"
    if error_of(crawler):
        yield _AWS.fail(
            checked, error_of(crawler), "allow glue:GetCrawler and glue:StartCrawler, or correct CLICKSTREAM_CRAWLER"
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
    refused = error_of(queue)
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
        error_of(dead_letters) or other,
        f"queue {name}",
        "allow sqs:GetQueueUrl and sqs:GetQueueAttributes on it, or correct CLICKSTREAM_STAGE_DEAD_LETTER_QUEUE",
    )


def _notification(notification: Any, settings: Settings) -> Finding:
    checked = f"bucket {settings.raw_bucket} tells queue {settings.stage_queue}"
    if error_of(notification):
        return _AWS.warn(checked, error_of(notification), "allow s3:GetBucketNotification to have this checked")
    notifies = any(
        one["QueueArn"].endswith(f":{settings.stage_queue}")
        and any(event.startswith("s3:ObjectCreated:") for event in one["Events"])
        and RAW_PREFIX.startswith(_prefix(one))
        for one in notification.get("QueueConfigurations", [])
    )
    return _AWS.unless(
        "" if notifies else f"it does not, for objects created under {RAW_PREFIX}: nothing reaches staging",
        checked,
        "deploy lambdas/template.yaml; another tool may have replaced the bucket's notifications",
    )


def _prefix(configuration: Facts) -> str:
    rules = configuration.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return next((rule["Value"] for rule in rules if rule["Name"].lower() == "prefix"), "")
