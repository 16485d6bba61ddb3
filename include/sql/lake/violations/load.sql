{%- from "macros/time.sql" import within -%}
-- Violations of one run's messages, each once however often they are loaded.
-- Grain: one rule at one property of one message. Parameters: run_id, now, window.
merge into {{ t.violations }} as target
using (
    select
        message_id,
        event,
        property,
        rule,
        min(value) as value,
        count(*) as occurrences,
        min(severity) as severity,
        min(received_at) as received_at
    from {{ t.findings(run_id) }}
    where rule <> 'discard'
    group by message_id, event, property, rule
) as source
    on
        target.message_id = source.message_id
        and target.property = source.property
        and target.rule = source.rule
        and {{ within("target.received_at", window, bind) }}
when not matched then insert (
    message_id, event, property, rule, value, occurrences, severity, received_at, found_at, load_run_id
)
values (
    source.message_id,
    source.event,
    source.property,
    source.rule,
    source.value,
    source.occurrences,
    source.severity,
    source.received_at,
    {{ bind(now) }},
    {{ bind(run_id) }}
)
