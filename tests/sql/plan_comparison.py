"""Holds the comparison with the tracking plan to the model, and to `violations` where both know the same."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from clickstream.plan.diff import Difference, Kind, differences, fitting
from clickstream.plan.file import TrackingPlan
from clickstream.plan.seen import look
from local.lake.scratch import ScratchLake
from tests.model.expected import Row
from tests.model.seen import compare_seen, expected_seen


def check_comparison(lake: ScratchLake, plan: TrackingPlan, events: Sequence[Row], since: datetime) -> None:
    """`events`: the rows that `events` must have."""
    rows = lake.run("lake/plan_diff/seen.sql", seen_since=since, depth_limit=5, place_limit=10_000).rows
    assert compare_seen(expected_seen(events), rows) == []
    cut = lake.run("lake/plan_diff/seen.sql", seen_since=since, depth_limit=1, place_limit=7).rows
    assert cut == [row for row in rows if len(json.loads(row["path"])) < 2][:7]
    found = differences(plan, look(lake.run, since))
    for number in (1, 2):
        values = {"seen_since": since, "now": since + timedelta(days=number)}
        lake.run("lake/plan_diff/load.sql", **values, differences_json=fitting(found)[0])
    _check_table(lake, found)
    _check_types(lake, plan, found)


def _check_table(lake: ScratchLake, found: Sequence[Difference]) -> None:
    """The second comparison took the place of the first, and each difference is there as it was found."""
    rows = [
        {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
        for row in lake.rows("plan_diff")
    ]
    assert len({row["compared_at"] for row in rows}) == 1
    kept = [{name: row[name] for name in found[0].to_dict()} for row in rows]
    assert sorted(kept, key=str) == sorted((one.to_dict() for one in found), key=str)


def _check_types(lake: ScratchLake, plan: TrackingPlan, found: Sequence[Difference]) -> None:
    """A message whose property has another type breaks the rule `type`; items may break it twice in one message."""
    names = {slug: event.name for event in plan.live for slug in event.slugs}
    broken = [row for row in lake.rows("violations") if row["rule"] == "type" and "[]" not in row["property"]]
    counted: Counter[tuple[str, str]] = Counter()
    for one in found:
        if one.kind == Kind.OTHER_TYPE and one.event in names.values() and "[]" not in one.property_name:
            counted[(one.event, one.property_name)] += one.sighting.messages if one.sighting else 0
    assert counted == Counter((names[row["event"]], row["property"]) for row in broken)
    assert len(counted) > 10
