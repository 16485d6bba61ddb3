"""The resources of Glue calls, as AWS's guide has them, and the record of decisions.

https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
"""

import json

import pytest

from local.aws.authorization import Decisions, glue_resources


@pytest.mark.parametrize(
    ("action", "request_", "resources"),
    [
        ("GetDatabases", {}, "catalog database/*"),
        ("GetDatabase", {"Name": "d"}, "catalog database/d"),
        ("CreateDatabase", {"DatabaseInput": {"Name": "d"}}, "catalog database/d"),
        ("GetTables", {"DatabaseName": "d"}, "catalog database/d table/d/*"),
        ("GetTable", {"DatabaseName": "d", "Name": "t"}, "catalog database/d table/d/t"),
        ("CreateTable", {"DatabaseName": "d", "TableInput": {"Name": "t"}}, "catalog database/d table/d/t"),
        ("GetPartitions", {"DatabaseName": "d", "TableName": "t"}, "catalog database/d table/d/t"),
        ("StartCrawler", {"Name": "c"}, "crawler/c"),
        ("GetCrawlers", {}, "crawler/*"),
    ],
)
def test_a_glue_call_needs_a_resource_and_all_that_it_is_in(action, request_, resources):
    wanted = [f"arn:aws:glue:eu-west-1:111111111111:{resource}" for resource in resources.split()]

    assert glue_resources(action, request_, "111111111111", "eu-west-1") == wanted


def test_a_decision_is_written_once_and_a_new_record_begins_empty(tmp_path):
    path = tmp_path / "decisions.ndjson"
    path.write_text("of an earlier process\n")

    decisions = Decisions(path)
    for allowed in (True, True, False):
        decisions.add("me", "s3:GetObject", "arn:aws:s3:::b/k", allowed)

    written = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line.pop("allowed") for line in written] == [True, False]
    assert written == [{"who": "me", "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k"}] * 2
