"""Deploy `lambdas/template.yaml` to the local AWS, the way `sam deploy` does it to the real one.

`python -m local.aws_deploy --endpoint-url http://127.0.0.1:4566` prints the stack's outputs as CLICKSTREAM_* settings.
It runs in the local AWS's own environment (boto3, PyYAML), not in Airflow's.
"""

import argparse
import hashlib
import io
import json
import re
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.exceptions import ClientError

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "lambdas" / "template.yaml"
SOURCE = ROOT / "lambdas" / "src"
STACK = "clickstream"
ACCOUNT = "000000000000"
REGION = "us-east-1"
FOR_PEOPLE = ("Arn", "Url")
"""Ends of the names of outputs that are no settings."""

ARTIFACTS_BUCKET = f"clickstream-artifacts-{ACCOUNT}"

_UNFIXABLE = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can hold


class DeployError(RuntimeError):
    """The stack did not reach the wanted state; the message names the resource and the reason."""


class _TemplateLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags: `!Ref a` is {"Ref": "a"}, `!GetAtt a.b` is {"Fn::GetAtt": ["a", "b"]}."""


def _short_tag(loader: Any, suffix: str, node: Any) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_TemplateLoader.add_multi_constructor("!", _short_tag)


def load_template(text: str) -> dict[str, Any]:
    """Return a CloudFormation YAML template as plain data, with long-form functions."""
    template: dict[str, Any] = yaml.load(text, Loader=_TemplateLoader)  # noqa: S506 - a SafeLoader with more tags
    return template


def with_numbers(template: dict[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the template with every reference to a Number parameter replaced by the number.

    CloudFormation hands resources real numbers; the local AWS hands them text, which its SQS poller cannot compare.
    """
    numbers = {
        name: json.loads(str(parameters.get(name, declared.get("Default"))))
        for name, declared in template["Parameters"].items()
        if declared["Type"] == "Number"
    }

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if len(node) == 1 and node.get("Ref") in numbers:
                return numbers[node["Ref"]]
            return {key: resolve(value) for key, value in node.items()}
        return [resolve(value) for value in node] if isinstance(node, list) else node

    return {key: resolve(value) for key, value in template.items()}


def without_metric_math(template: dict[str, Any]) -> dict[str, Any]:
    """Return the template without alarms on expressions, which the local AWS refuses."""
    resources = {
        name: one
        for name, one in template["Resources"].items()
        if one["Type"] != "AWS::CloudWatch::Alarm" or "Metrics" not in one["Properties"]
    }
    return {**template, "Resources": resources}


def build_zip(source: Path) -> bytes:
    """Return the Python files under `source` as a Lambda package, reproducible: same files, same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(source.rglob("*.py"), key=lambda path: path.relative_to(source).as_posix()):
            entry = zipfile.ZipInfo(path.relative_to(source).as_posix(), _ZIP_TIME)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)
    return buffer.getvalue()


def client(service: str, endpoint_url: str) -> Any:
    """Return a client of the local AWS that may do everything."""
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def _upload(endpoint_url: str, body: bytes, suffix: str) -> str:
    """Upload under the body's hash, so that what is unchanged keeps its name; returns bucket and key as a path."""
    path = f"{ARTIFACTS_BUCKET}/lambdas/{hashlib.sha256(body).hexdigest()}{suffix}"
    s3 = client("s3", endpoint_url)
    s3.create_bucket(Bucket=ARTIFACTS_BUCKET)
    s3.put_object(Bucket=ARTIFACTS_BUCKET, Key=path.partition("/")[2], Body=body)
    return path


def _status(cloudformation: Any, stack: str) -> str | None:
    """Return the stack's status, or None if there is none."""
    try:
        return str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def _failure(cloudformation: Any, stack: str, since: float) -> str:
    """Return the first resource that failed in this deployment, and why."""
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [
        event
        for event in events
        if event["ResourceStatus"].endswith("_FAILED") and event["Timestamp"].timestamp() >= since - 1
    ]
    if not failed:
        return "no failed resource in its events"
    first = min(failed, key=lambda event: event["Timestamp"])
    reason = first.get("ResourceStatusReason", "no reason given")
    return f"{first['LogicalResourceId']} ({first['ResourceType']}): {reason}"


def _wait(cloudformation: Any, stack: str, timeout: float) -> str | None:
    """Return the stack's status once nothing is in progress. Raises DeployError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        status = _status(cloudformation, stack)
        if status is None or not status.endswith("_IN_PROGRESS"):
            return status
        if time.monotonic() > deadline:
            raise DeployError(f"stack {stack} is still {status} after {timeout:.0f} s")
        time.sleep(0.2)


def _create_or_update(cloudformation: Any, request: dict[str, Any], timeout: float) -> None:
    stack = request["StackName"]
    status = _wait(cloudformation, stack, timeout)
    if status in _UNFIXABLE:  # a stack whose creation failed can only be deleted
        cloudformation.delete_stack(StackName=stack)
        status = _wait(cloudformation, stack, timeout)
    if status in (None, "DELETE_COMPLETE"):
        cloudformation.create_stack(**request)
        return
    try:
        cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise


def deploy(
    endpoint_url: str,
    parameters: Mapping[str, str],
    *,
    stack: str = STACK,
    template_file: Path = TEMPLATE,
    timeout: float = 120,
) -> dict[str, str]:
    """Create or update the stack and return its outputs, such as {"RawBucket": "clickstream-raw-000000000000"}.

    Idempotent: with the same code and parameters it changes nothing. `timeout` is in seconds. Raises DeployError, which
    names the resource that failed.
    """
    template = without_metric_math(load_template(template_file.read_text(encoding="utf-8")))
    template["Globals"]["Function"]["CodeUri"] = f"s3://{_upload(endpoint_url, build_zip(SOURCE), '.zip')}"
    body = json.dumps(with_numbers(template, parameters), separators=(",", ":")).encode()
    request = {
        "StackName": stack,
        # By its address, as `sam deploy` does: a request may hold 51,200 bytes of template only.
        "TemplateURL": f"{endpoint_url}/{_upload(endpoint_url, body, '.json')}",
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in sorted(parameters.items())],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    cloudformation, started = client("cloudformation", endpoint_url), time.time()
    try:
        _create_or_update(cloudformation, request, timeout)
    except ClientError as error:
        raise DeployError(f"stack {stack} was refused: {error}") from error
    status = _wait(cloudformation, stack, timeout)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise DeployError(f"stack {stack} is {status}: {_failure(cloudformation, stack, started)}")
    outputs = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}


def as_settings(outputs: Mapping[str, str]) -> dict[str, str]:
    """Return outputs under the names that Airflow reads: RawBucket becomes CLICKSTREAM_RAW_BUCKET.

    Those that end in Arn or Url are left out: they are for connections, catalogs and SDKs, not settings.
    """
    return {
        f"CLICKSTREAM_{re.sub(r'(?<!^)(?=[A-Z])', '_', key).upper()}": value
        for key, value in outputs.items()
        if not key.endswith(FOR_PEOPLE)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Deploy the stack to the local AWS; print its CLICKSTREAM_* settings.")
    parser.add_argument("--endpoint-url", required=True, help="local AWS, such as http://127.0.0.1:4566")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE", help="template parameter")
    arguments = parser.parse_args()
    outputs = deploy(arguments.endpoint_url, dict(pair.split("=", 1) for pair in arguments.parameter))
    for name, value in sorted(as_settings(outputs).items()):
        print(f"{name}={value}")


if __name__ == "__main__":
    main()
