"""Athena, as Airflow's role finds it, where it takes the place of Trino."""

from collections.abc import Iterator

from clickstream.config_check.finding import Area, Facts, Finding, Level, error_of
from clickstream.settings import Settings

ENGINE = "Athena engine version 3"

_ATHENA = Area("athena")


def check_athena(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """Yield what Airflow's role finds in Athena.

    `facts`: `workgroup`, as Athena describes it, and unless that is an error `probe`, `newest` and `seen` (paths).
    """
    workgroup = facts["workgroup"]
    refused = error_of(workgroup)
    checked = f"workgroup {settings.athena_workgroup}"
    yield _ATHENA.unless(
        refused, checked, "allow athena:GetWorkGroup on it, or correct CLICKSTREAM_ATHENA_WORKGROUP: docs/athena.md"
    )
    if refused:
        return
    yield from _workgroup(workgroup, checked, settings)
    yield _ATHENA.unless(
        error_of(facts["probe"]),
        f"it makes and drops a table in {settings.work_database}",
        "attach the policies AthenaPolicyArn and TrinoPolicyArn of the two stacks to Airflow's role: Athena has its "
        "permissions",
    )
    yield _lines(facts)


def _workgroup(workgroup: Facts, checked: str, settings: Settings) -> Iterator[Finding]:
    yield _ATHENA.unless(
        "" if workgroup["State"] == "ENABLED" else f"it is {workgroup['State']}",
        f"{checked}: state",
        "enable it, or name another in CLICKSTREAM_ATHENA_WORKGROUP",
    )
    configuration = workgroup.get("Configuration", {})
    version = configuration.get("EngineVersion", {}).get("EffectiveEngineVersion", "unknown")
    yield _ATHENA.unless(
        "" if version == ENGINE else f"it is {version}",
        f"{checked}: engine",
        f"set the workgroup's engine to {ENGINE}: the SQL needs MERGE and MATCH_RECOGNIZE",
    )
    location = configuration.get("ResultConfiguration", {}).get("OutputLocation", "")
    overridden = configuration.get("EnforceWorkGroupConfiguration") and location != settings.athena_result_location
    yield _ATHENA.unless(
        f"results go to {location or 'no place'}, for the workgroup overrides client settings" if overridden else "",
        f"{checked}: result location",
        "set CLICKSTREAM_ATHENA_RESULT_LOCATION to the same, so that a reader of the settings finds them",
        Level.WARN if location else Level.FAIL,
    )


def _lines(facts: Facts) -> Finding:
    checked = "it sees the newest staged objects"
    if error_of(facts["seen"]):
        return _ATHENA.warn(
            checked, error_of(facts["seen"]), "trigger load_events once, which makes the table over them"
        )
    unseen = sorted(set(facts["newest"]) - set(facts["seen"]))
    return _ATHENA.unless(
        f"{len(unseen)} of {len(facts['newest'])} it does not, such as {unseen[0]}" if unseen else "",
        checked,
        "drop the table lines in Glue, and load_events makes it again: its location must be the staging folder",
    )
