{%- from "macros/time.sql" import within -%}
-- Properties of one run's messages that do not fit their column in the table of their event.
-- Grain: one value of one message. Parameters: run_id, now, window.
merge into {{ t.discards }} as target
using (
    select
        message_id,
        received_at,
        source_path,
        value,
        column_type as wanted_type,
        table_name || '.' || column_name as column_name,
        case
            when kind = 'string' then 'bad_value'
            when kind in ('integer', 'number') and substr(column_type, 1, 6) in ('bigint', 'double', 'decima')
                then 'bad_value'
            else 'wrong_type'
        end as reason
    from {{ t.findings(run_id) }}
    where rule = 'discard'
) as source
    on
        target.message_id = source.message_id
        and target.column_name = source.column_name
        and {{ within("target.received_at", window, bind) }}
when not matched then insert (
    message_id, column_name, value, wanted_type, reason, received_at, source_path, discarded_at, load_run_id
)
values (
    source.message_id,
    source.column_name,
    source.value,
    source.wanted_type,
    source.reason,
    source.received_at,
    source.source_path,
    {{ bind(now) }},
    {{ bind(run_id) }}
)
