-- Check (fail): the run found a violation with a rule or severity that is not in the closed list, or with none.
-- Grain: one rule at one property of one message. Parameters: run_id, bounds.
{%- from "macros/time.sql" import within %}
select
    message_id,
    property,
    rule,
    severity
from {{ t.violations }}
where
    load_run_id = {{ bind(run_id) }}
    and {{ within("received_at", bounds, bind) }}
    and (
        coalesce(rule not in ('type', 'required', 'enum', 'format', 'pattern', 'minimum', 'maximum'), true)
        or coalesce(severity not in ('warn', 'block'), true)
    )
order by message_id, property, rule
limit 20
