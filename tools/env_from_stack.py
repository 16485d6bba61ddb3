"""`python -m tools.env_from_stack --stack clickstream`: the CLICKSTREAM_* settings of a deployed stack, for Airflow.

Of the account and region that boto3 finds, as the AWS CLI does; AWS_ENDPOINT_URL leads to a local AWS. Settings go to
standard output, ready for an environment file; what connections, catalogs and SDKs need goes to standard error.
"""

import argparse
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.aws_deploy import FOR_PEOPLE, as_settings


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1, with the reason in one line, when there is no such stack or no way to query it."""
    parser = argparse.ArgumentParser(prog="make env-from-stack", description=__doc__)
    parser.add_argument("--stack", required=True, help="the stack's name")
    options = parser.parse_args(arguments)
    if not options.stack:
        parser.error("give the stack's name: make env-from-stack STACK=clickstream")
    try:
        found = boto3.client("cloudformation").describe_stacks(StackName=options.stack)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        print(f"stack {options.stack}: {error}", file=sys.stderr)
        return 1
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    for name, value in sorted(as_settings(outputs).items()):
        print(f"{name}={value}")
    for name, value in sorted(outputs.items()):
        if name.endswith(FOR_PEOPLE):
            print(f"{name}: {value}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
