"""Whether an installation is set up as the pipeline needs it, decided from what its services answered.

Each check takes the facts of one area, as JSON would hold them, and yields findings: what was checked, whether it is
right, and if not what is wrong and the exact fix. Where a service refused, the fact is {"error": "<code>: <message>"}.
What gathers them: clickstream.aws.facts, clickstream.config_check.engine_facts and clickstream.operators.config_check.
"""
