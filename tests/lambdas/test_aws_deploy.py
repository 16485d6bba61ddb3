"""The local deployment: reproducible package, CloudFormation's YAML, and errors that name the resource."""

import io
import os
import shutil
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import aws_deploy


def test_package_is_the_same_bytes_wherever_and_whenever_it_is_built(tmp_path: Path) -> None:
    shutil.copytree(aws_deploy.SOURCE, tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__"))
    for index, path in enumerate(sorted((tmp_path / "copy").rglob("*.py"), reverse=True)):
        os.utime(path, (index * 1e6, index * 1e6))
        path.chmod(0o755)
    (tmp_path / "copy" / "clickstream_stream" / "__pycache__").mkdir()
    (tmp_path / "copy" / "clickstream_stream" / "__pycache__" / "keys.pyc").write_bytes(b"x")

    package = aws_deploy.build_zip(aws_deploy.SOURCE)

    assert package == aws_deploy.build_zip(tmp_path / "copy")
    names = zipfile.ZipFile(io.BytesIO(package)).namelist()
    assert names == sorted(names)
    assert {"clickstream_stream/newline_transform.py", "clickstream_stream/stage_object.py"} <= set(names)
    assert len(package) < 60_000


def test_short_tags_become_functions() -> None:
    text = """
    a: !Ref b
    c: !GetAtt d.e.f
    g: !Sub "${h}-x"
    i: !If [j, !Ref k, {l: !Sub [m, {n: !Ref o}]}]
    p: {Condition: !Condition q}
    """

    assert aws_deploy.load_template(text) == {
        "a": {"Ref": "b"},
        "c": {"Fn::GetAtt": ["d", "e.f"]},
        "g": {"Fn::Sub": "${h}-x"},
        "i": {"Fn::If": ["j", {"Ref": "k"}, {"l": {"Fn::Sub": ["m", {"n": {"Ref": "o"}}]}}]},
        "p": {"Condition": {"Condition": "q"}},
    }


def test_references_to_number_parameters_become_numbers() -> None:
    template = {
        "Parameters": {
            "N": {"Type": "Number", "Default": 3},
            "M": {"Type": "Number", "Default": 4},
            "S": {"Type": "String"},
        },
        "Resources": {"R": {"Size": {"Ref": "N"}, "List": [{"Ref": "M"}, {"Ref": "S"}, {"Ref": "R"}]}},
    }

    numbered = aws_deploy.with_numbers(template, {"N": "7"})

    assert numbered["Resources"] == {"R": {"Size": 7, "List": [4, {"Ref": "S"}, {"Ref": "R"}]}}


def test_only_alarms_on_an_expression_are_left_out() -> None:
    plain = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "A"}}
    other = {"Type": "AWS::SNS::Topic", "Properties": {"Metrics": []}}
    on_expression = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": [{"Expression": "a / b"}]}}
    template = {"Resources": {"A": plain, "B": on_expression, "C": other}, "Outputs": {}}

    assert aws_deploy.without_metric_math(template) == {"Resources": {"A": plain, "C": other}, "Outputs": {}}


def test_settings_are_named_after_outputs() -> None:
    assert aws_deploy.as_settings({"RawBucket": "r", "Stream": "s"}) == {
        "CLICKSTREAM_RAW_BUCKET": "r",
        "CLICKSTREAM_STREAM": "s",
    }


class FakeCloudFormation:
    """A stack whose status is the next of `statuses`; None is "no such stack". Remembers what was asked of it."""

    def __init__(self, statuses: list[str | None], events: list[dict[str, Any]] | None = None) -> None:
        self.statuses, self.events = statuses, events or []
        self.asked: list[str] = []

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status is None:
            raise ClientError(
                {"Error": {"Code": "ValidationError", "Message": "Stack does not exist"}}, "DescribeStacks"
            )
        outputs = [{"OutputKey": "RawBucket", "OutputValue": "r"}]
        return {"Stacks": [{"StackStatus": status, "Outputs": outputs}]}

    def describe_stack_events(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        return {"StackEvents": self.events}

    def create_stack(self, **request: Any) -> None:
        self.asked.append("create")

    def delete_stack(self, **request: Any) -> None:
        self.asked.append("delete")

    def update_stack(self, **request: Any) -> None:
        self.asked.append("update")
        raise ClientError(
            {"Error": {"Code": "ValidationError", "Message": "No updates are to be performed."}}, "UpdateStack"
        )


def deploy_with(fake: FakeCloudFormation, monkeypatch: pytest.MonkeyPatch, timeout: float = 5) -> dict[str, str]:
    monkeypatch.setattr(aws_deploy, "client", lambda service, endpoint_url: fake)
    monkeypatch.setattr(aws_deploy, "_upload", lambda *_: "b/k")
    return aws_deploy.deploy("http://127.0.0.1:1", {}, timeout=timeout)


@pytest.mark.parametrize(
    ("statuses", "asked"),
    [
        ([None, "CREATE_IN_PROGRESS", "CREATE_COMPLETE"], ["create"]),
        (["CREATE_COMPLETE"], ["update"]),
        (["ROLLBACK_COMPLETE", "DELETE_IN_PROGRESS", None, "CREATE_COMPLETE"], ["delete", "create"]),
        (["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"], ["update"]),
    ],
    ids=["new", "unchanged", "creation failed before", "someone else is deploying"],
)
def test_deploy_creates_or_updates(
    statuses: list[str | None], asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeCloudFormation(statuses)

    assert deploy_with(fake, monkeypatch) == {"RawBucket": "r"}
    assert fake.asked == asked


def test_a_failure_names_the_first_resource_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)

    def event(name: str, status: str, after: int, reason: str) -> dict[str, Any]:
        return {
            "LogicalResourceId": name,
            "ResourceType": "AWS::SQS::Queue",
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
            "Timestamp": now + timedelta(seconds=after),
        }

    events = [
        event("Later", "CREATE_FAILED", 2, "cancelled"),
        event("Culprit", "CREATE_FAILED", 1, "name taken"),
        event("Fine", "CREATE_COMPLETE", 0, ""),
        event("LastWeek", "CREATE_FAILED", -600_000, "old"),
    ]
    fake = FakeCloudFormation([None, "ROLLBACK_COMPLETE"], events)

    with pytest.raises(aws_deploy.DeployError, match=r"ROLLBACK_COMPLETE: Culprit \(AWS::SQS::Queue\): name taken"):
        deploy_with(fake, monkeypatch)


def test_waiting_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeCloudFormation([None, "CREATE_IN_PROGRESS"])

    with pytest.raises(aws_deploy.DeployError, match="still CREATE_IN_PROGRESS after 0 s"):
        deploy_with(fake, monkeypatch, timeout=0.3)
