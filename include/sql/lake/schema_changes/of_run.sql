-- What one run met for the first time, the commonest first. Grain: one path and type. Parameters: run_id.
select
    path,
    json_type,
    change,
    case_twin_of,
    message_count
from {{ t.schema_changes }}
where load_run_id = {{ bind(run_id) }}
order by message_count desc, path asc, json_type asc
