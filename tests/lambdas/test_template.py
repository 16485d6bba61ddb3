"""The template: valid, outputs what Airflow needs, and keeps the path from feeding itself or leaking."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file  # type: ignore[import-untyped,unused-ignore]

from clickstream.config_check.settings import DATABASES
from clickstream.engine.sql import lake_tables
from clickstream.erase.job import PREFIX
from clickstream.erase.places import ARCHIVE_FAILED_PREFIX, QUARANTINE_PREFIX
from clickstream.load.archive import AROUND
from clickstream.settings import Settings
from clickstream.staging.reconcile import RAW_PREFIX
from clickstream.staging.redrive import FAILED_PREFIX, redriven_key
from clickstream_collector.collector import Tally, metrics_of
from clickstream_collector.delivery import REFUSED_PREFIX, SPILL_PREFIX, object_key
from clickstream_collector.environment import read_environment
from clickstream_stream.environment import ARCHIVE_BY
from clickstream_stream.keys import ARCHIVE_PREFIX, archive_key
from clickstream_stream.newline_transform import lambda_handler
from clickstream_stream.notifications import SPILLED
from local.aws_deploy import TEMPLATE, as_settings, load_template

RESOURCES: dict[str, Any] = load_template(TEMPLATE.read_text(encoding="utf-8"))["Resources"]
PARAMETERS: dict[str, Any] = load_template(TEMPLATE.read_text(encoding="utf-8"))["Parameters"]
CONDITIONS: dict[str, Any] = load_template(TEMPLATE.read_text(encoding="utf-8"))["Conditions"]
OUTPUTS: dict[str, Any] = load_template(TEMPLATE.read_text(encoding="utf-8"))["Outputs"]


def of_type(kind: str) -> dict[str, Any]:
    return {name: resource["Properties"] for name, resource in RESOURCES.items() if resource["Type"] == kind}


def statements(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every policy statement of the resources of this kind, with the resource's name; conditional ones as if made."""
    for name, properties in of_type(kind).items():
        documents = [properties.get("PolicyDocument"), *(p["PolicyDocument"] for p in properties.get("Policies", []))]
        for document in filter(None, documents):
            for statement in document["Statement"]:
                yield name, statement["Fn::If"][1] if "Fn::If" in statement else statement


def test_cfn_lint_has_nothing_to_say() -> None:
    assert lint_file(TEMPLATE) == []


def test_plain_cloudformation_reads_it_too() -> None:
    """CloudFormation supports no YAML aliases: only `sam build` would resolve them."""
    assert re.findall(r"(?m)^[^#'\"]*[:-] [&*]\w+\s*$", TEMPLATE.read_text(encoding="utf-8")) == []


def test_outputs_are_the_settings_of_airflow() -> None:
    assert set(as_settings(dict.fromkeys(OUTPUTS, ""))) == {
        "CLICKSTREAM_RAW_BUCKET",
        "CLICKSTREAM_STAGING_BUCKET",
        "CLICKSTREAM_LAKE_BUCKET",
        "CLICKSTREAM_ARCHIVE_BUCKET",
        "CLICKSTREAM_STREAM",
        "CLICKSTREAM_STAGE_QUEUE",
        "CLICKSTREAM_STAGE_DEAD_LETTER_QUEUE",
        "CLICKSTREAM_CRAWLER",
        "CLICKSTREAM_DATABASE_PREFIX",
    }


def test_roles_are_told_but_are_no_settings() -> None:
    assert {name for name in OUTPUTS if name.endswith("Arn")} == {
        "AirflowPolicyArn", "ErasePolicyArn", "AirflowRoleArn", "TrinoPolicyArn", "TrinoRoleArn", "SegmentRoleArn",
        "AlarmTopicArn",
    }  # fmt: skip
    assert {name for name in OUTPUTS if name.endswith("Url")} == {"CollectorUrl", "CollectorSourcesUrl"}


def test_every_parameter_has_a_default_and_says_what_it_does() -> None:
    assert [name for name, one in PARAMETERS.items() if "Default" not in one or len(one["Description"]) < 20] == []


MANUAL = (TEMPLATE.parents[1] / "docs" / "deploy.md").read_text(encoding="utf-8")


def test_the_manual_has_every_parameter_as_the_template_has_it() -> None:
    """A row that is missing or old: take it from the difference that this test shows."""
    _, _, rest = MANUAL.partition("| parameter | default | meaning |\n| --- | --- | --- |\n")

    def row(name: str, one: dict[str, Any]) -> str:
        default = "none" if one["Default"] == "" else f"`{one['Default']}`"
        return f"| `{name}` | {default} | {one['Description']} |"

    assert rest.partition("\n\n")[0].splitlines() == [row(name, one) for name, one in PARAMETERS.items()]


