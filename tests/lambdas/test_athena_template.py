"""The template of Athena: valid, of engine version 3, and with no right beyond its own workgroup and results."""

from cfnlint.api import lint_file  # type: ignore[import-untyped,unused-ignore]

from local.aws_deploy import TEMPLATE, as_settings, load_template

ATHENA = TEMPLATE.parent / "athena.yaml"
BODY = load_template(ATHENA.read_text(encoding="utf-8"))


def test_cfn_lint_has_nothing_to_say() -> None:
    assert lint_file(ATHENA) == []


def test_outputs_are_the_settings_of_airflow() -> None:
    settings = as_settings(dict.fromkeys(BODY["Outputs"], ""))

    assert set(settings) == {"CLICKSTREAM_ATHENA_WORKGROUP", "CLICKSTREAM_ATHENA_RESULT_LOCATION"}


def test_the_workgroup_is_of_engine_version_3_and_keeps_results_where_it_says() -> None:
    configuration = BODY["Resources"]["Workgroup"]["Properties"]["WorkGroupConfiguration"]

    assert configuration["EngineVersion"] == {"SelectedEngineVersion": "Athena engine version 3"}
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["ResultConfiguration"]["OutputLocation"] == BODY["Outputs"]["AthenaResultLocation"]["Value"]


def test_the_policy_allows_no_wildcard_actions_or_resources() -> None:
    for statement in BODY["Resources"]["AthenaPolicy"]["Properties"]["PolicyDocument"]["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in actions if "*" in action]
        assert statement["Resource"] != "*"
