"""Checked permissions: with CLICKSTREAM_CHECK_PERMISSIONS=1 the local AWS checks signatures and policies.

Airflow and Trino then have keys of an IAM user each that may do nothing but assume the role which the template makes
for it.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from local.aws.atomic_files import write_atomically
from local.places import Places

WHO = ("Airflow", "Trino")
SEGMENT_EXTERNAL_ID = "segment-local"


@dataclass(frozen=True)
class Consumer:
    """Who may assume a role: a user's keys, the role's ARN (empty before the template is deployed), its external id."""

    user_arn: str
    key: str
    secret: str
    external_id: str
    role: str = ""


def are_checked() -> bool:
    """Return whether the local AWS is to check permissions."""
    return os.environ.get("CLICKSTREAM_CHECK_PERMISSIONS", "") not in ("", "0")


def make_consumers(places: Places, iam: Any) -> dict[str, str]:
    """Make the users that are not there yet; return the template's parameters that make all roles and let these users
    assume theirs.
    """
    if not _file(places).exists():
        _keep(places, {who: _make(iam, who) for who in WHO})
    known = consumers(places)
    arns = {f"{who}PrincipalArns": known[who].user_arn for who in WHO}
    ids = {f"{who}ExternalId": known[who].external_id for who in WHO}
    makes_all = {"SegmentExternalIds": SEGMENT_EXTERNAL_ID, "Collector": "FunctionUrl", "ArchiveBy": "Firehose"}
    return arns | ids | makes_all


def allow_roles(places: Places, iam: Any, outputs: Mapping[str, str]) -> None:
    """Let each user assume the role that the template made for it, and note which that is."""
    known = {who: replace(one, role=outputs[f"{who}RoleArn"]) for who, one in consumers(places).items()}
    for one in known.values():
        allow = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": one.role}
        iam.put_user_policy(
            UserName=one.user_arn.rpartition("/")[2],
            PolicyName="assume-its-role",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
        )
    _keep(places, known)


def consumers(places: Places) -> dict[str, Consumer]:
    """Return the users by name: Airflow, Trino."""
    return {who: Consumer(**values) for who, values in json.loads(_file(places).read_text()).items()}


def _make(iam: Any, who: str) -> Consumer:
    name = f"{who.lower()}-host"
    user = iam.create_user(UserName=name)["User"]
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Consumer(user["Arn"], key["AccessKeyId"], key["SecretAccessKey"], f"{who.lower()}-local")


def _keep(places: Places, known: Mapping[str, Consumer]) -> None:
    write_atomically(_file(places), json.dumps({who: asdict(one) for who, one in known.items()}))


def _file(places: Places) -> Path:
    return places.state / "consumers.json"
