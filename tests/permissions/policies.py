"""The policies of the deployed roles, and which of their permissions a recorded run used."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Permission:
    """One action of one statement of a role's policies, on the resources of that statement."""

    role: str
    statement: str
    action: str
    resources: tuple[str, ...]

    def covers(self, action: str, resource: str) -> bool:
        """Whether a call of this action on this resource is what it is for."""
        return action == self.action and any(matches(resource, pattern) for pattern in self.resources)


@dataclass(frozen=True)
class Decision:
    """What the local AWS decided: `role` is the template's name of it."""

    role: str
    action: str
    resource: str
    allowed: bool


def matches(resource: str, pattern: str) -> bool:
    """As IAM does: * is any text, ? any character."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), resource) is not None


def permissions(iam: Any, roles: dict[str, str]) -> Iterator[Permission]:
    """All permissions of these roles, given by the name in the template and the name in IAM."""
    for role, name in roles.items():
        for document in _documents(iam, name):
            for statement in document["Statement"]:
                for action in _list(statement["Action"]):
                    yield Permission(role, statement.get("Sid", ""), action, tuple(_list(statement["Resource"])))


def texts(iam: Any, roles: dict[str, str]) -> list[str]:
    """The text of each policy of these roles, without the white space that IAM does not count."""
    return [
        json.dumps(document, separators=(",", ":")) for name in roles.values() for document in _documents(iam, name)
    ]


def decisions(record: Path, roles: dict[str, str]) -> list[Decision]:
    """What was decided for these roles, but for what AWS allows to everybody."""
    known = {name: role for role, name in roles.items()}
    found = []
    for line in record.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        _, _, session = entry["who"].partition(":assumed-role/")
        if (name := session.partition("/")[0]) in known and entry["action"] != "sts:GetCallerIdentity":
            found.append(Decision(known[name], entry["action"], entry["resource"], entry["allowed"]))
    return found


def unused(all_of_them: Iterable[Permission], made: Iterable[Decision]) -> set[tuple[str, str, str]]:
    """Role, statement and action of each permission that no call needed."""
    calls = list(made)
    return {
        (one.role, one.statement, one.action)
        for one in all_of_them
        if not any(call.role == one.role and one.covers(call.action, call.resource) for call in calls)
    }


def _documents(iam: Any, name: str) -> Iterator[dict[str, Any]]:
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        yield iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        yield iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