def test_the_manual_has_every_role_and_alarm() -> None:
    alarms = [one["AlarmName"]["Fn::Sub"] for one in of_type("AWS::CloudWatch::Alarm").values()]

    assert [name for name in of_type("AWS::IAM::Role") if f"| `{name}` |" not in MANUAL] == []
    shown = [name.replace("${ResourcePrefix}", "<prefix>") for name in alarms]
    assert [name for name in shown if f"`{name}`" not in MANUAL] == []


def test_every_parameter_is_used() -> None:
    used = json.dumps(load_template(TEMPLATE.read_text(encoding="utf-8"))).replace('"Parameters"', "")

    for name in PARAMETERS:
        assert f'{{"Ref": "{name}"}}' in used or f"${{{name}}}" in used, name


def notification_prefix() -> str:
    (queue,) = RESOURCES["RawBucket"]["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    assert queue["Event"] == "s3:ObjectCreated:*"
    (rule,) = queue["Filter"]["S3Key"]["Rules"]
    assert rule["Name"] == "prefix"
    return str(rule["Value"])


def test_what_triggers_staging_is_what_firehose_delivers_and_nothing_else() -> None:
    destination = RESOURCES["DeliveryStream"]["Properties"]["ExtendedS3DestinationConfiguration"]
    function = RESOURCES["StageObject"]["Properties"]["Environment"]["Variables"]

    assert destination["Prefix"].startswith(notification_prefix())
    assert destination["ErrorOutputPrefix"].startswith("processing-failed/")
    assert not destination["ErrorOutputPrefix"].startswith(notification_prefix())
    assert function["CLICKSTREAM_RAW_PREFIX"] == notification_prefix()


@pytest.mark.scenario("X28")
def test_staged_objects_cannot_trigger_staging() -> None:
    target = RESOURCES["StageObject"]["Properties"]["Environment"]["Variables"]
    notified = [name for name, bucket in of_type("AWS::S3::Bucket").items() if "NotificationConfiguration" in bucket]

    assert notified == ["RawBucket"]
    assert target["CLICKSTREAM_RAW_BUCKET"] == {"Ref": "RawBucket"}
    assert target["CLICKSTREAM_STAGING_BUCKET"] == {"Ref": "StagingBucket"}


def test_exactly_one_processor_adds_the_newline() -> None:
    destination = RESOURCES["DeliveryStream"]["Properties"]["ExtendedS3DestinationConfiguration"]
    (processor,) = destination["ProcessingConfiguration"]["Processors"]
    condition, one, other = processor["Fn::If"]

    assert (condition, one["Type"], other["Type"]) == ("UsesTransform", "Lambda", "AppendDelimiterToRecord")
    assert other["Parameters"] == [{"ParameterName": "Delimiter", "ParameterValue": "\\n"}]


@pytest.mark.parametrize("name", sorted(of_type("AWS::Serverless::Function")))
def test_function(name: str) -> None:
    function = RESOURCES[name]["Properties"]
    timeout = function["Timeout"]
    source = TEMPLATE.parent / "src"

    if timeout != 10:  # that of the collector, for which its callers wait
        assert PARAMETERS[timeout["Ref"]]["Default"] <= PARAMETERS[timeout["Ref"]]["MaxValue"] <= 900
    assert PARAMETERS[function["MemorySize"]["Ref"]]["Default"] >= 128
    assert RESOURCES[function["LoggingConfig"]["LogGroup"]["Ref"]]["Properties"]["RetentionInDays"]
    module, handler = function["Handler"].rsplit(".", 1)
    assert f"def {handler}(" in (source / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8")


def test_firehose_never_waits_longer_than_it_can_for_the_transform() -> None:
    assert PARAMETERS["TransformTimeoutSeconds"]["MaxValue"] == 300


def test_the_queue_hides_messages_for_six_timeouts_and_keeps_what_fails() -> None:
    queue = RESOURCES["StageQueue"]["Properties"]
    source = RESOURCES["StageObject"]["Properties"]["Events"]["RawObjects"]["Properties"]

    assert queue["VisibilityTimeout"] >= 6 * PARAMETERS["StageTimeoutSeconds"]["Default"]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["StageDeadLetters", "Arn"]}
    assert queue["RedrivePolicy"]["maxReceiveCount"] >= 3
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize("name", sorted(of_type("AWS::S3::Bucket")))
def test_bucket(name: str) -> None:
    bucket = RESOURCES[name]["Properties"]
    rules = bucket["LifecycleConfiguration"]["Rules"]
    policies = [
        one["PolicyDocument"] for one in of_type("AWS::S3::BucketPolicy").values() if one["Bucket"] == {"Ref": name}
    ]

    assert all(bucket["PublicAccessBlockConfiguration"][key] is True for key in (
        "BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets",
    ))  # fmt: skip
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["Fn::If"] == [
        "HasKmsKey",
        {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Ref": "KmsKeyArn"}},
        {"SSEAlgorithm": "AES256"},
    ]
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)
    (policy,) = policies
    (deny,) = [one for one in policy["Statement"] if one["Effect"] == "Deny"]
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert deny["Resource"] == [{"Fn::GetAtt": [name, "Arn"]}, {"Fn::Sub": f"${{{name}.Arn}}/*"}]
    assert RESOURCES[name]["DeletionPolicy"] == RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def expiring(switch: str | None) -> dict[str, list[Any]]:
    """The prefixes that expire, by bucket: those of a rule that is always on, or on by a condition."""
    status: Any = {"Fn::If": [switch, "Enabled", "Disabled"]} if switch else "Enabled"
    return {
        name: prefixes
        for name, bucket in of_type("AWS::S3::Bucket").items()
        if (
            prefixes := [
                rule.get("Prefix", "")
                for rule in bucket["LifecycleConfiguration"]["Rules"]
                if "ExpirationInDays" in rule and rule["Status"] == status
            ]
        )
    }


def test_lifecycle_expires_staged_and_short_lived_objects_and_what_the_team_decides() -> None:
    assert expiring(None) == {
        "RawBucket": ["refused/", redriven_key(REFUSED_PREFIX), redriven_key(FAILED_PREFIX)],
        "StagingBucket": [Settings.staging_prefix],
        "LakeBucket": [{"Fn::Sub": "${DatabasePrefix}_work/"}, PREFIX],
    }
    assert expiring("FailedEnds") == {
        "RawBucket": [FAILED_PREFIX],
        "LakeBucket": [QUARANTINE_PREFIX],
        "ArchiveBucket": [ARCHIVE_FAILED_PREFIX],
    }
    assert expiring("ArchiveEnds") == {"ArchiveBucket": [""]}
    assert PARAMETERS["StagingRetentionDays"]["MinValue"] * 24 > Settings.alarm_unloaded_hours


def test_a_rule_that_is_off_has_a_number_that_s3_takes() -> None:
    for bucket in of_type("AWS::S3::Bucket").values():
        for rule in bucket["LifecycleConfiguration"]["Rules"]:
            days = rule.get("ExpirationInDays", 1)
            if isinstance(days, dict) and "Fn::If" in days:
                switch, given, otherwise = days["Fn::If"]
                assert rule["Status"]["Fn::If"][0] == switch
                assert PARAMETERS[given["Ref"]]["MinValue"] == 0 < otherwise


def test_rows_of_the_table_quarantine_stay_as_long_as_the_copies_that_they_name() -> None:
    assert lake_tables()["quarantine"].retention.days == PARAMETERS["FailedRetentionDays"]["Default"]


@pytest.mark.promise("P4")
def test_no_rule_reaches_what_waits_in_raw() -> None:
    rules = of_type("AWS::S3::Bucket")["RawBucket"]["LifecycleConfiguration"]["Rules"]
    prefixes = [rule["Prefix"] for rule in rules if "ExpirationInDays" in rule]

    assert all(prefixes)
    assert not any(RAW_PREFIX.startswith(prefix) for prefix in prefixes)


@pytest.mark.promise("P4")
def test_what_is_not_loaded_stays_two_weeks_after_the_alarm() -> None:
    """As long as SQS keeps a message, its longest: no part of the path forgets sooner that something was to be done."""
    left = timedelta(days=PARAMETERS["StagingRetentionDays"]["Default"]) - timedelta(
        hours=Settings.alarm_unloaded_hours
    )

    assert left >= timedelta(seconds=RESOURCES["StageQueue"]["Properties"]["MessageRetentionPeriod"])
    assert RESOURCES["StageQueue"]["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_the_manuals_say_when_staged_objects_go_as_the_template_does() -> None:
    root = TEMPLATE.parents[1]
    pages = [root / "README.md", *(root / "docs").rglob("*.md")]
    said = {
        str(path): re.findall(r"`StagingRetentionDays` \((\d+)\)", path.read_text(encoding="utf-8")) for path in pages
    }
    figures = {figure for found in said.values() for figure in found}

    assert figures == {str(PARAMETERS["StagingRetentionDays"]["Default"])}


ENCRYPTED_ONLY = {
    "AWS::S3::Bucket": ("AWS::S3::BucketPolicy", "Bucket", "s3:*"),
    "AWS::SQS::Queue": ("AWS::SQS::QueuePolicy", "Queues", "sqs:*"),
    "AWS::SNS::Topic": ("AWS::SNS::TopicPolicy", "Topics", "sns:Publish"),
}
"""What answers to plain HTTP unless a policy denies it, of all that the template makes; how its policy names it."""


@pytest.mark.parametrize(
    ("template", "name"),
    [
        (path.name, name)
        for path in sorted(TEMPLATE.parent.glob("*.yaml"))
        for name, one in load_template(path.read_text(encoding="utf-8"))["Resources"].items()
        if one["Type"] in ENCRYPTED_ONLY
    ],
)
def test_plain_http_is_denied(template: str, name: str) -> None:
    resources = load_template((TEMPLATE.parent / template).read_text(encoding="utf-8"))["Resources"]
    kind, holder, action = ENCRYPTED_ONLY[resources[name]["Type"]]
    (policy,) = [
        one["Properties"]["PolicyDocument"]
        for one in resources.values()
        if one["Type"] == kind and one["Properties"][holder] in ({"Ref": name}, [{"Ref": name}])
    ]
    (deny,) = [one for one in policy["Statement"] if one["Effect"] == "Deny"]
    named = json.dumps(deny["Resource"])

    assert (deny["Principal"], deny["Action"]) == ("*", action)
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert f'["{name}", "Arn"]' in named or f'{{"Ref": "{name}"}}' in named


@pytest.mark.parametrize("kind", ["AWS::IAM::Role", "AWS::IAM::ManagedPolicy"])
def test_roles_allow_no_wildcard_actions_or_resources(kind: str) -> None:
    for role, statement in statements(kind):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in actions if "*" in action], role
        # X-Ray's two actions know no resource.
        assert statement["Resource"] != "*" or {action.partition(":")[0] for action in actions} == {"xray"}, role


@pytest.mark.parametrize("who", ["Airflow", "Trino"])
def test_only_those_told_may_assume_the_role_of(who: str) -> None:
    role = RESOURCES[f"{who}Role"]
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    assert role["Condition"] == f"Has{who}Role"
    own = [{"Ref": f"{who}Policy"}, *([{"Ref": "ErasePolicy"}] if who == "Airflow" else [])]
    assert role["Properties"]["ManagedPolicyArns"] == own
    assert trust["Principal"] == {"AWS": {"Ref": f"{who}PrincipalArns"}}
    assert trust["Condition"]["Fn::If"] == [
        f"Has{who}ExternalId",
        {"StringEquals": {"sts:ExternalId": {"Ref": f"{who}ExternalId"}}},
        {"Ref": "AWS::NoValue"},
    ]


def test_segment_writes_with_an_external_id_and_does_nothing_else() -> None:
    role = RESOURCES["SegmentRole"]
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    allowed = [statement for name, statement in statements("AWS::IAM::Role") if name == "SegmentRole"]

    assert role["Condition"] == "HasSegmentRole"
    assert PARAMETERS["SegmentPrincipalArn"]["Default"] == "arn:aws:iam::595280932656:root"
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": {"Ref": "SegmentExternalIds"}}}
    assert [one["Action"] for one in allowed] == [["kinesis:PutRecord", "kinesis:PutRecords"], "kms:GenerateDataKey"]


def test_your_own_key_is_used_by_whoever_reads_or_writes_what_it_encrypts() -> None:
    using = {
        name
        for kind in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy")
        for name, statement in statements(kind)
        if statement["Resource"] == {"Ref": "KmsKeyArn"}
    }

    assert using == {
        "SegmentRole", "CollectorRole", "DeliveryRole", "ArchiveDeliveryRole", "StageRole", "CrawlerRole",
        "AirflowPolicy", "TrinoPolicy",
    }  # fmt: skip


def test_the_alarm_on_refused_records_looks_at_what_the_function_logs(capsys: pytest.CaptureFixture[str]) -> None:
    lambda_handler({"records": [{"recordId": "1", "data": ""}]}, None)
    line = json.loads(capsys.readouterr().out)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    alarm = RESOURCES["RefusedRecordsAlarm"]["Properties"]

    assert line[alarm["MetricName"]] == 1
    assert alarm["MetricName"] in [metric["Name"] for metric in directive["Metrics"]]
    assert alarm["Namespace"] == directive["Namespace"]
    assert [[dimension["Name"] for dimension in alarm["Dimensions"]]] == directive["Dimensions"]
    named = RESOURCES["NewlineTransform"]["Properties"]["FunctionName"]
    assert [dimension["Value"] for dimension in alarm["Dimensions"]] == [named]


def test_only_the_raw_bucket_of_this_account_may_send_to_the_queue() -> None:
    (allow,) = [one for _, one in statements("AWS::SQS::QueuePolicy") if one["Effect"] == "Allow"]

    assert allow["Principal"] == {"Service": "s3.amazonaws.com"}
    assert allow["Action"] == "sqs:SendMessage"
    assert allow["Condition"] == {
        "ArnEquals": {
            "aws:SourceArn": {"Fn::Sub": "arn:${AWS::Partition}:s3:::${ResourcePrefix}-raw-${AWS::AccountId}"}
        },
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
    }
    assert RESOURCES["RawBucket"]["Properties"]["BucketName"] == {"Fn::Sub": "${ResourcePrefix}-raw-${AWS::AccountId}"}


def test_crawler_makes_one_table_of_the_staging_folder_and_leaves_its_types_alone() -> None:
    crawler = RESOURCES["Crawler"]["Properties"]
    configuration = json.loads(crawler["Configuration"])
    (target,) = crawler["Targets"]["S3Targets"]
    bucket_level = 1

    assert target["Path"] == {"Fn::Sub": f"s3://${{StagingBucket}}/{Settings.staging_prefix}"}
    assert configuration["Grouping"] == {
        "TableGroupingPolicy": "CombineCompatibleSchemas",
        "TableLevelConfiguration": bucket_level + Settings.staging_prefix.count("/"),
    }
    assert configuration["CrawlerOutput"] == {"Tables": {"AddOrUpdateBehavior": "MergeNewColumns"}}
    assert crawler["SchemaChangePolicy"] == {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"}
    assert f"{crawler['TablePrefix']}{Settings.staging_prefix.rstrip('/')}" == Settings.staging_table


def test_glue_databases() -> None:
    databases = {
        one["DatabaseInput"]["Name"].get("Fn::Sub", "${DatabasePrefix}"): one["DatabaseInput"]
        for one in of_type("AWS::Glue::Database").values()
    }
    settings = Settings(staging_bucket="a", lake_bucket="b", crawler="c", database_prefix="p")

    assert {name.replace("${DatabasePrefix}", "p") for name in databases} == {
        getattr(settings, name) for name in DATABASES
    }
    assert {name: one.get("LocationUri", {}).get("Fn::Sub") for name, one in databases.items()} == {
        "${DatabasePrefix}_staging": None,
        "${DatabasePrefix}_lines": None,
        "${DatabasePrefix}": "s3://${LakeBucket}/${DatabasePrefix}",
        "${DatabasePrefix}_work": "s3://${LakeBucket}/${DatabasePrefix}_work",
        "${DatabasePrefix}_segment": "s3://${LakeBucket}/${DatabasePrefix}_segment",
        "${DatabasePrefix}_events": "s3://${LakeBucket}/${DatabasePrefix}_events",
    }


@pytest.mark.scenario("X35")
def test_alarms_watch_what_loses_or_delays_events() -> None:
    alarms = of_type("AWS::CloudWatch::Alarm")
    watched = {
        (one["MetricName"], str(one["Dimensions"][0]["Value"])) for one in alarms.values() if "MetricName" in one
    }

    assert watched >= {
        ("ApproximateNumberOfMessagesVisible", "{'Fn::GetAtt': ['StageDeadLetters', 'QueueName']}"),
        ("ApproximateAgeOfOldestMessage", "{'Fn::GetAtt': ['StageQueue', 'QueueName']}"),
        ("KinesisMillisBehindLatest", "{'Ref': 'DeliveryStream'}"),
        ("DeliveryToS3.DataFreshness", "{'Ref': 'DeliveryStream'}"),
        ("DeliveryToS3.Records", "{'Ref': 'DeliveryStream'}"),
        ("Errors", "{'Ref': 'StageObject'}"),
    }
    missing = {name: one["TreatMissingData"] for name, one in alarms.items()}
    assert missing == dict.fromkeys(alarms, "notBreaching") | {"SilenceAlarm": "breaching"}


def test_a_message_may_wait_for_its_second_try_before_an_alarm() -> None:
    queue, alarm = RESOURCES["StageQueue"]["Properties"], RESOURCES["StageAgeAlarm"]["Properties"]

    assert alarm["Threshold"] == 2 * queue["VisibilityTimeout"]


@pytest.mark.scenario("X35")
def test_silence_alarms_by_default_within_what_cloudwatch_and_the_stream_remember() -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html: seven days at most."""
    alarm, hours = RESOURCES["SilenceAlarm"]["Properties"], PARAMETERS["SilenceAlarmHours"]

    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (3_600, {"Ref": "SilenceAlarmHours"})
    assert hours["MaxValue"] * alarm["Period"] <= 604_800
    assert 0 < hours["Default"] < PARAMETERS["StreamRetentionHours"]["Default"]
    assert hours["Default"] == Settings.alarm_silence_hours
    assert (RESOURCES["SilenceAlarm"]["Condition"], hours["MinValue"]) == ("HasSilenceAlarm", 0)


def shown_metrics(*, with_collector: bool) -> set[tuple[str, str]]:
    body, more = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    condition, widgets, nothing = more["CollectorWidgets"]["Fn::If"]
    assert (condition, nothing) == ("HasCollector", "")
    body = body.replace("${CollectorWidgets}", widgets["Fn::Sub"] if with_collector else nothing)
    body = re.sub(r"\$\{[\w:.]+\}", "name", body)
    return {tuple(metric[:2]) for widget in json.loads(body)["widgets"] for metric in widget["properties"]["metrics"]}


def test_the_dashboard_shows_the_path_up_to_staging() -> None:
    assert shown_metrics(with_collector=False) == {
        ("AWS/Kinesis", "IncomingRecords"),
        ("AWS/Firehose", "DeliveryToS3.Records"),
        ("AWS/Firehose", "DeliveryToS3.DataFreshness"),
        ("AWS/Lambda", "Errors"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("Clickstream", "RefusedRecords"),
    }


class TestCollector:
    """Off by default; what it may do is what it does."""

    def test_off_is_the_default_and_makes_nothing(self) -> None:
        on = {"HasCollector", "HasFunctionUrl", "HasHttpApi"}

        assert PARAMETERS["Collector"]["Default"] == "Off"
        assert CONDITIONS["HasCollector"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "Collector"}, "Off"]}]}
        made = {name for name, one in RESOURCES.items() if one.get("Condition") in on}
        assert made == {name for name in RESOURCES if name.startswith("Collector")}
        assert {name for name, one in OUTPUTS.items() if one.get("Condition") in on} == {
            "CollectorUrl", "CollectorSourcesUrl",
        }  # fmt: skip

    def test_each_front_calls_it_in_its_own_way(self) -> None:
        fronts = {name: one["Condition"] for name, one in RESOURCES.items() if name.startswith("Collector")}
        allowed = {name: (one["Principal"], one["Action"]) for name, one in of_type("AWS::Lambda::Permission").items()}

        assert CONDITIONS["HasFunctionUrl"] == {"Fn::Equals": [{"Ref": "Collector"}, "FunctionUrl"]}
        assert CONDITIONS["HasHttpApi"] == {"Fn::Equals": [{"Ref": "Collector"}, "HttpApi"]}
        assert allowed == {
            "CollectorUrlPermission": ("*", "lambda:InvokeFunctionUrl"),
            "CollectorInvokePermission": ("*", "lambda:InvokeFunction"),
            "CollectorApiPermission": ("apigateway.amazonaws.com", "lambda:InvokeFunction"),
        }
        assert RESOURCES["CollectorInvokePermission"]["Properties"]["InvokedViaFunctionUrl"] is True
        assert {fronts[name] for name in ("CollectorUrlPermission", "CollectorInvokePermission")} == {"HasFunctionUrl"}
        assert fronts["CollectorApiPermission"] == "HasHttpApi"
        # A front of its own would answer a preflight before the function, which knows each source's pages.
        assert "Cors" not in RESOURCES["CollectorFunctionUrl"]["Properties"]
        assert "CorsConfiguration" not in RESOURCES["CollectorApi"]["Properties"]
        assert RESOURCES["CollectorIntegration"]["Properties"]["PayloadFormatVersion"] == "2.0"

    def test_it_has_the_settings_that_it_reads(self) -> None:
        given = RESOURCES["CollectorFunction"]["Properties"]["Environment"]["Variables"]
        read = read_environment({name: name for name in given})

        assert set(given) == {value.removeprefix("/") for value in vars(read).values()}
        pattern = PARAMETERS["CollectorPathPrefix"]["AllowedPattern"]
        taken = {path for path in ("", "in", "/in", "/a/b", "/", "a/", "a b") if re.fullmatch(pattern, path)}
        assert taken == {"", "in", "/in", "/a/b"}

    def test_it_may_do_what_it_does_and_nothing_else(self) -> None:
        at = datetime(2026, 11, 28, 12, tzinfo=UTC)
        may = {
            one["Sid"]: (one["Action"], one["Resource"])
            for name, one in statements("AWS::IAM::Role")
            if name == "CollectorRole"
        }
        sources = RESOURCES["CollectorFunction"]["Properties"]["Environment"]["Variables"]["CLICKSTREAM_SOURCES_KEY"]

        assert may == {
            "WriteOwnLogs": (["logs:CreateLogStream", "logs:PutLogEvents"], {"Fn::GetAtt": ["CollectorLogs", "Arn"]}),
            "PutEvents": ("kinesis:PutRecords", {"Fn::GetAtt": ["Stream", "Arn"]}),
            "KeepWhatTheStreamDidNotTake": ("s3:PutObject", {"Fn::Sub": "${RawBucket.Arn}/raw/*/collector-*"}),
            "KeepWhatIsRefused": ("s3:PutObject", {"Fn::Sub": "${RawBucket.Arn}/refused/*/collector-*"}),
            "ReadSources": ("s3:GetObject", {"Fn::Sub": f"${{RawBucket.Arn}}/{sources}"}),
            "UseKey": (["kms:Decrypt", "kms:GenerateDataKey"], {"Ref": "KmsKeyArn"}),
            "SendTraces": (["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*"),
        }
        for prefix, statement in ((SPILL_PREFIX, "KeepWhatTheStreamDidNotTake"), (REFUSED_PREFIX, "KeepWhatIsRefused")):
            pattern = may[statement][1]["Fn::Sub"].removeprefix("${RawBucket.Arn}/")
            assert fnmatchcase(object_key(prefix, at, "id", ".gz"), pattern)

    def test_alarms_and_dashboard_look_at_what_it_logs(self) -> None:
        told = set(metrics_of(Tally(1, 1, 1, 1, 1, 1, key_state="retiring", code="a"))) | {"UnreadSources"}
        told |= set(metrics_of(Tally(code="a", has_failed=True)))
        alarms = {name: one for name, one in of_type("AWS::CloudWatch::Alarm").items() if name.startswith("Collector")}
        share = [one["MetricStat"]["Metric"] for one in alarms["CollectorRefusedAlarm"]["Metrics"][1:]]
        watched = [*share, *(one for one in alarms.values() if "MetricName" in one)]
        named = RESOURCES["CollectorFunction"]["Properties"]["FunctionName"]

        assert {one["MetricName"] for one in watched} == {
            "Errors", "Throttles", "FailedRequests", "SpilledMessages", "UnkeptMessages", "UnreadSources",
            "RefusedMessages", "ReceivedMessages",
        }  # fmt: skip
        assert all(one["Dimensions"] == [{"Name": "FunctionName", "Value": named}] for one in watched)
        own = {one["MetricName"] for one in watched if one["Namespace"] == "Clickstream"}
        shown = shown_metrics(with_collector=True) - shown_metrics(with_collector=False)
        assert own | {name for namespace, name in shown if namespace == "Clickstream"} <= told

    def test_the_share_of_refused_events_is_that_of_an_hour(self) -> None:
        alarm = RESOURCES["CollectorRefusedAlarm"]["Properties"]
        share, *parts = alarm["Metrics"]

        assert (share["Expression"], alarm["Threshold"]) == ("IF(refused > 10, 100 * refused / received, 0)", 1)
        assert [part["Id"] for part in parts if part["ReturnData"] is False] == ["refused", "received"]
        assert {(part["MetricStat"]["Stat"], part["MetricStat"]["Period"]) for part in parts} == {("Sum", 3600)}


class TestArchive:
    """By default nobody writes it; what may be written is what the reader reads."""

    def test_none_is_the_default_and_makes_nothing(self) -> None:
        made = {name for name, one in RESOURCES.items() if one.get("Condition") == "ArchivesByFirehose"}

        assert (PARAMETERS["ArchiveBy"]["Default"], set(PARAMETERS["ArchiveBy"]["AllowedValues"])) == (
            "None", set(ARCHIVE_BY),
        )  # fmt: skip
        assert [CONDITIONS[f"ArchivesBy{who}"] for who in ("Copy", "Firehose")] == [
            {"Fn::Equals": [{"Ref": "ArchiveBy"}, who]} for who in ("Copy", "Firehose")
        ]
        assert CONDITIONS["Archives"] == {
            "Fn::Or": [{"Condition": "ArchivesByCopy"}, {"Condition": "ArchivesByFirehose"}]
        }
        assert made == {name for name in RESOURCES if name.startswith(("ArchiveDelivery", "ArchiveFreshness"))}
        given = RESOURCES["StageObject"]["Properties"]["Environment"]["Variables"]
        assert {name: one["Fn::If"][0] for name, one in given.items() if "Fn::If" in one} == {
            "CLICKSTREAM_ARCHIVE_BY": "Archives", "CLICKSTREAM_ARCHIVE_BUCKET": "Archives",
        }  # fmt: skip
        (kept,) = (
            one
            for one in RESOURCES["StageRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
            if one.get("Fn::If", [""])[0] == "Archives"
        )
        assert kept["Fn::If"][2] == {"Ref": "AWS::NoValue"}

    def test_firehose_writes_the_folders_that_are_read_and_runs_no_function(self) -> None:
        destination = RESOURCES["ArchiveDeliveryStream"]["Properties"]["ExtendedS3DestinationConfiguration"]
        (processor,) = destination["ProcessingConfiguration"]["Processors"]
        raw = RESOURCES["DeliveryStream"]["Properties"]["ExtendedS3DestinationConfiguration"]

        assert destination["Prefix"] == ARCHIVE_PREFIX + raw["Prefix"].removeprefix(notification_prefix())
        assert processor == raw["ProcessingConfiguration"]["Processors"][0]["Fn::If"][2]
        assert destination["CompressionFormat"] == "GZIP"
        longest = timedelta(seconds=destination["BufferingHints"]["IntervalInSeconds"])
        assert timedelta(seconds=RESOURCES["ArchiveFreshnessAlarm"]["Properties"]["Threshold"]) >= 2 * longest

    def test_an_object_holds_no_more_than_the_reader_thinks(self) -> None:
        """Named after its oldest event, it has what came until both buffers were flushed."""
        buffers = ("BufferIntervalSeconds", "TransformBufferIntervalSeconds")

        assert timedelta(seconds=sum(PARAMETERS[name]["MaxValue"] for name in buffers)) < AROUND

    def test_the_role_of_the_stage_function_writes_what_the_function_does(self) -> None:
        (sub,) = (
            one["Resource"]["Fn::Sub"] for name, one in statements("AWS::IAM::Role")
            if (name, one.get("Sid")) == ("StageRole", "KeepInArchive")
        )  # fmt: skip
        text, names = sub
        _, copied, spilled = names["Names"]["Fn::If"]
        at = datetime(2026, 11, 28, 12, tzinfo=UTC)
        of_firehose = "raw/2026/11/28/12/clickstream-events-1-2026-11-28-12-00-00-u.gz"
        of_collector = object_key(SPILL_PREFIX, at, "id", ".gz")

        def may(source: str, pattern: str) -> bool:
            _, _, inside = text.replace("${Names}", pattern).partition("${Bucket}/")
            return fnmatchcase(archive_key("2026-11-28T13:00:00Z", source), inside)

        assert names["Names"]["Fn::If"][0] == "ArchivesByCopy"
        assert [may(of_firehose, copied), may(of_collector, copied), may("raw/a", copied)] == [True] * 3
        assert [may(of_firehose, spilled), may(of_collector, spilled), may("raw/a", spilled)] == [False, True, False]
        assert of_collector.rpartition("/")[2].startswith(SPILLED)


def test_names_that_others_rely_on() -> None:
    defaults = {name: str(one["Default"]) for name, one in PARAMETERS.items()} | {"AWS::AccountId": "000000000000"}

    def name(resource: str, *path: str) -> str:
        value: Any = RESOURCES[resource]["Properties"]
        for part in path:
            value = value[part]
        return re.sub(r"\$\{([\w:]+)\}", lambda match: defaults[match[1]], value["Fn::Sub"])

    assert name("Stream", "Name") == "clickstream-events"
    assert name("DeliveryStream", "DeliveryStreamName") == "clickstream-events"
    assert name("ArchiveDeliveryStream", "DeliveryStreamName") == "clickstream-archive"
    assert name("NewlineTransform", "FunctionName") == "clickstream-newline-transform"
    assert name("StageObject", "FunctionName") == "clickstream-stage-object"
    assert name("StageQueue", "QueueName") == "clickstream-stage-object"
    assert name("StageDeadLetters", "QueueName") == "clickstream-stage-object-dlq"
    assert name("CollectorFunction", "FunctionName") == "clickstream-collector"
    assert name("Crawler", "Name") == "clickstream-staging"
    for bucket in ("raw", "staging", "lake", "archive"):
        assert name(f"{bucket.title()}Bucket", "BucketName") == f"clickstream-{bucket}-000000000000"


def test_source_folder_holds_only_the_packages() -> None:
    assert {path.name for path in Path(TEMPLATE.parent / "src").iterdir() if path.name != "__pycache__"} == {
        "clickstream_collector",
        "clickstream_stream",
    }
