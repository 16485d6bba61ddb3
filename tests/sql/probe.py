"""A tracking plan of one event, for tests of what is done with its table and its violations."""

from clickstream.plan.file import parse_plan

PLAN = parse_plan(
    """
version: 1
events:
  Probe:
    description: A probe.
    owner: o
    status: live
    sources: [s]
    properties: {n: {type: integer}}
""",
    "plan.yaml",
)
